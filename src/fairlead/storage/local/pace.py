"""Whether the calls of a store come back at once, so that the event loop may make them itself.

A warm file system answers in microseconds. A cold or distant one makes its caller wait, and nobody can tell before, so
each call is timed. One that takes too long raises a suspicion, since the machine may have been busy with other
programs; from then on the system is asked, too, whether the caller waited for something, and where it did, the store
is slow: the server asks it in threads. The timing goes on there. Once no call has waited for a while the loop makes
them itself again.
"""

from __future__ import annotations

import asyncio
import resource
from collections.abc import Callable, Iterator
from functools import wraps
from time import monotonic
from typing import Concatenate, NamedTuple, ParamSpec, Protocol, TypeVar

LIMIT = 0.01
"""Seconds for one call that the event loop may be held up."""
CALM = 10.0
"""Seconds without a call that waited longer after which a store is quick again."""

_WHO = getattr(resource, "RUSAGE_THREAD", resource.RUSAGE_SELF)  # which Linux alone tells by thread

P = ParamSpec("P")
R = TypeVar("R")


class Thread(NamedTuple):
    """What the system says of a thread so far."""

    waits: int
    """How often it has given its core away to wait for something, not because others needed it."""
    busy: float
    """Seconds in which it had a core."""


def thread() -> Thread:
    """This one."""
    usage = resource.getrusage(_WHO)
    return Thread(usage.ru_nvcsw, usage.ru_utime + usage.ru_stime)


NOTHING = Thread(0, 0.0)


class Pace:
    """How quick a store is."""

    __slots__ = ("_last", "_thread", "clock", "quick", "suspect")

    def __init__(self, clock: Callable[[], float] = monotonic, thread: Callable[[], Thread] = thread) -> None:
        self.clock = clock
        self._thread = thread
        self.quick = True
        """Whether the event loop may make the calls itself."""
        self.suspect = False
        """Whether a call has taken too long lately, for whatever reason."""
        self._last = 0.0
        """When that was."""

    def before(self) -> Thread:
        """What :meth:`note` wants to know from before a call."""
        return self._thread() if self.suspect else NOTHING

    def note(self, began: float, before: Thread) -> None:
        """A call is over that ``began`` then, when :meth:`before` was so much."""
        now = self.clock()
        if not self.suspect:
            self.suspect, self._last = now - began > LIMIT, now
        elif self._waited(now - began, before) and not (self.quick and not _in_event_loop()):
            self.quick, self._last = False, now
        elif now - self._last > CALM:
            self.quick, self.suspect = True, False

    def _waited(self, seconds: float, before: Thread) -> bool:
        """Whether a call of so many seconds waited for too many of them."""
        if seconds <= LIMIT:
            return False
        after = self._thread()
        return after.waits > before.waits and seconds - (after.busy - before.busy) > LIMIT


def _in_event_loop() -> bool:
    """Whether somebody else waits for this thread; what a thread of its own waits for, such as a long copy, may be."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


class Paced(Protocol):
    """What has a pace, and says at once where it stands: it is asked more often than the pace changes."""

    pace: Pace
    inline: bool


S = TypeVar("S", bound=Paced)


def timed(method: Callable[Concatenate[S, P], R]) -> Callable[Concatenate[S, P], R]:
    """``method`` with each of its calls noted."""

    @wraps(method)
    def call(self: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
        pace = self.pace
        before, began = pace.before() if pace.suspect else NOTHING, pace.clock()
        try:
            return method(self, *args, **kwargs)
        finally:
            if pace.suspect or pace.clock() - began > LIMIT:
                pace.note(began, before)
                self.inline = pace.quick

    return call


class TimedSteps(Iterator[R]):
    """``steps``, each of them noted as a call as long as the store is quick; in threads they may take their time."""

    __slots__ = ("_store", "steps")

    def __init__(self, store: Paced, steps: Iterator[R]) -> None:
        self._store = store
        self.steps = steps

    def __next__(self) -> R:
        store = self._store
        pace = store.pace
        before, began = pace.before(), pace.clock()
        try:
            return next(self.steps)
        finally:
            if pace.quick:
                pace.note(began, before)
                store.inline = pace.quick
