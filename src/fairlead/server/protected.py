"""A data connection under TLS (RFC 4217 section 7): its handshake, and what stands in for the socket after it."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from fairlead.errors import DataConnectionError, TlsError
from fairlead.proto.client_hello import NO_APPLICATION_PROTOCOL, ClientHelloReader
from fairlead.reach.cause import Cause
from fairlead.server.certificates import PROTOCOL
from fairlead.tls import Tls

if TYPE_CHECKING:
    from fairlead.server.data import RawConnection
    from fairlead.server.session import Session
    from fairlead.server.transfer import Transfer

CHUNK = 256 << 10


class Protected:
    """Has what pumps use of a socket; what they receive and send is plain, what goes over the wire is not.

    ``require_close_notify`` says whether the peer must tell its end by TLS, for else anybody could cut the data.
    """

    __slots__ = ("_accepted", "_plain", "_require_close_notify", "_tls", "_unsent", "raw")

    def __init__(self, raw: RawConnection, tls: Tls, *, require_close_notify: bool) -> None:
        self.raw = raw
        """The socket, where octets are in cipher."""
        self._tls = tls
        self._require_close_notify = require_close_notify
        self._plain = tls.receive()
        self._unsent: memoryview = memoryview(b"")
        self._accepted = False
        """Whether ``_unsent`` belongs to data that :meth:`send` was called with and will be again."""

    def recv(self, size: int, flags: int = 0) -> bytes:
        """Plain octets, hardly more than ``size``; none once the peer has ended.

        Raises BlockingIOError where nothing whole is there, OSError, TlsError for a record that was damaged, and
        TruncatedError where the connection ended and TLS had not.
        """
        tls = self._tls
        while not self._plain and not tls.ended:
            data = self.raw.recv(min(size, CHUNK), flags & ~socket.MSG_PEEK)
            if not data:
                if self._require_close_notify:
                    tls.connection_ended()
                break
            self._plain = tls.receive(data)
        plain = self._plain
        if not flags & socket.MSG_PEEK:
            self._plain = b""
        return plain

    def send(self, data: bytes | memoryview, flags: int = 0) -> int:
        """Encrypt and send all of ``data``, or 0 where the connection took only a part of that.

        After 0 it is to be called with the same data again. Raises BlockingIOError where nothing can be sent now,
        OSError.
        """
        if not self._accepted:
            self._unsent = memoryview(self._tls.send(data))
            self._accepted = True
        sent = self.raw.send(self._unsent, flags)
        self._unsent = self._unsent[sent:]
        if self._unsent:
            return 0
        self._accepted = False
        return len(data)

    def end(self) -> bool:
        """Tell the peer that nothing more comes (close_notify); False where that would wait. Raises OSError."""
        if not self._accepted:
            self._unsent = memoryview(self._tls.end())
            self._accepted = True
        while self._unsent:
            try:
                sent = self.raw.send(self._unsent, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return False
            self._unsent = self._unsent[sent:]
        return True

    def fileno(self) -> int:
        """The socket's descriptor."""
        return self.raw.fileno()

    def getsockopt(self, level: int, option: int) -> int:
        """An option of the socket."""
        return self.raw.getsockopt(level, option)

    def setsockopt(self, level: int, option: int, value: int | bytes) -> None:
        """Set an option of the socket."""
        self.raw.setsockopt(level, option, value)

    def shutdown(self, how: int) -> None:
        """End the socket's side, or both."""
        self.raw.shutdown(how)

    def close(self) -> None:
        """Close the socket; without :meth:`end` before, the peer takes the data for cut."""
        self.raw.close()


async def protect(raw: RawConnection, session: Session, transfer: Transfer, *, calls: bool) -> Protected:
    """Shake hands on a data connection that was just made; ``calls`` says whether this end is the client of TLS.

    Otherwise it is the server, in active mode too (RFC 4217 section 7). Raises DataConnectionError.
    """
    settings = session.server.settings
    context = session.protection.context
    assert context is not None
    if calls:
        assert session.server.certificates is not None
        tls = Tls(session.server.certificates.calling_context)
    else:
        # A client that never reads would leave a ticket unread: its system then resets the connection when the client
        # closes, and what it had still to send is lost. One that downloads does read.
        context.num_tickets = 0 if transfer.receives else 1
        tls = Tls(context, server_side=True)
    try:
        await _shake_hands(raw, tls, transfer, settings.data_connect_timeout, calls=calls)
    except TlsError as error:
        raise _failed(str(error)) from error
    except OSError as error:
        raise _failed(f"the connection was lost during the handshake ({error.strerror})") from error
    if not calls and settings.tls.resumption != "off" and not tls.resumed:
        _judge(session, tls)
    return Protected(raw, tls, require_close_notify=settings.tls.require_close_notify)


async def _shake_hands(raw: RawConnection, tls: Tls, transfer: Transfer, seconds: float, *, calls: bool) -> None:
    hello = None if calls else ClientHelloReader()
    seen = b""
    until = transfer.now() + seconds
    if calls:
        tls.handshake()
        await _send_all(raw, tls.take(), transfer, until)
    while not tls.established:
        try:
            data = raw.recv(CHUNK, socket.MSG_DONTWAIT)
        except BlockingIOError:
            await _wait(raw, transfer, until, reads=True)
            continue
        if not data:
            tls.connection_ended()
        if hello is not None:
            seen += data
            said = hello.feed(data)
            if said is None:
                continue
            if said.protocols and PROTOCOL.encode() not in said.protocols:
                raw.send(NO_APPLICATION_PROTOCOL, socket.MSG_DONTWAIT)
                raise TlsError("the client does not speak FTP there (ALPN)")
            hello, data = None, seen
        try:
            tls.handshake(data)
        finally:
            await _send_all(raw, tls.take(), transfer, until)


async def _send_all(raw: RawConnection, data: bytes, transfer: Transfer, until: float) -> None:
    while data:
        try:
            data = data[raw.send(data, socket.MSG_DONTWAIT) :]
        except BlockingIOError:
            await _wait(raw, transfer, until, reads=False)


async def _wait(raw: RawConnection, transfer: Transfer, until: float, *, reads: bool) -> None:
    try:
        await transfer.wait(raw, reads=reads, seconds=until - transfer.now())
    except DataConnectionError as error:
        raise TlsError("the handshake was not finished in time; does the client know that PROT P is set?") from error


def _judge(session: Session, tls: Tls) -> None:
    """See to a data connection that resumed no session of its control connection."""
    protection = session.protection
    if session.server.settings.tls.resumption == "require":
        raise DataConnectionError(
            Cause.DATA_TLS_NOT_RESUMED,
            f"The data connection must resume the TLS session of the control connection ({Cause.DATA_TLS_NOT_RESUMED})",
        )
    if not protection.warned:
        protection.warned = True
        session.server.notice(
            session,
            Cause.DATA_TLS_NOT_RESUMED,
            f"the client of {session.user} does not resume TLS sessions on data connections ({tls.version});"
            ' it could not transfer anything with resumption = "require"',
        )


def _failed(why: str) -> DataConnectionError:
    return DataConnectionError(
        Cause.DATA_TLS_FAILED, f"TLS on the data connection failed: {why} ({Cause.DATA_TLS_FAILED})"
    )
