"""Fairlead's client: the command line as it comes, and scripts around the library."""

from __future__ import annotations

from benchmarks.clients.declared import Client
from benchmarks.clients.libraries import script
from benchmarks.servers.declared import Family

_URL = "ftp://bench:bench@127.0.0.1:{port}/{remote}"
_MIRROR = ("{fairlead}", "mirror", f"{_URL}/", "{local}")

CLIENTS = (
    Client(
        name="fairlead",
        title="Fairlead",
        family=Family.FAIRLEAD,
        needs=("fairlead",),
        commands={
            "client-get": ("{fairlead}", "get", "-o", "{local}/file", _URL),
            "client-put": ("{fairlead}", "put", "{local}/file", _URL),
            "client-get-many": ("{fairlead}", "get", "-o", "{local}/", f"{_URL}/*"),
            "client-put-many": ("sh", "-c", "cd {local} && exec {fairlead} put * " + _URL + "/"),
            "client-list": ("{fairlead}", "ls", f"{_URL}/"),
            "client-mirror": _MIRROR,
            "client-mirror-x4": (*_MIRROR, "--parallel", "4"),
            "client-mirror-again": _MIRROR,
        },
    ),
    Client(
        name="fairlead-library",
        title="Fairlead, Client",
        family=Family.FAIRLEAD,
        commands=script("fairlead_client.py"),
        remark="A script around the blocking client, to stand beside those around ftplib and aioftp.",
    ),
)
