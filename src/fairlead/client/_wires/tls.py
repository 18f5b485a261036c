"""TLS as a stage between the dialogue and a connection of any wire."""

from __future__ import annotations

import errno
import hashlib
import ssl
from collections import deque
from contextlib import suppress

from fairlead.client._wire import Address, Security, Stream
from fairlead.client._wires.sockets import descriptor
from fairlead.client.settings import Settings, fingerprint
from fairlead.errors import CertificateError, ConfigError, TlsError
from fairlead.tls import Tls

_RECEIVED = 256 * 1024
"""Octets taken from the connection at once."""
_SENT = 256 * 1024
"""Octets protected at once."""
_CUT = "the connection ended without the close_notify of TLS, so that something may be missing"


class TlsProtection:
    """See :class:`fairlead.client._wire.Protection`.

    One context serves the control connection and its data connections, since a session belongs to a context.
    """

    def __init__(self, host: str, settings: Settings) -> None:
        self._name = host.partition("%")[0].rstrip(".")
        self._pin = None if settings.pin is None else fingerprint(settings.pin)
        self._known = settings.known_hosts
        self._context = _context(settings)
        self._control: Tls | None = None

    def control(self, stream: Stream) -> TlsStream:
        """See :class:`fairlead.client._wire.Protection`."""
        self._control = Tls(self._context, server_name=self._name)
        return TlsStream(stream, self._control, self)

    def data(self, stream: Stream) -> TlsStream:
        """See :class:`fairlead.client._wire.Protection`.

        The session is asked for no earlier: under TLS 1.3 each ticket takes the place of the one before.
        """
        assert self._control is not None
        return TlsStream(stream, Tls(self._context, server_name=self._name, session=self._control.session), self)

    def check(self, tls: Tls, port: int) -> bool:
        """Check what OpenSSL does not; whether the certificate is remembered from now on. Raises CertificateError.

        A data connection shows the certificate of the control connection (RFC 4217 section 15.1).
        """
        assert self._control is not None
        shown = tls.peer_certificate or b""
        if self._pin not in {None, _sha256(shown)}:
            message = (
                f"the certificate of {self._name} is not the pinned one, its SHA-256 is {_sha256(shown)}; "
                "ask the server's operator whether it was replaced, since somebody may be in between"
            )
            raise CertificateError(message)
        if shown != self._control.peer_certificate:
            message = (
                f"the data connection shows another certificate than {self._name} did before; "
                "somebody may be in between, ask the server's operator"
            )
            raise CertificateError(message)
        if self._known is None or tls is not self._control:
            return False
        host = f"[{self._name}]" if ":" in self._name else self._name
        return self._known.check(f"{host}:{port}", _sha256(shown))

    def refused(self, error: CertificateError) -> CertificateError:
        """What to tell a user after OpenSSL did not accept the certificate."""
        said = str(error).replace("the peer", self._name).rstrip(".")
        return CertificateError(
            f"{said}; check the name of the host, and if the server is the right one, name a file with its authority "
            "(ca), the SHA-256 of its certificate (pin), or a file to keep it in (known_hosts)"
        )


class TlsStream:
    """A :class:`fairlead.client._wire.ProtectedStream` over another stream."""

    def __init__(self, beneath: Stream, tls: Tls, protection: TlsProtection) -> None:
        self._beneath = beneath
        self._tls = tls
        self._protection = protection
        self._outbox = memoryview(b"")
        self._pieces: deque[memoryview] = deque()
        self._room = memoryview(bytearray(_RECEIVED))
        self._said_end = False
        self._remembered = False

    def fileno(self) -> int:
        """The descriptor beneath."""
        return descriptor(self._beneath)

    @property
    def local(self) -> Address:
        """Our end."""
        return self._beneath.local

    @property
    def peer(self) -> Address:
        """The other end."""
        return self._beneath.peer

    @property
    def at_hand(self) -> bool:
        """Whether :meth:`receive_into` has an answer whatever the connection does."""
        return bool(self._pieces) or self._tls.ended

    @property
    def readable(self) -> bool:
        """Whether there is something to read, where the stream beneath can tell."""
        return self.at_hand or bool(getattr(self._beneath, "readable", False))

    @property
    def writable(self) -> bool:
        """Whether there is room, where the stream beneath can tell."""
        return bool(getattr(self._beneath, "writable", False))

    @property
    def unsent(self) -> bool:
        """See :class:`fairlead.client._wire.ProtectedStream`."""
        return bool(self._outbox)

    @property
    def security(self) -> Security:
        """See :class:`fairlead.client._wire.ProtectedStream`."""
        tls = self._tls
        certificate = _sha256(tls.peer_certificate or b"")
        return Security(tls.version, tls.cipher, tls.resumed, certificate, self._remembered)

    def handshake(self) -> bool:
        """See :class:`fairlead.client._wire.ProtectedStream`."""
        if not self._tls.established:
            try:
                if not self._agree():
                    return False
                self._remembered = self._protection.check(self._tls, self.peer[1])
                self._pieces.extend(map(memoryview, self._tls.receive_records()))
            except TlsError:
                with suppress(OSError):  # the alert tells the peer why, if it still listens
                    self._queue(self._tls.take())
                raise
        return self.flush()

    def unprotect(self) -> tuple[Stream, bytes] | None:
        """See :class:`fairlead.client._wire.ProtectedStream`."""
        self._say_end()
        while not self._tls.ended:
            if not self._receive():
                return None
        if not self.flush():
            return None
        return self._beneath, b"".join(self._pieces) + self._tls.unused()

    def receive_into(self, buffer: memoryview) -> int | None:
        """See :class:`fairlead.client._wire.Stream`. Raises ConnectionAbortedError at an end without close_notify."""
        while not self._pieces:
            if self._tls.ended:
                return 0
            if not self._receive():
                return None
        filled = 0
        while self._pieces and filled < len(buffer):
            piece = self._pieces[0][: len(buffer) - filled]
            buffer[filled : filled + len(piece)] = piece
            filled += len(piece)
            if len(piece) == len(self._pieces[0]):
                self._pieces.popleft()
            else:
                self._pieces[0] = self._pieces[0][len(piece) :]
        return filled

    def send(self, data: memoryview) -> int | None:
        """See :class:`fairlead.client._wire.Stream`."""
        if not self.flush():
            return None
        piece = data[:_SENT]
        try:
            self._queue(self._tls.send(piece))
        except TlsError as error:
            raise ConnectionAbortedError(errno.ECONNABORTED, str(error)) from error
        return len(piece)

    def receive_into_pipe(self, pipe: int, count: int) -> int | None:
        """See :class:`fairlead.client._wire.Stream`: the system cannot, the octets are protected."""
        raise NotImplementedError

    def send_file(self, file: int, offset: int, count: int) -> int | None:
        """See :class:`fairlead.client._wire.Stream`: the system cannot, the octets have to be protected first."""
        raise NotImplementedError

    def send_urgent(self, data: bytes) -> None:
        """Send ``data`` like any other: urgent data of TCP would not be part of what TLS protects."""
        self._queue(self._tls.send(data))

    def flush(self) -> bool:
        """See :class:`fairlead.client._wire.Stream`."""
        while self._outbox:
            sent = self._beneath.send(self._outbox)
            if sent is None:
                return False
            self._outbox = self._outbox[sent:]
        return True

    def finish(self) -> bool:
        """See :class:`fairlead.client._wire.Stream`: close_notify, then the half-close."""
        self._say_end()
        return self.flush() and self._beneath.finish()

    def hang_up(self) -> None:
        """See :class:`fairlead.client._wire.Stream`."""
        self._beneath.hang_up()

    def close(self) -> None:
        """See :class:`fairlead.client._wire.Source`; close_notify goes first where there is room for it."""
        with suppress(OSError):
            self._say_end()
        self._beneath.close()

    def abort(self) -> None:
        """See :class:`fairlead.client._wire.Stream`: no close_notify, for what went out is not the whole."""
        self._said_end = True
        self._beneath.abort()

    def _receive(self) -> bool:
        """Take what came; whether anything did. Raises ConnectionAbortedError at an end without close_notify."""
        size = self._beneath.receive_into(self._room)
        if size is None:
            return False
        if not size:
            raise ConnectionAbortedError(errno.ECONNABORTED, _CUT)
        try:
            self._pieces.extend(map(memoryview, self._tls.receive_records(self._room[:size])))
        except TlsError as error:
            raise ConnectionAbortedError(errno.ECONNABORTED, str(error)) from error
        finally:
            with suppress(OSError):  # whoever sends next will see it
                self._queue(self._tls.take())
        return True

    def _agree(self) -> bool:
        data = b""
        while not self._take_part(data):
            self._queue(self._tls.take())
            size = self._beneath.receive_into(self._room)
            if size is None:
                return False
            if not size:
                self._tls.connection_ended()
            data = bytes(self._room[:size])
        self._queue(self._tls.take())
        return True

    def _take_part(self, data: bytes) -> bool:
        try:
            return self._tls.handshake(data)
        except CertificateError as error:
            raise self._protection.refused(error) from error

    def _say_end(self) -> None:
        if self._tls.established and not self._said_end:
            self._said_end = True
            self._queue(self._tls.end())

    def _queue(self, octets: bytes) -> None:
        self._outbox = memoryview(bytes(self._outbox) + octets if self._outbox else octets)
        self.flush()


def _context(settings: Settings) -> ssl.SSLContext:
    if settings.context is not None:
        if not isinstance(settings.context, ssl.SSLContext):
            message = f"{settings.context!r} is no ssl.SSLContext; leave the context out, or make one"
            raise ConfigError(message)
        return settings.context
    try:
        context = ssl.create_default_context(cafile=settings.ca)
    except OSError as error:
        message = f"no authority can be read from {settings.ca}: {error.strerror or error}; name a file in PEM form"
        raise ConfigError(message) from error
    otherwise = settings.pin is not None or settings.known_hosts is not None
    if settings.insecure or (otherwise and settings.ca is None):
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _sha256(certificate: bytes) -> str:
    return hashlib.sha256(certificate).hexdigest()
