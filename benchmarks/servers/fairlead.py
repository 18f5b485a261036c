"""Fairlead in its default configuration, with more workers, and with the durability of the peers."""

from __future__ import annotations

from benchmarks.servers.declared import Family, Protection, Server

_COMMAND = (
    "{fairlead}", "serve", "{root}", "--listen", "127.0.0.1:{port}", "--user", "bench:bench", "--write"
)  # fmt: skip
_TLS = Protection(("--tls-cert", "{certificate}"))
_RELAXED = {"fairlead.toml": '[storage]\ndurability = "relaxed"\n'}
_STORES = frozenset(
    {"stor", "stor-x4", "stor-1k", "stor-1k-x8", "stor-1k-x8-disk", "tls-stor", "tls-stor-x8", "tls-stor-1k",
     "tls-stor-1k-x8"}
)  # fmt: skip

SERVERS = (
    Server(
        name="fairlead",
        title="Fairlead",
        family=Family.FAIRLEAD,
        command=_COMMAND,
        needs=("fairlead",),
        tls=_TLS,
        remark="As it comes: one worker, full durability (226 means that file and name are on disk), its log written.",
    ),
    Server(
        name="fairlead-workers",
        title="Fairlead, a worker for each core",
        family=Family.FAIRLEAD,
        command=(*_COMMAND, "--workers", "{cpus}"),
        needs=("fairlead",),
        tls=_TLS,
    ),
    Server(
        name="fairlead-relaxed",
        title="Fairlead, relaxed durability",
        family=Family.FAIRLEAD,
        command=(*_COMMAND, "--config", "{scratch}/fairlead.toml"),
        files=_RELAXED,
        needs=("fairlead",),
        tls=_TLS,
        only=_STORES,
        remark="Leaves flushing to the kernel, as all the other servers do.",
    ),
    Server(
        name="fairlead-relaxed-workers",
        title="Fairlead, relaxed, a worker for each core",
        family=Family.FAIRLEAD,
        command=(*_COMMAND, "--config", "{scratch}/fairlead.toml", "--workers", "{cpus}"),
        files=_RELAXED,
        needs=("fairlead",),
        tls=_TLS,
        only=_STORES,
    ),
)
