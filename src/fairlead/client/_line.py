"""The control connection as what goes over it: commands out, replies in, each within its time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from fairlead.client._wire import Address, Stream, Wire
from fairlead.client.settings import Settings
from fairlead.client.trace import CommandSent, ControlClosed, Record, ReplyReceived, Trace, show_command, show_duration
from fairlead.errors import DeadlineError, ProtocolError, SessionLost
from fairlead.proto.reply import Reply, ReplyParser

_SERVICE_ENDS = 421
FINAL = 200
"""The lowest code of a reply that no other one follows."""
NOOP_DONE = 200
_BEAT_ANSWERS = {NOOP_DONE, 500, 501, 502, 503, 504, 530}
"""What may answer NOOP during a transfer, whose own reply is none of these once it has begun."""
_TRACELESS = frozenset(
    "ABOR CDUP CWD EPRT EPSV FEAT HELP LIST MDTM MLSD MLST NLST NOOP PASV PORT PWD".split()
    + "REST RETR SIZE STAT SYST TYPE".split()
)
"""Commands that a new session need not repeat, beside CWD, CDUP and TYPE."""


class Line:
    """A connection that carries commands and replies, and how many of these are still owed."""

    def __init__(self, wire: Wire, stream: Stream, settings: Settings, trace: Trace | None) -> None:
        self.wire = wire
        self.stream = stream
        self.settings = settings
        self.lost = ""
        """Why the session is over; empty while it lives."""
        self.traceless = True
        """Whether nothing was sent since the login that a new session would not know of."""
        self._trace = trace
        self._parser = ReplyParser()
        self._replies: deque[Reply] = deque()
        self._owed = 0
        self._beats = 0
        """How many answers to a NOOP during a transfer are still to come; they are owed as well."""
        self._asked = "the greeting", ""
        """The command whose reply comes next, as a verb and an argument."""
        self._octets = bytearray(16384)
        self._buffer = memoryview(self._octets)

    @property
    def peer(self) -> Address:
        """The server's end."""
        return self.stream.peer

    @property
    def local(self) -> Address:
        """Our end."""
        return self.stream.local

    @property
    def _last(self) -> str:
        """What the reply that comes next belongs to, as a person may see it."""
        return show_command(*self._asked)

    @property
    def at_hand(self) -> bool:
        """Whether the next reply need not be waited for: it came together with one before."""
        return bool(self._replies)

    @property
    def traced(self) -> bool:
        """Whether anybody wants records."""
        return self._trace is not None

    def tell(self, record: Record) -> None:
        """Hand ``record`` to whoever watches."""
        if self._trace is not None:
            self._trace(record)

    async def receive(self, timeout: float | None = None) -> Reply:
        """The next reply, due within ``timeout`` seconds, or within ``reply_timeout``.

        Raises SessionLost (421 included), DeadlineError, ProtocolError.
        """
        patience = self.settings.reply_timeout if timeout is None else timeout
        reply = await self.receive_within(patience)
        if reply is None:
            raise self._overdue(patience)
        return reply

    async def receive_final(
        self, timeout: float | None = None, *, heed: Callable[[Reply], None] | None = None
    ) -> Reply:
        """As :meth:`receive`, of a reply that is not preliminary; those that are may come before, and buy no time.

        ``heed`` is called with them.
        """
        patience = self.settings.reply_timeout if timeout is None else timeout
        reply = self.take() if self._replies else None
        if reply is None or reply.code < FINAL:
            if reply is not None and heed is not None:
                heed(reply)
            reply = await self._final_within(patience, heed)
        if reply is None:
            raise self._overdue(patience)
        return reply

    async def receive_within(self, timeout: float) -> Reply | None:
        """The next reply, None when ``timeout`` seconds passed without one, whatever else came."""
        deadline = self.wire.now() + timeout
        left = timeout
        while True:
            if self._replies and (reply := self.take()) is not None:
                return reply
            if self.lost:
                raise self._over()
            # A reply that was asked for just now takes a while: nothing is read before it is here.
            if not await self.wire.wait_any(readers=(self.stream,), timeout=left):
                return None
            if (reply := self.take()) is not None:
                return reply
            left = deadline - self.wire.now()
            if left <= 0:
                return None

    def take(self) -> Reply | None:
        """The next reply if it is here already. Raises SessionLost, ProtocolError.

        None may also mean that a part of one is here: one that never ends has no right to all of our time.
        """
        if self.lost:
            raise self._over()
        if not self._replies:
            try:
                size = self.stream.receive_into(self._buffer)
            except OSError as error:
                raise self._broken(error) from error
            if size is None:
                return None
            self._hear(size)
        while self._replies:
            reply = self._replies.popleft()
            if self._trace is not None:
                self._trace(ReplyReceived(reply))
            code = reply.code
            if self._owed and code >= FINAL:
                self._owed -= 1
            if code == _SERVICE_ENDS:
                self.lose(f"421 {reply.text}")
                raise SessionLost(f"the server ended the session: 421 {reply.text}")
            if not self._beats or code not in _BEAT_ANSWERS:
                return reply
            self._beats -= 1
        return None

    def hang_up(self) -> None:
        """End the session under whoever waits for a reply, who then raises SessionLost and closes."""
        self.lost = self.lost or "it was closed"
        self.stream.hang_up()

    def lose(self, reason: str, *, by: str = "us") -> None:
        """Give the connection up; ``reason`` is what later commands are told, ``by`` as in ControlClosed."""
        if not self.lost:
            self.lost = reason
            self.tell(ControlClosed(by, reason))
        self.stream.close()

    async def _final_within(self, timeout: float, heed: Callable[[Reply], None] | None = None) -> Reply | None:
        deadline = self.wire.now() + timeout
        while (reply := await self.receive_within(deadline - self.wire.now())) is not None and reply.code < FINAL:
            if heed is not None:
                heed(reply)
        return reply

    def _overdue(self, patience: float) -> DeadlineError:
        message = f"no reply to {self._last} within {show_duration(patience)}"
        self.lose(message)
        return DeadlineError(message)

    async def _send(self, verb: str, argument: str, line: bytes) -> None:
        self._announce(verb, argument)
        await self._send_octets(line)

    def _announce(self, verb: str, argument: str) -> None:
        if self.lost:
            raise self._over()
        if self.traceless and verb.upper() not in _TRACELESS:
            self.traceless = False
        self._asked = verb, argument
        if self._trace is not None:
            self._trace(CommandSent(self._last))
        self._owed += 1

    async def _send_octets(self, octets: bytes) -> None:
        stream, rest = self.stream, memoryview(octets)
        try:
            sent = stream.send(rest) or 0
            if sent == len(rest) and stream.flush():
                return
        except OSError as error:
            raise self._broken(error) from error
        await self._send_rest(rest[sent:])

    async def _send_rest(self, rest: memoryview) -> None:
        deadline = self.wire.now() + self.settings.reply_timeout
        while rest or not self._flush():
            sent = self._send_now(rest)
            rest = rest[sent:]
            stuck = rest or not self._flush()
            if stuck and not await self.wire.wait_any(writers=(self.stream,), timeout=deadline - self.wire.now()):
                message = f"the server takes no more commands; {self._last} could not be sent"
                self.lose(message)
                raise DeadlineError(message)

    def _send_now(self, octets: bytes | memoryview) -> int:
        try:
            return self.stream.send(memoryview(octets)) or 0
        except OSError as error:
            raise self._broken(error) from error

    def _flush(self) -> bool:
        try:
            return self.stream.flush()
        except OSError as error:
            raise self._broken(error) from error

    def _hear(self, size: int) -> None:
        """The octets that were received are replies; none are the end of the connection."""
        if not size:
            self.lose("the server closed the control connection", by="the server")
            raise SessionLost(f"the server closed the control connection after {self._last}")
        try:
            self._replies.extend(self._parser.feed(bytes(self._buffer[:size])))
        except ProtocolError as error:
            self.lose(str(error))
            raise

    def _broken(self, error: OSError) -> SessionLost:
        self.lose(f"the control connection broke: {error.strerror or error}", by="")
        return SessionLost(f"the control connection broke after {self._last}: {error.strerror or error}")

    def _alive(self) -> None:
        if self.lost:
            raise self._over()

    def _over(self) -> SessionLost:
        self.stream.close()
        return SessionLost(f"the session is over ({self.lost}); connect again")
