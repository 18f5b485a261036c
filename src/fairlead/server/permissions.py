"""What the permission bits of a file let this process do."""

from __future__ import annotations

import os
from functools import cache

READ, WRITE, SEARCH = 4, 2, 1


@cache
def identity() -> tuple[int, frozenset[int]]:
    """The user and the groups of this process."""
    return os.geteuid(), frozenset((os.getegid(), *os.getgroups()))


def permits(status: os.stat_result, bits: int) -> bool:
    """Whether the permission bits let this process do ``bits`` (read 4, write 2, search 1)."""
    uid, groups = identity()
    if uid == 0:
        return True
    shift = 6 if status.st_uid == uid else 3 if status.st_gid in groups else 0
    return (status.st_mode >> shift) & bits == bits
