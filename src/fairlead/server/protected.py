"""A data connection under TLS (RFC 4217 section 7): its handshake, and what stands in for the socket after it."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from fairlead.errors import DataConnectionError, ProtocolError, TlsError
from fairlead.proto.client_hello import NO_APPLICATION_PROTOCOL, ClientHelloReader
from fairlead.reach.cause import Cause
from fairlead.server.certificates import PROTOCOL
from fairlead.tls import Tls

if TYPE_CHECKING:
    from fairlead.server.data import RawConnection
    from fairlead.server.session import Session
    from fairlead.server.transfer import Transfer

CHUNK = 256 << 10
HANDSHAKE_CHUNK = 4 << 10
"""Octets received at a time during the handshake, whose messages are short."""


class Protected:
    """Has what pumps use of a socket; what they receive and send is plain, what goes over the wire is not.

    ``require_close_notify`` says whether the peer must tell its end by TLS, for else anybody could cut the data.
    """

    __slots__ = ("_accepted", "_plain", "_require_close_notify", "_tls", "_unsent", "end_size", "raw")

    def __init__(self, raw: RawConnection, tls: Tls, *, require_close_notify: bool) -> None:
        self.raw = raw
        """The socket, where octets are in cipher."""
        self._tls = tls
        self._require_close_notify = require_close_notify
        self._plain = tls.receive()
        self._unsent: memoryview = memoryview(b"")
        self._accepted = False
        """Whether ``_unsent`` belongs to data that :meth:`send` was called with and will be again."""
        self.end_size = 0
        """How many octets on the wire :meth:`end` takes, once it was called."""

    @property
    def holds(self) -> bool:
        """Whether there is something to receive already, octets or the end, that the socket knows nothing of."""
        return bool(self._plain) or self._tls.ended

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

    def recv_into(self, plain: memoryview, cipher: memoryview) -> int:
        """As :meth:`recv` into ``plain``, by way of the shorter ``cipher``; how many octets, 0 at the end.

        Where the socket blocks, that may wait.
        """
        tls = self._tls
        size = len(self._plain)
        plain[:size] = self._plain
        self._plain = b""
        while not size and not tls.ended:
            received = self.raw.recv_into(cipher)
            if not received:
                if self._require_close_notify:
                    tls.connection_ended()
                break
            size = tls.receive_into(plain, cipher[:received])
        return size

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
            # Not together with the last data: a receiver that reads only these and closes would reset the connection
            # before its system has acknowledged them, and they would pass for lost.
            self._unsent = memoryview(self._tls.end())
            self.end_size = len(self._unsent)
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


async def protect(raw: RawConnection, session: Session, transfer: Transfer) -> Protected:
    """Shake hands as the server of TLS, in active mode too (RFC 4217 section 7). Raises DataConnectionError."""
    protection = session.protection
    context = protection.context
    assert context is not None
    # A client that never reads would leave a ticket unread: its system then resets the connection when the client
    # closes, and what it had still to send is lost. So tickets come over the control connection; where they cannot, a
    # client that downloads reads them on the data connection.
    renewing = protection.tls if context.renews else None
    tls = context.begin(tickets=0 if renewing is not None or transfer.receives else 1)
    await _begin(raw, tls, session, transfer, ClientHelloReader())
    if not tls.resumed:
        _judge(session, tls)
    elif renewing is not None and tls.version == "TLSv1.3":
        renewing.add_ticket()
    return Protected(raw, tls, require_close_notify=session.server.settings.tls.require_close_notify)


async def protect_as_client(raw: RawConnection, session: Session, transfer: Transfer) -> Protected:
    """Shake hands as the client of TLS, with another server. Raises DataConnectionError."""
    certificates = session.server.certificates
    assert certificates is not None
    tls = Tls(certificates.calling_context)
    await _begin(raw, tls, session, transfer, None)
    return Protected(raw, tls, require_close_notify=session.server.settings.tls.require_close_notify)


async def _begin(
    raw: RawConnection, tls: Tls, session: Session, transfer: Transfer, hello: ClientHelloReader | None
) -> None:
    until = transfer.now() + session.server.settings.data_connect_timeout
    try:
        if hello is None:
            tls.handshake()
            await _send_all(raw, tls.take(), transfer, until)
        else:
            seen = await _read_hello(raw, transfer, until, hello)
            await _go_on(raw, tls, seen, transfer, until)
        while not tls.established:
            await _go_on(raw, tls, await _receive(raw, transfer, until), transfer, until)
    except ProtocolError as error:
        raise _failed(str(error)) from error
    except OSError as error:
        raise _failed(f"the connection was lost during the handshake ({error.strerror})") from error


async def _read_hello(raw: RawConnection, transfer: Transfer, until: float, hello: ClientHelloReader) -> bytes:
    """The client's first message. Raises TlsError where it is for no FTP server."""
    seen = b""
    while True:
        data = await _receive(raw, transfer, until)
        seen += data
        said = hello.feed(data)
        if said is None:
            continue
        if said.protocols and PROTOCOL.encode() not in said.protocols:
            raw.send(NO_APPLICATION_PROTOCOL, socket.MSG_DONTWAIT)
            raise TlsError("the client does not speak FTP there (ALPN)")
        return seen


async def _go_on(raw: RawConnection, tls: Tls, data: bytes, transfer: Transfer, until: float) -> None:
    try:
        tls.handshake(data)
    finally:
        await _send_all(raw, tls.take(), transfer, until)


async def _receive(raw: RawConnection, transfer: Transfer, until: float) -> bytes:
    while True:
        try:
            data = raw.recv(HANDSHAKE_CHUNK, socket.MSG_DONTWAIT)
        except BlockingIOError:
            await _wait(raw, transfer, until, reads=True)
        else:
            if not data:
                raise TlsError("the peer ended the connection during the TLS handshake")
            return data


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
    policy = session.server.settings.tls.resumption
    if policy == "require":
        raise DataConnectionError(
            Cause.DATA_TLS_NOT_RESUMED,
            f"The data connection must resume the TLS session of the control connection ({Cause.DATA_TLS_NOT_RESUMED})",
        )
    if policy == "warn" and not protection.warned:
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
