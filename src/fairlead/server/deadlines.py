"""When sessions look at their deadlines: one timer of the event loop for all of them.

A timer of its own costs a session half a kilobyte and, for one that logs in and leaves, more than its commands do. Here
sessions that are due at about the same time stand in one set.
"""

from __future__ import annotations

import asyncio
from heapq import heappop, heappush
from math import ceil, inf
from typing import Protocol

TICKS = 8
"""How many there are in a second: so exact are deadlines, which are never early."""

NEVER = 1 << 62
"""The tick of those that have none, but are to be dropped as others are."""


class Due(Protocol):
    """Who has a deadline."""

    def look_at_deadlines(self) -> None:
        """Called when its time has come."""


class Deadlines:
    """The deadlines of all sessions of one event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._due: dict[int, set[Due]] = {}
        """Who is due, by tick."""
        self._ticks: list[int] = []
        """The keys of it, as a heap."""
        self._timer: asyncio.TimerHandle | None = None

    def put(self, who: Due, when: float) -> int:
        """Call ``who`` at the loop's time ``when``, or up to a tick later; returns the tick, for :meth:`drop`."""
        tick = ceil(when * TICKS) if when < inf else NEVER
        due = self._due.get(tick)
        if due is None:
            due = self._due[tick] = set()
            heappush(self._ticks, tick)
            if self._ticks[0] == tick:
                self._wind()
        due.add(who)
        return tick

    def drop(self, who: Due, tick: int) -> None:
        """Do not call ``who`` at ``tick``."""
        due = self._due.get(tick)
        if due is not None:
            due.discard(who)

    def close(self) -> None:
        """Call nobody any more."""
        self._due.clear()
        self._ticks.clear()
        self._wind()

    def _wind(self) -> None:
        """Set the timer to the next tick, if there is one."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._ticks:
            self._timer = self._loop.call_at(self._ticks[0] / TICKS, self._ring)

    def _ring(self) -> None:
        now = self._loop.time()
        try:
            while self._ticks and self._ticks[0] <= now * TICKS:
                due = self._due[self._ticks[0]]
                while due:
                    due.pop().look_at_deadlines()
                del self._due[heappop(self._ticks)]
        finally:
            self._wind()
