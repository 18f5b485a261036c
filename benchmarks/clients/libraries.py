"""Python's ftplib and aioftp, each in a script that does what their documentation shows."""

from __future__ import annotations

from benchmarks.clients.declared import Client
from benchmarks.servers.declared import Family

_ROWS = ("client-get", "client-put", "client-get-many", "client-put-many", "client-list", "client-mirror")


def script(name: str) -> dict[str, tuple[str, ...]]:
    """The command lines of a script that takes the row, the port, the remote and the local path."""
    path = f"{{repository}}/benchmarks/clients/scripts/{name}"
    return {row: ("{python}", "-W", "ignore", path, row, "{port}", "{remote}", "{local}") for row in _ROWS}


CLIENTS = (
    Client(name="ftplib", title="ftplib", family=Family.PYTHON, commands=script("ftplib_client.py")),
    Client(
        name="aioftp",
        title="aioftp",
        family=Family.PYTHON,
        commands=script("aioftp_client.py"),
        remark="On uvloop, with blocks of 1 MiB in place of its 8 KiB.",
    ),
)
