"""TLS for the scripted server in memory: actions that put a connection under it."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from contextlib import suppress

from fairlead.client._wires.memory import MemoryStream
from fairlead.errors import TlsError
from fairlead.tls import Tls
from tests.certificates import Pair
from tests.client.script import Play


class TlsEnd(MemoryStream):
    """The server's end of a connection under TLS, used like the one in clear that it stands on."""

    def __init__(self, beneath: MemoryStream, context: ssl.SSLContext, *, close_notify: bool = True) -> None:
        super().__init__(beneath.local, beneath.peer)
        self.other = beneath.other
        self.tls = Tls(context, server_side=True)
        self.beneath = beneath
        self._close_notify = close_notify
        self._unsent = bytearray()
        self._closing = False
        beneath.watch = self.read
        self.read()

    def send(self, data: memoryview) -> int | None:
        """Send ``data`` once the handshake is done."""
        self._unsent += data
        self._go_on()
        return len(data)

    def close(self) -> None:
        """Send close_notify unless told otherwise, and close, once the handshake is done."""
        self._closing = True
        self._go_on()

    def read(self) -> None:
        """Take what came."""
        came = bytes(self.beneath.arrived)
        self.beneath.arrived.clear()
        with suppress(TlsError):  # the client does not accept the certificate
            if self.tls.established:
                self.arrived += self.tls.receive(came)
            elif came and self.tls.handshake(came):
                self.arrived += self.tls.receive()
        self._tell(self.tls.take())
        self.ended = self.tls.ended or self.beneath.ended
        self._go_on()
        self.notice()

    def _go_on(self) -> None:
        if not self.tls.established or self.closed:
            return
        if self._unsent:
            self._tell(self.tls.send(bytes(self._unsent)))
            self._unsent.clear()
        if self._closing:
            self.closed = True
            if self._close_notify:
                self._tell(self.tls.end())
            self.beneath.close()

    def _tell(self, octets: bytes) -> None:
        if octets and not self.other.closed:
            self.beneath.send(memoryview(octets))


def server_context(pair: Pair, version: ssl.TLSVersion) -> ssl.SSLContext:
    """A server with the certificate of ``pair`` that speaks one version only."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate, pair.key)
    context.minimum_version = context.maximum_version = version
    return context


def begin_tls(context: ssl.SSLContext) -> Callable[[Play], None]:
    """The control connection is under TLS from here on."""

    def begun(play: Play) -> None:
        assert play.control is not None
        end = play.control = TlsEnd(play.control, context)
        end.watch = lambda: play.hear(end)

    return begun


def end_tls(*, waits: bool = False) -> Callable[[Play], None]:
    """The control connection is in clear from here on; with ``waits`` the client says close_notify first."""

    def ended(play: Play) -> None:
        end = play.control
        assert isinstance(end, TlsEnd)
        beneath = end.beneath

        def say_end() -> None:
            beneath.send(memoryview(end.tls.end()))

        def read() -> None:
            end.tls.receive(bytes(beneath.arrived))
            beneath.arrived.clear()
            if end.tls.ended:
                if waits:
                    say_end()
                beneath.arrived += end.tls.unused()
                play.control = beneath
                beneath.watch = lambda: play.hear(beneath)
                play.hear(beneath)

        if not waits:
            say_end()
        beneath.watch = read

    return ended


def protect(context: ssl.SSLContext, *, close_notify: bool = True) -> Callable[[Play], None]:
    """The data connection is under TLS."""

    def protected(play: Play) -> None:
        assert play.data is not None
        play.data = TlsEnd(play.data, context, close_notify=close_notify)

    return protected


def resumed(play: Play) -> bool:
    """Whether the last data connection resumed a session, as the server sees it."""
    assert isinstance(play.data, TlsEnd)
    return play.data.tls.resumed


def slowly(window: int) -> Callable[[Play], None]:
    """Read the protected data connection ten times a second, ``window`` octets at most."""

    def slowed(play: Play) -> None:
        end = play.data
        assert isinstance(end, TlsEnd)
        end.beneath.window = window
        end.beneath.watch = None

        def look() -> None:
            end.read()
            if not end.ended:
                play.wire.after(0.1, look)

        play.wire.after(0.1, look)

    return slowed
