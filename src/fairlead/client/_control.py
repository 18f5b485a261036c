"""The control connection as the user-PI sees it: commands out, replies in, the two kept in step."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import cast

from fairlead.client._line import FINAL, NOOP_DONE, Line
from fairlead.client._security import shake_hands
from fairlead.client._wire import ProtectedStream, Protection, Stream, Wire
from fairlead.client.settings import Settings
from fairlead.client.trace import (
    SessionRenewed,
    TlsBegan,
    TlsEnded,
    Trace,
    show_command,
    show_duration,
)
from fairlead.errors import DeadlineError, PermanentError, ProtocolError, ReplyError, SessionLost, TransientError
from fairlead.proto.command import encode_command
from fairlead.proto.reply import Reply, ReplyParser
from fairlead.proto.sequences import legal

_TELNET_IP = b"\xff\xf4"
_TELNET_SYNCH = b"\xff\xf2"
_WALKS = frozenset({"CWD", "CDUP"})
_LANDMARK, _LANDMARK_DONE = "PWD", 257
"""A command whose reply is like no other's."""
_LATE_REPLY = 1.0
"""Seconds to wait for a reply that may not come at all."""
_UNASKED = 1000
"""Replies that nobody asked for, and that a server may send between two commands."""
_NOTICED, _LATEST_NOTICE = 0.25, 2.0
"""Seconds that a server gets, at least and at most, to notice that nobody takes its data any more."""
_FAREWELL = 3.0
"""Seconds that a 221 may take."""


def refused(reply: Reply, command: str) -> ReplyError:
    """The exception for a 4yz or 5yz reply."""
    kind = TransientError if reply.transient else PermanentError
    return kind(reply, command)


class Control(Line):
    """One control connection.

    Between two calls of :meth:`command` the replies are in step: whatever an interrupted command still has coming is
    read before the next one is sent (RFC 1123 section 4.1.4.4).
    """

    def __init__(
        self, wire: Wire, stream: Stream, settings: Settings, trace: Trace | None, *, round_trip: float = inf
    ) -> None:
        super().__init__(wire, stream, settings, trace)
        self.round_trip = round_trip
        """The shortest time in seconds from a question to its answer: one that was lost on the way took longer."""
        self.interrupted = False
        """Whether a transfer was left without its final reply, so that ABOR is due."""
        self.left_off = False
        """Whether it was left with its data connection closed, which the server will notice without ABOR, too."""
        self.protection: Protection | None = None
        """TLS of this connection, None while it is in clear."""
        self.epsv_promised = False
        """Whether the server agreed that no other command than EPSV sets up a data connection (RFC 2428 section 4)."""
        self.host_told = False
        """Whether the server knows by HOST which of its virtual hosts is meant (RFC 7151)."""
        self.data_protection: Protection | None = None
        """TLS of the data connections, None while they are in clear."""
        self.walked: list[tuple[str, str]] = []
        """The changes of the working directory since the login, or since one that led there from the root."""

    async def start_tls(self, protection: Protection) -> None:
        """Go on under TLS. Raises TlsError, CertificateError, SessionLost, DeadlineError.

        Replies that came in clear and were not asked for are nobody's word and are forgotten (RFC 4217 section 4.2).
        """
        self._parser = ReplyParser()
        self._replies.clear()
        self.stream = stream = protection.control(self.stream)
        try:
            done = await shake_hands(self.wire, stream, timeout=self.settings.reply_timeout)
        except OSError as error:
            self._asked = "the TLS handshake began", ""
            raise self._broken(error) from error
        if not done:
            message = f"the server did not finish the TLS handshake within {show_duration(self.settings.reply_timeout)}"
            self.lose(message)
            raise DeadlineError(message)
        self.protection = protection
        self.tell(TlsBegan("control", stream.security))

    async def end_tls(self) -> None:
        """CCC (RFC 4217 section 5): go on in clear, so that NATs can read along; data connections stay protected.

        Raises TransientError and PermanentError where the server does not agree, SessionLost, DeadlineError.
        """
        stream = cast("ProtectedStream", self.stream)
        await self.ask("CCC")
        patience = self.settings.reply_timeout
        deadline = self.wire.now() + patience
        try:
            while (ended := stream.unprotect()) is None:
                if not await self.wire.wait_any(readers=(stream,), timeout=deadline - self.wire.now()):
                    message = f"the server did not end TLS within {show_duration(patience)} after CCC"
                    self.lose(message)
                    raise DeadlineError(message)
        except OSError as error:
            raise self._broken(error) from error
        self.stream, unread = ended
        self._replies.extend(self._parser.feed(unread))
        self.protection = None
        self.tell(TlsEnded())

    async def command(self, verb: str, argument: str = "") -> Reply:
        """Send a command that needs no data connection, and return its final reply, whatever its code.

        Raises ArgumentError, with nothing sent, when the argument can't be one line; SessionLost; DeadlineError;
        ProtocolError on a 1yz reply where RFC 959 section 5.4 has none.
        """
        await self.send(verb, argument)
        asked, patience = self.wire.now(), self.settings.reply_timeout
        reply = await self.receive_within(patience)
        if reply is None:
            raise self._overdue(patience)
        if reply.code < FINAL:
            if not legal(verb, reply.code):
                message = f"the server answered {self._last} with {reply.code}, which announces what never comes"
                self.lose(message)
                raise ProtocolError(message)
            reply = await self.receive_final()
        self.round_trip = min(self.round_trip, self.wire.now() - asked)
        if verb.upper() in _WALKS and reply.completed:
            if argument.startswith("/"):
                self.walked.clear()
            self.walked.append((verb, argument))
        return reply

    async def ask(self, verb: str, argument: str = "") -> Reply:
        """As :meth:`command`. Raises TransientError on 4yz and PermanentError on 5yz."""
        reply = await self.command(verb, argument)
        if reply.transient or reply.permanent:
            raise refused(reply, show_command(verb, argument))
        return reply

    async def commands(self, *asked: tuple[str, str]) -> list[Reply]:
        """Send several commands at once, none of which needs a data connection; returns the final reply to each.

        The server takes one after the other, whatever becomes of those before. Raises as :meth:`command` does.
        """
        await self._send_together(asked)
        return [await self.receive_final() for _ in asked]

    async def command_beside(self, asked: tuple[str, str], beside: tuple[str, str]) -> tuple[Reply, Reply | None]:
        """As :meth:`commands`, of two; None for the reply to the second one where the server swallowed it.

        A server may read one command at a time and drop what came with it. Where its reply takes long, that to PWD
        shows whether it is still to come.
        """
        await self._send_together((asked, beside))
        reply = await self.receive_final()
        answer = await self._final_within(max(_LATE_REPLY, 4 * self.round_trip))
        if answer is None:
            await self._send(_LANDMARK, "", encode_command(_LANDMARK))
            while (landmark := await self.receive_final()).code != _LANDMARK_DONE:
                answer = landmark
            self._owed = 0
        return reply, answer

    async def _send_together(self, asked: Sequence[tuple[str, str]]) -> None:
        octets = b"".join([encode_command(verb, argument) for verb, argument in asked])
        if not self._in_step:
            await self._settle()
        self.forget_unasked()
        for verb, argument in asked:
            self._announce(verb, argument)
        await self._send_octets(octets)

    async def send(self, verb: str, argument: str = "") -> None:
        """Send a command once the replies are in step."""
        await self._send_together(((verb, argument),))

    async def beat(self) -> None:
        """NOOP during a transfer, so that nothing on the way forgets the connection; nobody waits for the reply.

        Some servers answer at once, some after the transfer, some never: the reply is told from that to the transfer
        by its code, which the latter cannot have, and :meth:`send` catches up with those that are missing.
        """
        asked = self._asked
        await self._send("NOOP", "", encode_command("NOOP"))
        self._asked = asked
        self._beats += 1

    async def _catch_up(self) -> None:
        """See to the answers to :meth:`beat`; where one does not come, that to PWD shows where they end."""
        deadline = self.wire.now() + _LATE_REPLY
        while self._beats and (left := deadline - self.wire.now()) > 0:
            if self.take() is None and self._beats:
                await self.wire.wait_any(readers=(self.stream,), timeout=left)
        if self._beats:
            await self._send(_LANDMARK, "", encode_command(_LANDMARK))
            while (await self.receive()).code != _LANDMARK_DONE:
                pass
        self._beats = self._owed = 0

    def adopt(self, other: Control) -> None:
        """Go on with the connection of ``other``, a session of the same user; ours is reset."""
        self.stream.abort()
        self.stream, self.protection, self.data_protection = other.stream, other.protection, other.data_protection
        self._parser, self._replies, self._owed = other._parser, other._replies, other._owed
        self.interrupted = False
        self.tell(SessionRenewed(self.local))

    async def abort(self, *, patience: float | None = None) -> bool:
        """End whatever is in progress by ABOR; whether the replies are in step afterwards.

        They are, or DeadlineError is raised, unless ``patience`` says how many seconds the answer to NOOP may take:
        some servers hear nothing while they call a client that does not answer.

        IP and Synch go first, as urgent data (RFC 959 section 4.1.3, RFC 1123 section 4.1.2.12). Servers answer with
        426 and 226, with 225 alone, with 426 alone, or not at all (Pure-FTPd, when nothing is in progress any more): a
        NOOP behind it shows where the answers to ABOR end.
        """
        self.interrupted = False
        self._alive()
        try:
            self._send_now(_TELNET_IP)
            self.stream.send_urgent(_TELNET_SYNCH)
        except OSError as error:
            raise self._broken(error) from error
        await self._send("ABOR", "", encode_command("ABOR"))
        await self._final_within(_LATE_REPLY if patience is None else min(patience, _LATE_REPLY))
        landmark, done = (_LANDMARK, _LANDMARK_DONE) if self._beats else ("NOOP", NOOP_DONE)
        await self._send(landmark, "", encode_command(landmark))
        deadline = self.settings.reply_timeout if patience is None else patience
        answered = False
        while self._owed:
            reply = await self._final_within(_LATE_REPLY if answered else deadline)
            if reply is None and not answered:
                if patience is None:
                    raise self._overdue(deadline)
                return False
            if reply is None or reply.code == done:
                break
            answered = answered or reply.permanent  # to ABOR or to NOOP, which a server need not have
        self._owed = self._beats = 0
        return True

    async def quit(self) -> None:
        """Say QUIT, wait briefly for 221, and close; a server that just closes is fine too."""
        try:
            if not self.lost and not self.interrupted and not self._owed:
                await self._send("QUIT", "", encode_command("QUIT"))
                await self.receive_within(_FAREWELL)
        except (SessionLost, ProtocolError):
            return
        finally:
            self.lose("it was closed")

    @property
    def _in_step(self) -> bool:
        """Whether no reply is due that nobody waited for."""
        return not (self._owed or self.interrupted or self._beats or self.left_off)

    async def _settle(self) -> None:
        if self.left_off and self.interrupted:
            patience = min(max(_NOTICED, 4 * self.round_trip), _LATEST_NOTICE)
            self.interrupted = await self._final_within(patience) is None
        self.left_off = False
        if self.interrupted:
            await self.abort()
        if self._beats:
            await self._catch_up()
        while self._owed:
            await self.receive_final()

    def forget_unasked(self) -> None:
        """Drop the replies that are here and that nobody asked for. Raises SessionLost, ProtocolError."""
        if self.lost:
            raise self._over()
        if not self._replies and not self.stream.readable:
            return
        for _ in range(_UNASKED):
            if self.take() is None:
                return
        message = "the server goes on sending replies that nobody asked for; try another one"
        self.lose(message)
        raise ProtocolError(message)
