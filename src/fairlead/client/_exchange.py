"""One transfer over a data connection that was agreed upon: from its command to its final reply."""

from __future__ import annotations

import re
from math import inf
from typing import NamedTuple

from fairlead.client._control import Control, refused
from fairlead.client._data import Channel, named_cause, uncalled_cause
from fairlead.client._flow import Flow, Mark, Outflow
from fairlead.client._security import ADVICE
from fairlead.client._ways import Failure, Verdict
from fairlead.client._wire import ProtectedStream, Protection, Source, Stream
from fairlead.client.trace import (
    DataClosed,
    TlsBegan,
    show_command,
    show_duration,
    show_reply,
)
from fairlead.errors import CertificateError, DataConnectionError, SessionLost, TlsError, TransferError
from fairlead.proto.entry import parse_size
from fairlead.proto.reply import Reply
from fairlead.reach.cause import Cause

_NO_DATA_CONNECTION = 425
_DATA_CONNECTION_BROKE = 426
_KEPT_OPEN = 250
_FINAL = 200
"""The lowest code of a reply that ends a transfer."""
_MARKER = 110
_MARKER_TEXT = re.compile(r"MARK\s+(\d{1,20})\s*=\s*(\S+)", re.IGNORECASE)
_PIECE = 4 << 20
_LAST_WORD = 1.0
"""Seconds that a server gets to say why TLS failed."""
_LAST_DATA = 5.0
"""Seconds that the data may stand still once the control connection has ended."""
_SIZE_ANNOUNCED = re.compile(r"\((\d+) bytes\)")


class Outcome(NamedTuple):
    """A transfer that ended well. ``offset`` is where it began, ``size`` what was moved, ``opening`` the 1yz reply."""

    mode: str
    opening: Reply | None
    reply: Reply | None
    """The final one; None where it never came."""
    offset: int
    size: int
    seconds: float
    tls_resumed: bool | None
    """Whether the data connection resumed the control connection's TLS session; None without TLS."""
    marks: tuple[Mark, ...] = ()
    """Restart markers that came in the data, or that the server answered ours with."""


def announced_size(opening: Reply | None) -> int | None:
    """The octets that the reply which began a transfer says will come; None where it says nothing of that."""
    told = None if opening is None else _SIZE_ANNOUNCED.search(opening.text)
    return parse_size(told[1]) if told else None


class Exchange:
    """A transfer from its command to its final reply; the data and the replies come in any order."""

    buffer = memoryview(b"")
    _lost: SessionLost | None = None
    """How the control connection ended while the data went on."""
    _opening: Reply | None = None
    _final: Reply | None = None
    _broke: OSError | None = None
    _resumed: bool | None = None
    _seen = (-1, 0.0)
    """The octets that had moved when somebody looked, and when that was."""

    def __init__(self, control: Control, channel: Channel, flow: Flow) -> None:
        self._control = control
        self._channel = channel
        self._flow = flow
        self._settings = settings = control.settings
        self._began = now = control.wire.now()
        self._next_beat = inf if settings.noop_interval is None else now + settings.noop_interval
        self.paced = settings.limit_rate is not None
        """See :class:`fairlead.client._flow.Exchange`."""

    @property
    def stream(self) -> Stream:
        assert self._channel.stream is not None
        return self._channel.stream

    @property
    def over(self) -> bool:
        return self._final is not None

    @property
    def kept(self) -> bool:
        """Whether the server leaves the data connection open for the next transfer (RFC 959 section 5.4)."""
        return self._flow.marked and self._broke is None and self._final is not None and self._final.code == _KEPT_OPEN

    @property
    def failed(self) -> bool:
        return self._final is not None and not self._final.completed

    async def open(self, patience: float) -> Failure | None:
        """Wait until the transfer begins: the server's call in active mode, and its first reply."""
        control = self._control
        if self._channel.stream is None and not await self._be_called(patience):
            reason = f"the server did not call within {show_duration(patience)}"
            return Failure(self._channel.way, Cause.ACTIVE_DROPPED, reason, Verdict.UNREACHED)
        if control.data_protection is not None:
            await self._protect(control.data_protection)
        while self._final is None and self._opening is None:
            self._note(await control.receive())
        if self._final is not None and self._final.code == _NO_DATA_CONNECTION:
            return self._not_connected(self._final)
        if self._flow.total is None and self._opening is not None:
            self._flow.total = announced_size(self._opening)
        self._began = control.wire.now()
        return None

    async def _be_called(self, patience: float) -> bool:
        """Whether the server called, or refused to transfer anything, within ``patience`` seconds."""
        wire, channel = self._control.wire, self._channel
        deadline = wire.now() + patience
        while channel.stream is None and not self.failed:
            assert channel.listener is not None
            readers: list[Source] = [channel.listener] if self.over else [channel.listener, self._control.stream]
            if not await wire.wait_any(readers=readers, timeout=deadline - wire.now()):
                return False
            self._notice()
            channel.answer(self._control)
        return True

    async def _protect(self, protection: Protection) -> None:
        """Begin TLS, which PROT P asks for.

        Some servers announce the transfer first and some begin with TLS, so both are waited for. A server that refuses
        has a word to say about it, which is more telling than how the handshake ended.
        """
        if self.failed or self._channel.protected:
            return
        self._channel.stream = stream = protection.data(self.stream)
        self._resumed = False
        try:
            await self._shake_hands(stream)
        except CertificateError:
            raise
        except (TlsError, OSError) as error:
            await self._hear_out()
            if not self.failed:
                message = f"TLS failed on the data connection: {getattr(error, 'strerror', None) or error}"
                raise DataConnectionError(Cause.DATA_TLS_FAILED, message) from error
        else:
            self._channel.protected = True
            if not self.failed:
                security = stream.security
                self._resumed = security.resumed
                self._control.tell(TlsBegan("data", security))

    async def _shake_hands(self, stream: ProtectedStream) -> None:
        wire, patience = self._control.wire, self._control.settings.reply_timeout
        deadline = wire.now() + patience
        while not stream.handshake():
            readers: list[Source] = [stream] if self.over else [stream, self._control.stream]
            writers = [stream] if stream.unsent else []
            if not await wire.wait_any(readers=readers, writers=writers, timeout=deadline - wire.now()):
                message = f"the server did not finish the handshake within {show_duration(patience)}"
                raise TlsError(message)
            self._notice()
            if self.failed:
                return

    async def _hear_out(self) -> None:
        deadline = self._control.wire.now() + _LAST_WORD
        while not self.over:
            reply = await self._control.receive_within(deadline - self._control.wire.now())
            if reply is None:
                return
            self._note(reply)

    async def move(self) -> None:
        """Move the data, then wait for the final reply."""
        if self.failed:
            return
        try:
            self._broke = await self._flow.run(self)
        except BaseException as error:
            self._tell_closed("us", error)
            raise
        sender = isinstance(self._flow, Outflow)
        if self._control.traced:
            ours = (sender and self._broke is None) or self._flow.enough
            self._tell_closed("us" if ours else "the server", self._broke)
        if not sender and not self._flow.marked:
            self._channel.close()  # some servers answer 226 only after that
        if self._lost is not None:
            raise self._lost
        if self._flow.enough:
            self._control.left_off = not self.over  # the next command sees to what the server says about that
            return
        if self._final is None:
            self._note(await self._control.receive_final(self._settings.final_timeout, heed=self._note))

    @property
    def piece(self) -> int:
        """See :class:`fairlead.client._flow.Exchange`."""
        rate = self._settings.limit_rate
        return _PIECE if rate is None else rate.piece

    async def pace(self, octets: int) -> None:
        """See :class:`fairlead.client._flow.Exchange`."""
        rate, wire = self._settings.limit_rate, self._control.wire
        if rate is not None and (pause := rate.take(octets, wire.now())):
            await wire.wait_any(timeout=pause)

    async def yield_turn(self) -> None:
        """See :class:`fairlead.client._flow.Exchange`."""
        await self._beat()
        await self._control.wire.yield_turn()

    async def wait(self, *, sending: bool) -> None:
        """See :class:`fairlead.client._flow.Exchange`."""
        if self._final is None and self._control.at_hand:
            self._hear()
            return
        stream = self.stream
        readers = [] if self.over or self._lost is not None else [self._control.stream]
        if not sending:
            readers.append(stream)
        writers = [stream] if sending else []
        patience = self._settings.data_timeout if self._lost is None else min(self._settings.data_timeout, _LAST_DATA)
        left = self._last_moved() + patience - self._control.wire.now()
        until_beat = self._next_beat - self._control.wire.now()
        pause = min(left, max(until_beat, 0.0))
        if left <= 0 or not await self._control.wire.wait_any(readers=readers, writers=writers, timeout=pause):
            if pause < left:
                await self._beat()
                return
            if self._lost is not None:
                raise self._lost
            moved = self._flow.moved
            raise TransferError(
                f"the data connection stood still for {show_duration(patience)} after {moved} bytes; try to resume",
                transferred=moved,
                cause=Cause.DATA_STALLED,
            )
        self._hear()

    async def _beat(self) -> None:
        """NOOP where it is due."""
        interval, now = self._settings.noop_interval, self._control.wire.now()
        if interval is None or now < self._next_beat:
            return
        self._next_beat = now + interval
        if not self.over and self._lost is None:
            try:
                await self._control.beat()
            except SessionLost as error:
                self._lost = error

    def _last_moved(self) -> float:
        """When the last data moved, as far as anybody looked: what the server says meanwhile is no progress."""
        if self._flow.moved != self._seen[0]:
            self._seen = self._flow.moved, self._control.wire.now()
        return self._seen[1]

    def _hear(self) -> None:
        """Take the replies that are here; when the control connection ends, the data may still come to its own end."""
        try:
            self._notice()
        except SessionLost as error:
            self._lost = error

    def conclude(self, verb: str, argument: str, offset: int) -> Outcome | Failure:
        """Judge the whole. Raises ReplyError, TransferError."""
        reply, flow = self._final, self._flow
        if flow.enough or (reply is not None and reply.completed and flow.whole):
            return self.outcome(offset)
        return self._complain(show_command(verb, argument), offset)

    def _complain(self, command: str, offset: int) -> Outcome | Failure:
        """As :meth:`conclude`, of what did not end as it should."""
        reply, moved = self._final, self._flow.moved
        assert reply is not None
        if not reply.completed:
            if self._opening is None:
                raise refused(reply, command)
            if reply.code == _NO_DATA_CONNECTION and not (moved and not isinstance(self._flow, Outflow)):
                return self._not_connected(reply)
            raise TransferError(
                f"the server broke off {command} after {moved} bytes: {show_reply(reply)}; "
                + (ADVICE.get(reply.code) or "try to resume"),
                transferred=moved,
                reply=reply,
                cause=Cause.DATA_CUT if reply.code == _DATA_CONNECTION_BROKE else None,
            )
        arrived = self._flow.identity and self._flow.total is not None and offset + moved == self._flow.total
        if not arrived or isinstance(self._flow, Outflow):
            why = self._broke.strerror or str(self._broke) if self._broke else "the server ended it early"
            raise TransferError(
                f"{command} is not whole, the data connection ended after {moved} bytes ({why}); try to resume",
                transferred=moved,
                reply=reply,
                cause=Cause.DATA_CUT,
            )
        return self.outcome(offset)

    def outcome(self, offset: int) -> Outcome:
        """What there is to tell of the transfer, which began at ``offset``."""
        mode, seconds = str(self._channel.way), self._control.wire.now() - self._began
        marks = tuple(self._flow.marks) if self._flow.marks else ()
        return Outcome(mode, self._opening, self._final, offset, self._flow.moved, seconds, self._resumed, marks)

    def _tell_closed(self, by: str, error: BaseException | None) -> None:
        if not self._control.traced:
            return
        seconds, broke, cause = self._control.wire.now() - self._began, "", ""
        if error is not None:
            broke = getattr(error, "strerror", None) or str(error) or type(error).__name__
            cause = Cause.DATA_CUT.value if error is self._broke else getattr(error, "evidence", {}).get("cause") or ""
        self._control.tell(DataClosed(by, self._flow.moved, seconds, broke, cause))

    def _not_connected(self, reply: Reply) -> Failure:
        passive = self._channel.listener is None
        cause = Cause.DATA_PEER_REFUSED if passive else uncalled_cause(self._control.wire.now() - self._began)
        if self._resumed is False:
            cause = Cause.DATA_TLS_NOT_RESUMED
        cause = named_cause(reply) or cause
        return Failure(self._channel.way, cause, f"the server answered {show_reply(reply)}", Verdict.UNREACHED)

    def _notice(self) -> None:
        while not self.over and (reply := self._control.take()) is not None:
            self._note(reply)

    def _note(self, reply: Reply) -> None:
        if reply.code >= _FINAL:
            self._final = reply
        elif reply.code == _MARKER:
            if match := _MARKER_TEXT.search(reply.text):
                self._flow.marks.append(Mark(int(match[1]), match[2]))
        elif self._opening is None:
            self._opening = reply
