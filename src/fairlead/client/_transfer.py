"""A session's transfers: the way to a data connection for each, and what comes of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from fairlead.client._blame import no_data_connection
from fairlead.client._control import Control
from fairlead.client._data import Channel, DataPorts, Question
from fairlead.client._exchange import Exchange, Outcome
from fairlead.client._flow import Flow
from fairlead.client._memory import Memory, network_of
from fairlead.client._race import Deadlines, Race
from fairlead.client._scout import Scout
from fairlead.client._ways import Failure, Way
from fairlead.client.settings import Settings
from fairlead.client.trace import (
    ModeFailed,
    ModeRecalled,
    ModeRemembered,
)
from fairlead.errors import DataConnectionError, DeadlineError, SessionLost

_CHANGING_NOTHING = {"LIST", "MLSD", "NLST", "RETR"}
_BUFFER = 512 * 1024


class Transfers:
    """Makes a session's transfers, one after the other.

    ``server`` is what a person calls the server by, ``another`` logs in to it once more, ``renew`` puts a new session
    in the place of this one, if it can.
    """

    def __init__(
        self,
        control: Control,
        ports: DataPorts,
        settings: Settings,
        *,
        server: str,
        another: Callable[[], Awaitable[Control]],
        renew: Callable[[], Awaitable[bool]],
        memory: Memory | None,
    ) -> None:
        self._control = control
        self._ports = ports
        self._settings = settings
        self._server = server
        self._another = another
        self._renew = renew
        self._memory = memory
        self._recalled: str | None = None
        self._remembered: str | None = None
        """The mode that was written down last."""
        self.unconfirmed: Outcome | None = None
        """The last transfer, where all octets went over and the final reply never came."""
        self._drawn: Deadlines | None = None
        self._drawn_from = 0.0
        self._restart_pending = False
        self._buffer = memoryview(b"")
        self._kept: Channel | None = None
        """The data connection that the server left open behind the last transfer (250)."""

    def drop(self) -> None:
        """Let go of a data connection that was left open."""
        kept, self._kept = self._kept, None
        if kept is not None:
            kept.close()

    async def perform(
        self, verb: str, argument: str, flow: Flow, *, restart: int = 0, question: Question | None = None
    ) -> Outcome:
        """Run the command ``verb``; ``restart`` is the offset to ask for by REST, which the server may refuse.

        The answer to ``question`` is here before ``verb`` goes out; where the way is sure, nobody waits for it.

        Raises ReplyError when the server refuses the command, DataConnectionError when no way gave a data connection,
        TransferError when the transfer began and did not end well, SessionLost, DeadlineError, and whatever the flow
        raises; after the last, ABOR goes out before the next command. After SessionLost and DeadlineError
        :attr:`unconfirmed` tells whether all octets had gone over.
        """
        self.unconfirmed = None

        if self._kept is not None and (channel := self._take_kept(flow)) is not None:
            result = await self._attempt(channel, verb, argument, flow, restart, self._settings.connect_timeout)
            if isinstance(result, Outcome):
                return result
        began, way = self._control.wire.now(), self._ports.ways.sure
        failed: Failure | None = None
        if way is None or self._control.interrupted:
            if question is not None:
                question.heed(await self._control.command(question.verb, question.argument))
        else:
            deadlines = self._deadlines()
            patience = deadlines.sure if self._settings.mode == "auto" else deadlines.last
            made = await self._ports.open(way, patience, question)
            if isinstance(made, Channel):
                result = await self._attempt(made, verb, argument, flow, restart, deadlines.last)
                if isinstance(result, Outcome):
                    return result
                failed = result
            else:
                failed = made
        return await self._find(verb, argument, flow, restart, began, failed)

    def _deadlines(self) -> Deadlines:
        """What the round trip allows, which gets shorter ever more rarely."""
        if self._drawn_from != self._control.round_trip or self._drawn is None:
            self._drawn_from = self._control.round_trip
            self._drawn = Deadlines.of(self._drawn_from, self._settings)
        return self._drawn

    async def _find(
        self, verb: str, argument: str, flow: Flow, restart: int, began: float, failed: Failure | None
    ) -> Outcome:
        """As :meth:`perform`, where no way is sure to serve; ``failed`` is the one that was, until now."""

        async def attempt(channel: Channel, patience: float) -> Outcome | Failure:
            return await self._attempt(channel, verb, argument, flow, restart, patience)

        if self._settings.mode != "auto":
            return await self._in_turn(attempt, failed)
        self._recall()
        deadlines = self._deadlines()
        renew = self._renew if verb in _CHANGING_NOTHING else None
        race = Race(self._control, self._ports, deadlines, attempt=attempt, probe=self._scout, renew=renew, began=began)
        outcome = await race.run(failed)
        self._remember(outcome)
        if outcome is None:
            raise self._no_data_connection(race.failures)
        return outcome

    async def _in_turn(
        self, attempt: Callable[[Channel, float], Awaitable[Outcome | Failure]], failed: Failure | None
    ) -> Outcome:
        """The one mode that was chosen; in more than one way where the server has addresses of both families."""
        ways, deadlines = self._ports.ways, self._deadlines()
        failures: list[Failure] = []
        untried = ways.candidates()
        if failed is not None:
            untried = self._without(failed, untried)
            failures.append(failed)
        while untried:
            way = untried.pop(0)
            patience = deadlines.sure if untried else deadlines.last
            channel = await self._ports.open(way, patience)
            result = channel if isinstance(channel, Failure) else await attempt(channel, patience)
            if isinstance(result, Outcome):
                ways.worked(way)
                return result
            untried = self._without(result, untried)
            failures.append(result)
        raise self._no_data_connection(failures)

    def _without(self, failure: Failure, untried: Sequence[Way]) -> list[Way]:
        """What is left of ``untried`` after ``failure``."""
        self._ports.ways.note(failure)
        self._control.tell(ModeFailed(str(failure.way), failure.reason, failure.cause))
        still = self._ports.ways.candidates()
        return [way for way in untried if way in still and way != failure.way]

    def _take_kept(self, flow: Flow) -> Channel | None:
        """The data connection that was left open, if ``flow`` marks its end, too, and the server did not close it."""
        kept = self._kept
        if kept is None or not flow.marks_its_end or not _stands(kept):
            self.drop()
            return None
        self._kept = None
        return kept

    async def _scout(self) -> Scout:
        control = await self._another()
        return Scout(control, DataPorts(control, self._settings, {}))

    def _recall(self) -> None:
        if self._memory is None or self._recalled is not None or self._settings.epsv_all:
            return
        self._recalled = self._memory.recall(self._server, network_of(self._control.local[0])) or ""
        if self._recalled and self._ports.ways.prefer(self._recalled):
            self._control.tell(ModeRecalled(self._recalled))

    def _remember(self, outcome: Outcome | None) -> None:
        mode = None if outcome is None else outcome.mode
        if self._memory is None or (mode is not None and mode == self._remembered):
            return
        network = network_of(self._control.local[0])
        self._remembered = mode
        if mode is None:
            self._memory.forget(self._server, network)
        elif self._memory.remember(self._server, network, mode):
            self._control.tell(ModeRemembered(mode))

    async def _attempt(
        self, channel: Channel, verb: str, argument: str, flow: Flow, restart: int, patience: float
    ) -> Outcome | Failure:
        exchange = Exchange(self._control, channel, flow)
        offset = 0
        try:
            if restart or self._restart_pending:
                offset = await self._restart(restart)
            flow.begin(offset)
            await self._control.send(verb, argument)
            self._control.interrupted = True  # until the final reply is here
            failure = await exchange.open(patience)
            if failure is None and not exchange.failed:
                self._restart_pending = False
                if not self._buffer:
                    self._buffer = memoryview(bytearray(_BUFFER))
                exchange.buffer = self._buffer[: exchange.piece]
                await exchange.move()
        except (SessionLost, DeadlineError):
            self.unconfirmed = exchange.outcome(offset) if flow.whole else None
            raise
        finally:
            if exchange.over:
                self._control.interrupted = False
            if exchange.kept:
                self._kept = channel
            elif exchange.over or flow.whole:
                channel.close()
            else:
                channel.abort()
        return failure or exchange.conclude(verb, argument, offset)

    async def _restart(self, offset: int) -> int:
        """The offset at which the next transfer will begin (RFC 3659 section 5)."""
        reply = await self._control.command("REST", str(offset))
        self._restart_pending = reply.intermediate and offset > 0
        return offset if reply.intermediate else 0

    def _no_data_connection(self, failures: Sequence[Failure]) -> DataConnectionError:
        return no_data_connection(failures, self._ports.ways, server=self._server, mode=self._settings.mode)


def _stands(channel: Channel) -> bool:
    """Whether the peer neither closed the data connection nor sent anything that nobody asked for."""
    assert channel.stream is not None
    try:
        return channel.stream.receive_into(memoryview(bytearray(1))) is None
    except OSError:
        return False
