"""Trees of files for mirrors, and what is in them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

THEN = 1_577_934_245


def grow(top: Path, files: Mapping[str, bytes], *, owner: Path | None = None) -> Path:
    """Make ``files`` below ``top``, which the owner of ``owner`` gets, a second apart; a directory ends with /."""
    for number, (path, octets) in enumerate(files.items()):
        place = top / path
        place.parent.mkdir(parents=True, exist_ok=True)
        if path.endswith("/"):
            place.mkdir(exist_ok=True)
        else:
            place.write_bytes(octets)
            os.utime(place, (THEN + number, THEN + number))
    if owner is not None and os.geteuid() == 0:
        status = owner.stat()
        for place in (top, *top.rglob("*")):
            os.chown(place, status.st_uid, status.st_gid, follow_symlinks=False)
    return top


def contents(top: Path) -> dict[str, bytes | None]:
    """Every path below ``top``: the octets of files, None for directories."""
    return {str(place.relative_to(top)): place.read_bytes() if place.is_file() else None for place in top.rglob("*")}


def times(top: Path) -> dict[str, int]:
    """The time of every file below ``top``."""
    return {str(place.relative_to(top)): int(place.stat().st_mtime) for place in top.rglob("*") if place.is_file()}
