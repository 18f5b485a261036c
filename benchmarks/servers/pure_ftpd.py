"""Pure-FTPd 1.0.50."""

from __future__ import annotations

from benchmarks.servers.account import GID, HASH, NAME, UID
from benchmarks.servers.declared import Family, Protection, Server

SERVERS = (
    Server(
        name="pure-ftpd",
        title="Pure-FTPd",
        family=Family.C,
        command=(
            *("{pure-ftpd}", "-4", "-A", "-E", "-H", "-S", "127.0.0.1,{port}", "-c", "20000", "-C", "20000"),
            *("-f", "none", "-l", "puredb:{scratch}/users.pdb", "-L", "2000000:10", "-u", "1", "-g", "{scratch}/pid"),
        ),
        files={"users": f"{NAME}:{HASH}:{UID}:{GID}::{{root}}/./::::::::::::\n"},
        setup=(("{pure-pw}", "mkdb", "{scratch}/users.pdb", "-f", "{scratch}/users"),),
        needs=("pure-ftpd", "pure-pw"),
        needs_root=True,
        tls=Protection(("-Y", "3", "-2", "{certificate}")),
        remark="Gives no tickets, so under TLS 1.3 no data connection resumes.",
    ),
)
