"""TLS between a control connection and its transport.

While it is there, a :class:`TlsLayer` is the protocol of the transport and the transport of the
:class:`~fairlead.server.control.Control`, which knows nothing of octets in cipher. It comes with AUTH or with the
connection, and goes with CCC and REIN; the connection outlives it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from fairlead.errors import ProtocolError, TlsError
from fairlead.proto.client_hello import NO_APPLICATION_PROTOCOL, ClientHelloReader
from fairlead.server.certificates import PROTOCOL

if TYPE_CHECKING:
    from fairlead.server.control import Control
    from fairlead.server.protection import Protection
    from fairlead.tls import Tls


PATIENCE = 0.5
"""Seconds that a client has to end TLS after CCC and REIN before this end does."""
TICKETS_ALONE = "TLSv1.3"
"""The version whose clients wait for nothing after their last message: tickets can go along with the first reply."""
RECORD_TYPES = range(20, 24)
"""What the records of TLS begin with, and no command does."""


class TlsLayer(asyncio.Protocol):
    """See the module; ``detached`` is called when TLS has ended at both ends and the connection is in clear again."""

    __slots__ = (
        "_after",
        "_before",
        "_closing",
        "_control",
        "_detached",
        "_failed",
        "_held",
        "_hello",
        "_last",
        "_parting",
        "_peer_ended",
        "_protection",
        "_seen",
        "_tls",
        "_transport",
    )

    def __init__(
        self,
        control: Control,
        transport: asyncio.Transport,
        protection: Protection,
        tls: Tls,
        detached: Callable[[asyncio.Transport, bytes], None],
        *,
        after_reply: bool,
    ) -> None:
        self._control = control
        self._transport = transport
        self._protection = protection
        self._tls = tls
        self._detached = detached
        self._before = after_reply
        """The next write is in clear; what comes before it is no TLS and is dropped."""
        self._last = False
        """The next write is the last under TLS."""
        self._after = False
        """It is written; now TLS ends at both ends, in whatever order."""
        self._closing: asyncio.TimerHandle | None = None
        self._held: list[bytes] = []
        """What is to be written once the handshake is done."""
        self._hello: ClientHelloReader | None = ClientHelloReader()
        self._seen = b""
        """The beginning of the client's first message."""
        self._failed = False
        self._parting = b""
        """The last reply, which leaves together with the end of TLS."""
        self._peer_ended = False
        transport.set_protocol(self)

    # The transport's calls

    def data_received(self, data: bytes) -> None:
        """Decrypt what came and hand it on."""
        if self._before or self._failed:
            return
        tls = self._tls
        if self._after and self._closing is None and data[0] not in RECORD_TYPES:
            self._leave(data)  # it went on in clear without a word
            return
        plain = b""
        begins = not tls.established
        try:
            if not begins:
                plain = tls.receive(data)
            elif self._hello_read(data) and tls.handshake(self._seen):
                self._established()
                plain = tls.receive()
        except ProtocolError as error:
            self._send(tls.take())
            self._fail(error)
            return
        if plain:
            self._control.data_received(plain)
        if not begins or not tls.established:
            self._send(tls.take())
        if tls.ended:
            self._ended()

    def eof_received(self) -> bool:
        """The client closed the connection, with or without ending TLS before."""
        if self._peer_ended:
            return True
        self._peer_ended = True
        return self._control.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        if self._closing is not None:
            self._closing.cancel()
        self._control.connection_lost(exc)

    def pause_writing(self) -> None:
        """The client does not read."""
        self._control.pause_writing()

    def resume_writing(self) -> None:
        """The client reads again."""
        self._control.resume_writing()

    # The control connection's calls, as to a transport

    def write(self, data: bytes) -> None:
        """Encrypt and write ``data``, once the handshake is done."""
        if self._failed:
            return
        if self._before or self._after:
            self._before = False
            self._say_end()
            self._transport.write(data)
        elif not self._tls.established:
            self._held.append(data)
        else:
            data = self._tls.send(data)
            if self._control.closing and not self._last:
                self._parting += data
                return
            self._transport.write(data)
            if self._last:
                self._after = True
                # Who finds an end together with the reply may take it for that of the connection (lftp); most end TLS
                # themselves, the others wait for this end to do it.
                self._closing = asyncio.get_running_loop().call_later(PATIENCE, self._say_end)

    def write_eof(self) -> None:
        """End TLS and the server's side of the connection."""
        self._end()
        self._transport.write_eof()

    def close(self) -> None:
        """End TLS and close the connection."""
        self._end()
        self._transport.close()

    def abort(self) -> None:
        """Cut the connection."""
        self._transport.abort()

    def is_closing(self) -> bool:
        """Whether the connection is closed or about to be."""
        return self._transport.is_closing()

    def pause_reading(self) -> None:
        """Read no more for now."""
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Read on."""
        self._transport.resume_reading()

    def get_extra_info(self, name: str) -> Any:
        """What the transport knows of the connection."""
        return self._transport.get_extra_info(name)

    def end_after_reply(self) -> None:
        """End TLS at this end with the next write; what comes is still TLS until the client ends it, too."""
        self._last = True

    # Inside

    def _hello_read(self, data: bytes) -> bool:
        """Whether the client's first message is whole and is one for an FTP server; then TLS has not seen it yet."""
        if self._hello is None:
            self._seen = data
            return True
        self._seen += data
        hello = self._hello.feed(data)
        if hello is None:
            return False
        self._hello = None
        if hello.protocols and PROTOCOL.encode() not in hello.protocols:
            self._transport.write(NO_APPLICATION_PROTOCOL)
            spoken = b", ".join(hello.protocols).decode("ascii", "backslashreplace")
            raise TlsError(f"the client does not speak FTP but {spoken} (ALPN)")
        self._protection.server_name = hello.server_name
        return True

    def _established(self) -> None:
        self._seen = b""
        self._protection.tls = self._tls
        if self._tls.version != TICKETS_ALONE:
            self._send(self._tls.take())
        held = self._held
        self._held = []
        for data in held:
            self.write(data)

    def _ended(self) -> None:
        """The client has ended TLS: as asked by CCC or REIN, or instead of closing its side."""
        if self._after:
            self._say_end()
            self._leave(self._tls.unused())
        elif not self._peer_ended:
            self._peer_ended = True
            if not self._control.eof_received():
                self._transport.close()

    def _say_end(self) -> None:
        """Tell the client that TLS ends here, once."""
        if self._closing is not None:
            self._closing.cancel()
            self._closing = None
            self._send(self._tls.end())

    def _leave(self, data: bytes) -> None:
        """The connection is in clear again, from ``data`` on."""
        self._transport.set_protocol(self._control)
        self._detached(self._transport, data)

    def _end(self) -> None:
        self._say_end()
        if not self._before and not self._after:
            self._send(self._parting + self._tls.end())
            self._parting = b""

    def _send(self, data: bytes) -> None:
        if data and not self._transport.is_closing():
            self._transport.write(data)

    def _fail(self, error: ProtocolError) -> None:
        self._failed = True
        self._control.protection_failed(str(error))
