"""How long a refused login waits for its answer, by the recent failures of its source (RFC 2577 section 5)."""

from __future__ import annotations

from math import log2

from fairlead.limits.shared import CELLS, Table, cells
from fairlead.limits.source import source

LONGEST = 5.0
"""No answer waits longer than this, in seconds."""
HALF_LIFE = 300.0
"""After this many seconds half of a source's failures are forgotten."""


class LoginGuard:
    """Remembers failed logins by source, across the sessions of all worker processes, in memory of a fixed size.

    It is made before the workers are forked; each then calls :meth:`attach`. ``base`` is the delay after one failure,
    in seconds; it grows by as much with each recent failure up to :data:`LONGEST`. The moments given as ``now`` are
    seconds of one monotonic clock, the same for all workers. Where sources are many, two may be taken for one (see
    :func:`fairlead.limits.shared.cells`): the failures of one then delay those of the other too, never a good login.
    """

    def __init__(self, base: float = 1.0, workers: int = 1) -> None:
        self._base = base
        # A slot holds the moment at which its failures, halving steadily, will have come down to one; 0 for none ever.
        self._moments = Table(CELLS, workers)
        self._any = False
        """Whether this worker has recorded a failure."""

    def attach(self, worker_index: int) -> None:
        """Record as the worker ``worker_index`` (from 0), which has recorded nothing yet."""
        self._moments.attach(worker_index)
        self._any = False

    def failed(self, address: str, now: float) -> None:
        """A login from ``address`` failed."""
        self._any = True
        for cell in cells(source(address)):
            failures = _failures(self._moments.own(cell), now) + 1
            self._moments.put(cell, now + HALF_LIFE * log2(failures))

    def succeeded(self, address: str) -> None:
        """A login from ``address`` succeeded: half of the failures that this worker counted are forgotten.

        The rest stays, so that who owns one account cannot guess at others unhindered.
        """
        if not self._any:
            return
        for cell in cells(source(address)):
            if moment := self._moments.own(cell):
                self._moments.put(cell, moment - HALF_LIFE)

    def delay(self, address: str, now: float) -> float:
        """How many seconds the answer to a failed login from ``address`` waits, that login already recorded."""
        failures = min(
            sum(_failures(moment, now) for moment in self._moments.every(cell)) for cell in cells(source(address))
        )
        return min(LONGEST, self._base * failures)


def _failures(moment: float, now: float) -> float:
    return 2.0 ** ((moment - now) / HALF_LIFE) if moment else 0.0
