"""TLS without sockets: octets of the connection in, plain ones out, and back.

A :class:`Tls` stands between a connection, whoever carries its octets, and what is said over it. It serves control and
data connections of both ends, and can begin and end on a connection that lives on: AUTH begins one (RFC 4217 section
4), CCC and REIN end it and leave the connection in clear (sections 5 and 13). Nothing here waits, so the same object
serves an event loop and a blocking thread; only one of them may use it at a time.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from fairlead import openssl
from fairlead.errors import CertificateError, TlsError, TruncatedError

RECORD = 16 * 1024
"""The most plain octets that one TLS record holds (RFC 8446 section 5.1)."""

_MEANINGS = {
    "WRONG_VERSION_NUMBER": "what came is not TLS",
    "HTTP_REQUEST": "what came is HTTP and not TLS",
    "PACKET_LENGTH_TOO_LONG": "what came is not TLS",
    "RECORD_LAYER_FAILURE": "what came is not TLS",
    "UNEXPECTED_MESSAGE": "a message of TLS came that does not belong there",
    "UNSUPPORTED_PROTOCOL": "the two have no version of TLS in common",
    "VERSION_TOO_LOW": "the two have no version of TLS in common",
    "TLSV1_ALERT_PROTOCOL_VERSION": "the two have no version of TLS in common",
    "NO_SHARED_CIPHER": "the two have no cipher in common",
    "SSLV3_ALERT_HANDSHAKE_FAILURE": "the peer refused what was offered",
    "TLSV1_ALERT_UNKNOWN_CA": "the peer does not trust the issuer of the certificate",
    "SSLV3_ALERT_BAD_CERTIFICATE": "the peer does not accept the certificate",
    "SSLV3_ALERT_CERTIFICATE_EXPIRED": "the peer says that the certificate has expired",
    "SSLV3_ALERT_CERTIFICATE_UNKNOWN": "the peer does not accept the certificate",
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": "the peer asks for a certificate",
    "TLSV1_ALERT_NO_APPLICATION_PROTOCOL": "the peer does not take it for FTP (ALPN)",
    "PEER_DID_NOT_RETURN_A_CERTIFICATE": "the peer showed no certificate",
    "DECRYPTION_FAILED_OR_BAD_RECORD_MAC": "a record was damaged on the way",
}
"""What OpenSSL's words for the usual faults mean."""


class Tls:
    """One end of one TLS connection.

    First :meth:`handshake` until it is true, then :meth:`send` and :meth:`receive`. What :meth:`take` gives belongs on
    the connection after every call of :meth:`handshake` and :meth:`receive`, also after one that failed: it holds the
    alert that tells the peer.
    """

    __slots__ = ("_incoming", "_object", "_outgoing", "ended", "established")

    def __init__(
        self,
        context: ssl.SSLContext,
        *,
        server_side: bool = False,
        server_name: str | None = None,
        session: ssl.SSLSession | None = None,
    ) -> None:
        """Begin a connection of ``context``.

        A client gives ``server_name``, which the certificate must be for where the context checks that, and the
        ``session`` to resume, one of an earlier connection of the same context.
        """
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._object = context.wrap_bio(
            self._incoming, self._outgoing, server_side=server_side, server_hostname=server_name, session=session
        )
        self.established = False
        """Whether the handshake is done."""
        self.ended = False
        """Whether the peer said that nothing more comes (close_notify)."""

    def handshake(self, data: bytes = b"") -> bool:
        """Go on with the handshake after ``data`` came; whether it is done.

        A client begins with no data. Raises TlsError, CertificateError where the peer's certificate is not accepted.
        """
        if data:
            self._incoming.write(data)
        try:
            self._object.do_handshake()
        except ssl.SSLWantReadError:
            return False
        except ssl.SSLError as error:
            raise _failure(error) from error
        self.established = True
        return True

    def receive(self, data: bytes | bytearray | memoryview = b"") -> bytes:
        """The plain octets that are whole with ``data`` of the connection; maybe none. Raises TlsError."""
        pieces = self.receive_records(data)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def receive_records(self, data: bytes | bytearray | memoryview = b"") -> list[bytes]:
        """As :meth:`receive`, in pieces of at most a record."""
        read = self._object.read
        pieces: list[bytes] = []

        def one() -> bool:
            piece = read(RECORD)
            if piece:
                pieces.append(piece)
            return bool(piece)

        self._open_all(data, one)
        return pieces

    def receive_into(self, plain: memoryview, data: memoryview) -> int:
        """As :meth:`receive`, but into ``plain``, which is at least a record longer than ``data``; how many octets."""
        read = self._object.read
        size = 0

        def one() -> bool:
            nonlocal size
            count: Any = read(RECORD, plain[size : size + RECORD])  # a number, where it is given a place
            size += count
            return bool(count)

        self._open_all(data, one)
        return size

    def _open_all(self, data: bytes | bytearray | memoryview, one: Callable[[], bool]) -> None:
        """Call ``one`` for each record that is whole with ``data``; it is false at the end. Raises TlsError."""
        incoming = self._incoming
        if data:
            incoming.write(data)
        try:
            while incoming.pending and not self.ended:
                self.ended = not one()
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLZeroReturnError:
            self.ended = True
        except ssl.SSLError as error:
            raise _failure(error) from error

    def send(self, data: bytes | bytearray | memoryview) -> bytes:
        """Octets for the connection that carry all of ``data``. Raises TlsError."""
        if data:
            try:
                self._object.write(data)
            except ssl.SSLError as error:
                raise _failure(error) from error
        return self._outgoing.read()

    def take(self) -> bytes:
        """What is to be sent on the connection now: messages of the handshake, alerts; maybe nothing."""
        return self._outgoing.read()

    def end(self) -> bytes:
        """Octets that tell the peer that nothing more comes (close_notify), after whatever else was still to be sent.

        The peer may go on sending; :meth:`receive` serves until ``ended``.
        """
        with suppress(ssl.SSLError):  # the peer has not ended its side yet, or the connection is beyond help
            self._object.unwrap()
        return self._outgoing.read()

    def add_ticket(self) -> bool:
        """Let a server of TLS 1.3 give its client another ticket with what is sent next; whether it will.

        Clients should use each ticket once (RFC 8446 section C.4), and those of OpenSSL do.
        """
        return self.established and openssl.add_ticket(self._object)

    def bind(self, circle: bytes, *, tickets: int) -> None:
        """Before the handshake of a server: only connections of the same ``circle`` resume each other's sessions.

        Under TLS 1.3 so many tickets are given after it. Raises TlsError where OpenSSL cannot be told.
        """
        if not openssl.bind(self._object, circle, tickets=tickets):
            raise TlsError("OpenSSL cannot be told who may resume this session")

    def connection_ended(self) -> None:
        """Take note that the connection gives no more octets.

        Raises TlsError before the handshake is done, and TruncatedError where the peer did not say before that nothing
        more comes: then somebody may have cut the connection.
        """
        if not self.established:
            raise TlsError("the peer ended the connection during the TLS handshake")
        if not self.ended:
            raise TruncatedError("the connection ended without the close_notify of TLS: what came may not be all")

    def unused(self) -> bytes:
        """The octets of the connection behind the end of TLS, which are in clear."""
        return self._incoming.read()

    @property
    def version(self) -> str:
        """The version that was agreed on, such as ``TLSv1.3``; empty before the handshake."""
        return self._object.version() or ""

    @property
    def cipher(self) -> str:
        """The cipher that was agreed on, by OpenSSL's name; empty before the handshake."""
        cipher = self._object.cipher()
        return cipher[0] if cipher else ""

    @property
    def protocol(self) -> str:
        """The application protocol that was agreed on (ALPN); empty for none."""
        return self._object.selected_alpn_protocol() or ""

    @property
    def resumed(self) -> bool:
        """Whether the handshake resumed a session."""
        return bool(self._object.session_reused)

    @property
    def session(self) -> ssl.SSLSession | None:
        """What a later connection can resume.

        Under TLS 1.3 it comes with tickets after the handshake, each taking the place of the one before: a client
        reads this when it needs it, not earlier.
        """
        return self._object.session

    @property
    def peer_certificate(self) -> bytes | None:
        """The peer's certificate in DER."""
        return self._object.getpeercert(binary_form=True)

    @property
    def peer_names(self) -> tuple[str, ...]:
        """The common name and the alternative names of the peer's certificate; none where it was not verified."""
        certificate: Any = self._object.getpeercert() or {}
        return tuple(
            [value for part in certificate.get("subject", ()) for key, value in part if key == "commonName"]
            + [str(value) for _, value in certificate.get("subjectAltName", ())]
        )

    @property
    def peer_expiry(self) -> float | None:
        """When the peer's certificate expires, in seconds since the epoch; None where it was not verified."""
        certificate: Any = self._object.getpeercert() or {}
        return float(ssl.cert_time_to_seconds(certificate["notAfter"])) if certificate else None


def _failure(error: ssl.SSLError) -> TlsError:
    if isinstance(error, ssl.SSLCertVerificationError):
        return CertificateError(f"the peer's certificate is not accepted: {error.verify_message}")
    reason = getattr(error, "reason", None) or ""
    return TlsError(_MEANINGS.get(reason) or f"TLS failed: {reason.replace('_', ' ').lower() or error}")
