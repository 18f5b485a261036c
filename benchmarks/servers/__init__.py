"""The servers that are compared, in the order of the tables."""

from __future__ import annotations

from benchmarks.servers import aioftp, fairlead, limit, proftpd, pure_ftpd, pyftpdlib, vsftpd
from benchmarks.servers.declared import Family, Server

SERVERS: tuple[Server, ...] = (
    *fairlead.SERVERS,
    *pyftpdlib.SERVERS,
    *aioftp.SERVERS,
    *vsftpd.SERVERS,
    *proftpd.SERVERS,
    *pure_ftpd.SERVERS,
    *limit.SERVERS,
)

__all__ = ["SERVERS", "Family", "Server"]
