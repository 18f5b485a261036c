"""The limit: a C server that does only what the rows need (``benchmarks/limit/``)."""

from __future__ import annotations

from benchmarks.servers.declared import Family, Server

_ONE_LOOP = "its one loop sends files inline: not a limit for this row"
_WITHOUT = {
    "noop-under-bulk": _ONE_LOOP,
    "fairness": _ONE_LOOP,
    "start": "a C program without configuration",
}

SERVERS = (
    Server(
        name="limit",
        title="limit (C)",
        family=Family.LIMIT,
        command=("{limit}", "{port}", "{root}"),
        needs=("limit",),
        without={**_WITHOUT, "stor-1k-x8-disk": "see limit, durable"},
        remark="Checks nothing, knows no permissions, limits or logs.",
    ),
    Server(
        name="limit-workers",
        title="limit (C), a process for each core",
        family=Family.LIMIT,
        command=("{limit}", "{port}", "{root}", "workers={cpus}"),
        needs=("limit",),
        only=frozenset({"retr-x4", "stor-x4", "retr-1k-x8", "stor-1k-x8", "login-x16"}),
    ),
    Server(
        name="limit-durable",
        title="limit (C), fsync for each file",
        family=Family.LIMIT,
        command=("{limit}", "{port}", "{root}", "durable"),
        needs=("limit",),
        only=frozenset({"stor-1k-x8-disk"}),
    ),
)
