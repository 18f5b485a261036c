"""Processes that have a part of a core only, however idle the machine is: groups of the CPU controller, version 1."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from benchmarks.group import PREFIX, groups_of

PERIOD = 100_000
"""Microseconds over which a share is granted."""


@contextmanager
def limited(processes: Iterable[int], share: float) -> Iterator[None]:
    """Let each of the processes have ``share`` of one core at most. Raises OSError where that cannot be had."""
    made: list[Path] = []
    try:
        for pid in processes:
            folder = _parent() / f"{PREFIX}{os.getpid()}-quota-{pid}"
            folder.mkdir()
            made.append(folder)
            (folder / "cpu.cfs_period_us").write_text(str(PERIOD))
            (folder / "cpu.cfs_quota_us").write_text(str(round(PERIOD * share)))
            (folder / "cgroup.procs").write_text(str(pid))
        yield
    finally:
        for folder in made:
            _give_up(folder)


def available() -> bool:
    """Whether this process may limit others."""
    return any(os.access(parent, os.W_OK) for parent in groups_of("cpu"))


def _give_up(folder: Path) -> None:
    """Free the processes of a group from its limit, and remove it."""
    for pid in (folder / "cgroup.procs").read_text().split():
        with suppress(OSError):  # it has ended meanwhile
            (folder.parent / "cgroup.procs").write_text(pid)
    folder.rmdir()


def _parent() -> Path:
    for parent in groups_of("cpu"):
        return parent
    raise OSError("no group of the CPU controller can be made here")
