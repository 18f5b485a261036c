"""How many sessions there may be, in total and from one source, across all worker processes."""

from __future__ import annotations

from threading import Lock

from fairlead.limits.shared import CELLS, Table, cells
from fairlead.limits.source import source


class Connections:
    """Counts sessions and admits them up to two limits; 0 stands for no limit.

    It is made before the workers are forked; each then calls :meth:`attach`. To admit a session, a worker first raises
    its own count, then adds up everyone's, and takes its own back when the sum is over the limit: the limit is never
    exceeded. Two workers that try for the last place at the same moment may both be refused.

    Each worker counts its own sources exactly. What other workers count for a source is read from cells that sources
    share (see :func:`fairlead.limits.shared.cells`): with several workers and many sources at once, a source may in
    rare cases be charged with sessions of others, never with too few. A source is an IPv4 address or 64 bits of an IPv6
    one (see :func:`fairlead.limits.source.source`).
    """

    def __init__(self, max_total: int = 0, max_per_address: int = 0, workers: int = 1) -> None:
        self._max_total = max_total
        self._max_per_address = max_per_address
        self._totals = Table(1, workers)
        self._shared = Table(CELLS, workers) if max_per_address and workers > 1 else None
        self._here: dict[str, int] = {}
        self._fence = Lock()

    def attach(self, worker_index: int) -> None:
        """Count as the worker ``worker_index`` (from 0), which has no sessions yet; also in a worker's successor."""
        self._totals.attach(worker_index)
        if self._shared is not None:
            self._shared.attach(worker_index)
        self._here.clear()

    def enter(self, address: str) -> str | None:
        """Count a session from ``address``; None when it is admitted, else why not, as a sentence for its user."""
        self._totals.add(0, 1)
        if self._max_total:
            self._show()
            if self.total() > self._max_total:
                self._totals.add(0, -1)
                return "Too many sessions on this server, try again later."
        if self._max_per_address and not self._enter_source(source(address)):
            self._totals.add(0, -1)
            return "Too many sessions from your address, try again later."
        return None

    def leave(self, address: str) -> None:
        """A session from ``address`` that was admitted has ended."""
        self._totals.add(0, -1)
        if self._max_per_address:
            self._leave_source(source(address))

    def total(self) -> int:
        """How many sessions all workers have."""
        return int(sum(self._totals.every(0)))

    def _enter_source(self, key: str) -> bool:
        count = self._here[key] = self._here.get(key, 0) + 1
        shared = self._shared
        if shared is not None:
            places = cells(key)
            for cell in places:
                shared.add(cell, 1)
            self._show()
            count += min(int(sum(shared.every(cell)) - shared.own(cell)) for cell in places)
        if count <= self._max_per_address:
            return True
        self._leave_source(key)
        return False

    def _leave_source(self, key: str) -> None:
        count = self._here[key] - 1
        if count:
            self._here[key] = count
        else:
            del self._here[key]
        if self._shared is not None:
            for cell in cells(key):
                self._shared.add(cell, -1)

    def _show(self) -> None:
        """Let the other workers see what was written before anything of theirs is read.

        A processor may read on while its writes are still under way; taking a lock makes it wait for them.
        """
        with self._fence:
            pass
