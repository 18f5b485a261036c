"""aioftp 0.28.3."""

from __future__ import annotations

from benchmarks.servers.declared import Family, Server

_NO_NOOP = "aioftp answers NOOP with 502"

SERVERS = (
    Server(
        name="aioftp",
        title="aioftp",
        family=Family.PYTHON,
        command=(
            "{python}",
            "-W",
            "ignore",
            "{repository}/benchmarks/servers/scripts/aioftp_server.py",
            "{port}",
            "{root}",
        ),
        without=dict.fromkeys(("noop", "noop-pipelined", "noop-under-bulk", "fairness-alone", "fairness"), _NO_NOOP),
        remark="On uvloop, with blocks of 1 MiB in place of its 8 KiB, and file calls on the loop: its fastest form.",
    ),
)
