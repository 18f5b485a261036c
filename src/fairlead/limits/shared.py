"""Counts by source that all worker processes share, in memory of a fixed size."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mmap import mmap

CELLS = 16384
"""Cells to spread sources over, a power of two. Of 1,000 sources at once, one in seventy shares both of its cells."""


class Table:
    """Numbers in anonymous shared memory, made before the workers are forked: ``rows`` rows of a slot for each worker.

    A worker writes its own slots only and reads everyone's, so there are no locks, and nothing is left behind by a
    worker that died: its successor clears them. Slots are floats of eight octets, read and written whole; they begin
    as 0.
    """

    __slots__ = ("_first", "_rows", "_slots", "_workers")

    def __init__(self, rows: int, workers: int) -> None:
        self._rows = rows
        self._workers = workers
        self._slots = memoryview(_memory(rows * workers * 8, shared=workers > 1)).cast("d")
        self._first = 0

    def attach(self, worker: int, *, keep: bool = False) -> None:
        """Write as the worker ``worker`` (from 0) from now on; with nothing counted so far, unless ``keep``."""
        if not 0 <= worker < self._workers:
            raise ValueError(f"there is no worker {worker} of {self._workers}")
        self._first = worker * self._rows
        if keep:
            return
        octets = self._slots.cast("B")
        octets[self._first * 8 : (self._first + self._rows) * 8] = bytes(self._rows * 8)

    def own(self, row: int) -> float:
        """This worker's slot of ``row``."""
        return self._slots[self._first + row]

    def put(self, row: int, value: float) -> None:
        """Write this worker's slot of ``row``."""
        self._slots[self._first + row] = value

    def add(self, row: int, value: float) -> None:
        """Add to this worker's slot of ``row``."""
        self._slots[self._first + row] += value

    def every(self, row: int) -> memoryview[float]:
        """All workers' slots of ``row``."""
        return self._slots[row :: self._rows]


def _memory(size: int, *, shared: bool) -> bytearray | mmap:
    if not shared:
        return bytearray(size)
    from mmap import mmap  # noqa: PLC0415 - most servers are one process, which shares nothing

    return mmap(-1, size)


def cells(source: str) -> tuple[int, int]:
    """The two cells of ``source``; alike in all processes forked from one, not to be foreseen from outside.

    A cell's number belongs to all the sources that share it. So the lesser of a source's two is never too low, and too
    high only where both are shared.
    """
    digest = hash(source)
    first = digest & (CELLS - 1)
    return first, (first + 1 + (digest >> 32) % (CELLS - 1)) & (CELLS - 1)
