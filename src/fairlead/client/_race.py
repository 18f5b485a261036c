"""Finding the way to a transfer's data connection under ``auto``, with deadlines drawn from the round trip.

What may overlap and what can't decides the order. A session has one data port, so a second PASV ends what the first
one agreed on: calls to the server follow one another, each with little patience, since a further call to another port
serves as well as a repeated SYN, and finds the open half of a range. That the server calls us is tried beside that, in
a second session (:mod:`fairlead.client._scout`), and only what is known to work is asked of the user's own one. Once
every way has failed quickly, calls are made again with patience, which is what a lossy or slow path needs.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Generic, NamedTuple, TypeVar

from fairlead.client._control import Control
from fairlead.client._data import Channel, DataPorts
from fairlead.client._scout import Scout
from fairlead.client._ways import Failure, Mode, Verdict, Way
from fairlead.client._wire import Source
from fairlead.client.settings import Settings
from fairlead.client.trace import ModeFailed, ModeProbed
from fairlead.errors import FairleadError
from fairlead.reach.cause import Cause

T = TypeVar("T")
_CALLS = 12
"""Calls to ports of the server before they are taken to be closed, all of them."""
_CALLS_BEFORE_THE_RISK = 4
"""Calls before the user's own session is risked."""
_BY_PROXY = 10.0
"""Seconds that a proxy has for a connection while there is another mode to try."""
_SILENCE = {Cause.PASSIVE_DROPPED, Cause.PASSIVE_PRIVATE_ADDRESS}


class Deadlines(NamedTuple):
    """Seconds of patience."""

    quick: float
    """For an answer to our call, while other ways are left."""
    sure: float
    """For a call, ours or the server's, that should be answered: one lost SYN is repeated after a second."""
    round: float
    """For all ways to be tried quickly."""
    long: float
    """For each call after that."""
    last: float
    """For the one way that there is."""

    @classmethod
    def of(cls, round_trip: float, settings: Settings) -> Deadlines:
        """What the round trip of the control connection allows.

        By way of a proxy it tells nothing of how long a connection takes. A proxy says what failed, so that there is
        little to gain by haste.
        """
        most = settings.connect_timeout
        if settings.tunnel is not None:
            return cls(quick=min(most, _BY_PROXY), sure=most, round=most, long=most, last=most)
        return cls(
            quick=min(most, max(0.25, 0.1 + 3 * round_trip)),
            sure=min(most, 1.25 + 3 * round_trip),
            round=min(most, 2.5 + 6 * round_trip),
            long=min(most, 3.5 + 6 * round_trip),
            last=most,
        )


class Race(Generic[T]):
    """The search for one transfer's data connection.

    ``attempt`` makes the transfer over a channel that came about, with so many seconds of patience for the server's
    call; a failure leads to the next way. ``probe`` makes a scout; it raises FairleadError where it can't. ``renew``
    puts a new session in the place of one whose server hears nothing any more, and says whether it could; None where
    the command must not be sent a second time.
    """

    def __init__(
        self,
        control: Control,
        ports: DataPorts,
        deadlines: Deadlines,
        *,
        attempt: Callable[[Channel, float], Awaitable[T | Failure]],
        probe: Callable[[], Awaitable[Scout]],
        renew: Callable[[], Awaitable[bool]] | None,
        began: float,
    ) -> None:
        self.failures: list[Failure] = []
        self._control = control
        self._ports = ports
        self._ways = ports.ways
        self._deadlines = deadlines
        self._attempt = attempt
        self._probe = probe
        self._renew = renew
        self._scouts: dict[Way, Scout] = {}
        self._blind: set[Way] = set()
        """Ways that no scout could find anything out about."""
        self._seen: set[Way] = set()
        """Ways in which a scout was called."""
        self._deaf = False
        self._calls = 0
        self._began = began

    async def run(self, failed: Failure | None = None) -> T | None:
        """What the transfer came to, None when no way led to a data connection.

        ``failed`` is what became of a first call, where there was one since the transfer ``began``.
        """
        if failed is not None:
            self._calls += 1
            self._failed(failed)
        try:
            # What an earlier transfer left behind takes its time to end, be the server deaf or only slow.
            if not await self._in_step(self._deadlines.long):
                return None
            result = await self._quickly(set() if failed is None else {failed.way})
            if result is None:
                result = await self._patiently()
            for way in list(self._scouts):
                failure = self._scouts[way].give_up()
                self._dismiss(way, failure, failure.reason)
        finally:
            self._call_off()
        return result

    async def _quickly(self, tried: set[Way]) -> T | None:
        while untried := [way for way in self._ways.candidates() if way not in tried]:
            tried.add(untried[0])
            if (result := await self._first_try(untried[0], last=len(untried) == 1)) is not None:
                return result
        while self._ways.uncalled and self._calls < _CALLS and self._elapsed < self._deadlines.round:
            if (result := await self._call_again()) is not None:
                return result
        return None

    async def _first_try(self, way: Way, *, last: bool) -> T | None:
        if way.mode.passive:
            sure = self._ways.trusts(way) and not self._ways.patchy
            return await self._call(way, self._deadlines.sure if sure else self._deadlines.quick)
        if self._ways.proven(way):
            return await self._be_called(way, self._deadlines.long)
        if self._ways.trusts(way) and self._renew is not None:
            return await self._be_called(way, 2 * self._deadlines.quick)
        if self._ways.uncalled or self._ways.trusts(way):
            return await self._scout(way)
        return await self._be_called(way, self._deadlines.last if last else self._deadlines.sure)

    async def _patiently(self) -> T | None:
        """What met silence may only have met a slow or lossy path, and what was seen to work may do so again."""
        silent = {failure.way for failure in self.failures if failure.cause in _SILENCE}
        for way in sorted(self._ways.candidates(), key=lambda way: way not in self._seen):
            result = None
            if way in self._seen:
                result = await self._be_called(way, self._deadlines.long)
            elif way in silent:
                result = await self._call(way, self._deadlines.long)
            if result is not None:
                return result
        return None

    async def _call_again(self) -> T | None:
        """Another port, by the passive ways in turn; while somebody scouts, no sooner than silence would take."""
        passive = [way for way in map(Way, Mode) if way.mode.passive and way in self._ways.candidates()]
        if not passive:
            self._calls = _CALLS
            return await self._watch(self._deadlines.quick)
        return await self._call(passive[self._calls % len(passive)], self._deadlines.quick)

    async def _call(self, way: Way, patience: float) -> T | None:
        self._calls += 1
        if not await self._in_step(self._deadlines.quick):
            return None
        calling = await self._ports.call(way)
        if isinstance(calling, Failure):
            self._failed(calling)
            return await self._watch(patience)
        deadline = self._control.wire.now() + patience
        try:
            answered, called = await self._wait(patience, calling.call)
        except BaseException:
            calling.call.close()
            raise
        if called is not None and not answered:
            self._ports.drop(calling)
            return await self._be_called(called, self._deadlines.long)
        channel = self._ports.settle(calling, answered=answered)
        if isinstance(channel, Channel):
            return await self._try(channel, self._deadlines.last)
        self._failed(channel)
        return await self._watch(deadline - self._control.wire.now())

    async def _watch(self, patience: float, *, until_agreed: Way | None = None) -> T | None:
        """Wait for scouts alone; no longer than until the server agreed to call one of them."""
        called = None
        if self._scouts and patience > 0:
            _, called = await self._wait(patience, until_agreed=until_agreed)
        return None if called is None else await self._be_called(called, self._deadlines.long)

    async def _be_called(self, way: Way, patience: float) -> T | None:
        if not await self._in_step(self._deadlines.quick):
            return None
        channel = await self._ports.listen(way, patience)
        if isinstance(channel, Failure):
            self._failed(channel)
            return None
        return await self._try(channel, patience)

    async def _try(self, channel: Channel, patience: float) -> T | None:
        self._call_off()
        result = await self._attempt(channel, patience)
        if not isinstance(result, Failure):
            self._ways.worked(channel.way)
            return result
        self._failed(result)
        return None

    async def _scout(self, way: Way) -> T | None:
        """Send a scout out, and go on calling the server while it waits."""
        while self._ways.patchy and self._calls < _CALLS_BEFORE_THE_RISK:
            if (result := await self._call_again()) is not None:
                return result
        failure: Failure | None = None
        try:
            scout = self._scouts[way] = await self._probe()
            self._control.tell(ModeProbed(str(way), "waiting for the server's call"))
            failure = await scout.ask(way)
        except FairleadError as error:
            self._dismiss(way, None, str(error))
            return await self._without_scout(way)
        if failure is not None:
            self._dismiss(way, failure, failure.reason)
            return None
        until = self._control.wire.now() + self._deadlines.sure
        result = await self._watch(self._deadlines.quick, until_agreed=way)
        while result is None and way in self._scouts and self._control.wire.now() < until:
            result = await (self._call_again() if self._calls < _CALLS else self._watch(self._deadlines.quick))
        if result is not None:
            return result
        return await self._without_scout(way) if way in self._blind else None

    async def _without_scout(self, way: Way) -> T | None:
        """Ask for the server's call in the user's own session, once the other ways had a second chance."""
        while self._calls < _CALLS_BEFORE_THE_RISK:
            if (result := await self._call_again()) is not None:
                return result
        return await self._be_called(way, self._deadlines.sure)

    async def _wait(
        self, patience: float, call: Source | None = None, *, until_agreed: Way | None = None
    ) -> tuple[bool, Way | None]:
        """Whether ``call`` was answered, and the way in which a scout was called, within so many seconds."""
        wire = self._control.wire
        deadline = wire.now() + patience
        while True:
            watched = {id(source): way for way, scout in self._scouts.items() for source in scout.sources}
            readers = [source for scout in self._scouts.values() for source in scout.sources]
            writers = [] if call is None else [call]
            ready = await wire.wait_any(readers=readers, writers=writers, timeout=deadline - wire.now())
            if not ready:
                return False, None
            if call is not None and any(source is call for source in ready):
                return True, None
            for way in dict.fromkeys(watched[id(source)] for source in ready):
                seen = await self._scouts[way].look()
                if seen is True:
                    self._seen.add(way)
                    self._dismiss(way, None, "the server called")
                    return False, way
                if isinstance(seen, Failure):
                    if seen.verdict is Verdict.BUSY:
                        self._blind.add(way)
                    self._dismiss(way, seen, seen.reason)
            waited_for = self._scouts.get(until_agreed) if until_agreed is not None else None
            if call is None and (not self._scouts or (until_agreed is not None and not _undecided(waited_for))):
                return False, None

    def _dismiss(self, way: Way, failure: Failure | None, outcome: str) -> None:
        if way in self._scouts:
            self._scouts.pop(way).close()
        self._control.tell(ModeProbed(str(way), outcome))
        if failure is not None:
            self.failures.append(failure)
            self._ways.note(failure)

    def _call_off(self) -> None:
        """Nobody needs to know any more whether the server calls; a transfer may last."""
        for way in list(self._scouts):
            self._dismiss(way, None, "not waited for")

    def _failed(self, failure: Failure) -> None:
        self.failures.append(failure)
        self._ways.note(failure)
        self._control.tell(ModeFailed(str(failure.way), failure.reason, failure.cause.value))

    async def _in_step(self, patience: float) -> bool:
        """Whether a command can be sent: not to a server that calls us in vain and hears nothing meanwhile."""
        if self._control.interrupted:
            self._deaf = not await self._control.abort(patience=patience)
            if self._deaf and self._renew is not None:
                self._deaf = not await self._renew()
        return not self._deaf

    @property
    def _elapsed(self) -> float:
        return self._control.wire.now() - self._began


def _undecided(scout: Scout | None) -> bool:
    return scout is not None and not scout.agreed
