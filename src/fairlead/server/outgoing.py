"""The outgoing half of a control connection: replies gather, and leave in one write.

They leave when the session has nothing more to do in this turn of the loop, so the 150 and 226 of a small file, or the
replies to a hundred pipelined commands, are one segment; through the transport, or through TLS that stands before it.
"""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, cast

from fairlead.events import ReplySent
from fairlead.server.stepping import Wait

if TYPE_CHECKING:
    from collections.abc import Callable

    from fairlead.proto.reply import Reply
    from fairlead.server.layer import TlsLayer
    from fairlead.server.server import Server
    from fairlead.server.session import Session


class Outgoing(asyncio.Protocol):
    """What a session says; who hears it is the business of the transport, or of TLS before it."""

    __slots__ = (
        "_clear",
        "_descriptor",
        "_drained",
        "_layer",
        "_out",
        "_running",
        "_server",
        "_transport",
        "_writing_paused",
        "encode",
        "session",
    )

    session: Session
    _descriptor: int
    """That of the connection."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._out: list[bytes] = []
        self._running = False
        """Whether commands are being run that came in this turn of the loop."""
        self._writing_paused = False
        self._drained: Wait | None = None
        self.encode: Callable[[Reply], bytes] | None = None
        """Makes replies in the session's language, None in English, in which events carry all of them."""

    def _connect(self, transport: asyncio.Transport) -> None:
        """Write to ``transport`` in clear."""
        self._transport: asyncio.Transport | TlsLayer = transport
        self._clear: asyncio.Transport | None = transport
        """The transport, where nothing comes before it."""
        self._layer: TlsLayer | None = None

    @property
    def protected(self) -> bool:
        """Whether there is TLS on the connection, also while it begins or ends."""
        return self._layer is not None

    def end_tls(self) -> None:
        """End TLS, if it is there, with the reply of the handler that calls this."""
        if self._layer is not None:
            self._layer.end_after_reply()

    def _put_under_tls(self, *, after_reply: bool) -> None:
        from fairlead.server.layer import TlsLayer  # noqa: PLC0415 - many servers have no TLS

        protection = self.session.protection
        assert self._server.certificates is not None
        host = self.session.named_host
        protection.context = self._server.certificates.session_context(host.names[0] if host is not None else "")
        tls = protection.context.begin()
        transport = cast("asyncio.Transport", self._transport)
        self._transport = self._layer = TlsLayer(
            self.session.reply_to, transport, protection, tls, self._in_clear_again, after_reply=after_reply
        )
        self._clear = None

    def _in_clear_again(self, transport: asyncio.Transport, data: bytes) -> None:
        self._connect(transport)
        if data:
            self.data_received(data)

    def encoded(self, reply: Reply) -> bytes:
        """``reply`` in the session's language, as it is sent."""
        return reply.encode() if self.encode is None else self.encode(reply)

    def send(self, reply: Reply) -> None:
        """Queue ``reply``; it leaves at the end of this turn."""
        self._out.append(reply.octets or reply.encode() if self.encode is None else self.encode(reply))
        events = self._server.events
        if events.routes[ReplySent]:
            session = self.session
            events.emit(ReplySent(session=session.number, peer=session.peer[0], code=reply.code, text=reply.text))

    def send_preliminary(self, reply: Reply) -> None:
        """Queue ``reply``; where the command began in an earlier turn, it leaves at once, for the client waits."""
        self.send(reply)
        if not self._running:
            self._flush()

    def invite(self, reply: Reply) -> None:
        """Send ``reply``, upon which the client sends data, at once: it does so while the data connection is taken."""
        self.send(reply)
        if self._clear is not None or not self._running:
            self._flush()

    @property
    def writing_paused(self) -> bool:
        """Whether the client has not read its replies for so long that no more can be written."""
        return self._writing_paused

    def send_octets(self, data: bytes) -> None:
        """Queue octets of a reply that is written piece by piece."""
        self._out.append(data)

    async def drained(self) -> None:
        """Write out what was sent so far, and wait until the client has taken most of it."""
        self._flush()
        if self._writing_paused:
            self._drained = Wait()
            try:
                await self._drained
            finally:
                self._drained = None

    def _flush(self) -> None:
        out = self._out
        if not out:
            return
        data = out[0] if len(out) == 1 else b"".join(out)
        out.clear()
        if self._transport.is_closing():
            return
        clear = self._clear
        if clear is not None and not clear.get_write_buffer_size():
            # The transport would write at the end of the turn; so there is time to clear up while the client reads.
            try:
                written = os.write(self._descriptor, data)
            except OSError:  # the transport finds the same, and closes or waits
                written = 0
            if written == len(data):
                return
            data = data[written:]
        self._transport.write(data)
