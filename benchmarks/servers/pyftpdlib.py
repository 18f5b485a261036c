"""pyftpdlib 2.2.0: one process, and one process for each core."""

from __future__ import annotations

from benchmarks.servers.declared import Family, Protection, Server

_COMMAND = (
    "{python}",
    "-W",
    "ignore",
    "{repository}/benchmarks/servers/scripts/pyftpdlib_server.py",
    "{port}",
    "{root}",
)

_TLS = Protection(("{certificate}",))

SERVERS = (
    Server(name="pyftpdlib", title="pyftpdlib", family=Family.PYTHON, command=(*_COMMAND, "1"), tls=_TLS),
    Server(
        name="pyftpdlib-prefork",
        title="pyftpdlib, prefork",
        family=Family.PYTHON,
        command=(*_COMMAND, "{cpus}"),
        tls=_TLS,
        remark="Forked before its event loop is made: its own prefork shares one epoll, which makes sessions hang.",
    ),
)
