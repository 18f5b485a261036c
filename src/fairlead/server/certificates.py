"""What the server proves itself with: certificates chosen by name; and who may resume a TLS session.

Two kinds of :class:`ssl.SSLContext` work together. One for each certificate, made when its files are read, holds chain
and key; making it takes half a millisecond. Another is the first that OpenSSL sees of a connection: its keys seal the
tickets. It has no certificate; once the client's first message is read it hands the connection over to the context of
the certificate that fits the name in it.

A ticket of one session must resume nothing in another. Where OpenSSL can be told so for each connection
(:func:`fairlead.openssl.bind`), all sessions share the context with the keys, which a new one follows from time to
time. Where it cannot, each session has one of its own, which takes a fifth of a millisecond.
"""

from __future__ import annotations

import os
import ssl
import time
from collections.abc import Callable, Iterable
from functools import cached_property
from secrets import token_bytes
from typing import NamedTuple

from fairlead import openssl
from fairlead.errors import ConfigError, TlsError
from fairlead.server.settings import Certificate, TlsSettings
from fairlead.tls import Tls

PROTOCOL = "ftp"
"""FTP's name among application protocols (RFC 7301)."""
READY = 16
"""Contexts for sessions that are kept ready, where each needs its own."""
PAUSE = 0.01
"""Seconds between the making of two of them, so that commands are answered in between."""
RENEWAL = 3600.0
"""Seconds for which sessions that begin share a context and the keys of its tickets; each stays with it to its end."""
CIRCLE = 16
"""Random octets that tell the connections of one session from all others."""
LOOK = 1.0
"""Seconds between looks at the files."""
SOON = 14 * 86400.0
"""Seconds before its end from which on a certificate is worth a notice."""
TICKETS = 2
"""Tickets after the handshake of a control connection; there is one more for each that a data connection used."""
SESSION_LIFETIME = 7 * 86400
"""Seconds that data connections can resume the TLS session, the most that RFC 8446 section 4.6.1 allows."""
CIPHERSUITES = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"
"""Of TLS 1.3, the one that takes the least time first."""

_VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
_NO_CHECK_TIME = 0x200000
"""X509_V_FLAG_NO_CHECK_TIME, which ssl has no name for."""


class _Loaded(NamedTuple):
    """One certificate as it is in force."""

    context: ssl.SSLContext
    names: tuple[str, ...]
    expires: float | None


class _Context(ssl.SSLContext):
    """One with the keys of tickets, of one session or of many."""

    host: str = ""
    """The name that chooses the certificate of clients that send none with TLS."""
    tuned: bool = False
    """Whether OpenSSL could be told what ssl has no name for."""
    until: float = 0.0
    """When sessions that begin share it no more."""


class SessionContext:
    """What the TLS connections of one session have in common: they resume each other's sessions and nobody else's."""

    __slots__ = ("_circle", "_context")

    def __init__(self, context: _Context) -> None:
        self._context = context
        self._circle = token_bytes(CIRCLE) if context.tuned else b""

    @property
    def renews(self) -> bool:
        """Whether tickets can come on request, too."""
        return self._context.tuned

    def begin(self, *, tickets: int = TICKETS) -> Tls:
        """A connection at the server's end, which gives so many tickets after its handshake. Raises TlsError."""
        context = self._context
        if not context.tuned:
            context.num_tickets = tickets
        tls = Tls(context, server_side=True)
        if context.tuned:
            tls.bind(self._circle, tickets=tickets)
        return tls


class Certificates:
    """The certificates of ``settings``, loaded anew when their files change.

    ``notice`` tells the operator, ``schedule`` calls a function after some seconds. Raises ConfigError.
    """

    def __init__(
        self,
        settings: TlsSettings,
        *,
        notice: Callable[[str], None],
        schedule: Callable[[float, Callable[[], None]], object],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._notice = notice
        self._schedule = schedule
        self._clock = clock
        self._ready: list[_Context] = []
        self._shared: dict[str, _Context] = {}
        self._refilling = False
        self._looked = clock()
        self.configure(settings)

    def configure(self, settings: TlsSettings) -> None:
        """Take ``settings`` for sessions to come; on ConfigError the old ones stay."""
        seen = _fingerprints(settings)
        loaded = [_load(certificate, settings.client_ca) for certificate in settings.certificates]
        self._settings = settings
        self._seen = seen
        self._take(loaded)
        self._ready.clear()
        self._shared.clear()

    def _take(self, loaded: list[_Loaded]) -> None:
        self._default = loaded[0].context
        self._by_name = {name.lower(): each.context for each in reversed(loaded) for name in each.names}
        now = time.time()
        for each, certificate in zip(loaded, self._settings.certificates, strict=True):
            if each.expires is not None and each.expires < now + SOON:
                when = time.strftime("%Y-%m-%d", time.gmtime(each.expires))
                said = "has expired" if each.expires < now else "expires"
                self._notice(f"the certificate {certificate.file} {said} on {when}; clients refuse an expired one")

    def session_context(self, host: str = "") -> SessionContext:
        """For a session that begins; ``host`` chooses the certificate where the client names none."""
        now = self._clock()
        if now - self._looked >= LOOK:
            self._looked = now
            self._look()
        context = self._shared.get(host)
        if context is None or context.until <= now:
            context = self._ready.pop() if self._ready else self._make()
            context.host = host
            if context.tuned:
                context.until = now + RENEWAL
                self._shared[host] = context
            elif not self._refilling:
                self._refilling = True
                self._schedule(PAUSE, self._refill)
        return SessionContext(context)

    @cached_property
    def calling_context(self) -> ssl.SSLContext:
        """For data connections on which this end is the client of TLS: a third party's, which nothing identifies."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context

    def prepare(self) -> None:
        """Make what the first sessions need."""
        while len(self._ready) < READY:
            self._ready.append(self._make())
            if self._ready[-1].tuned:
                break

    def _refill(self) -> None:
        self._ready.append(self._make())
        self._refilling = len(self._ready) < READY
        if self._refilling:
            self._schedule(PAUSE, self._refill)

    def _make(self) -> _Context:
        context = _Context(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = _VERSIONS[self._settings.minimum_version]
        context.tuned = openssl.tune(context, session_lifetime=SESSION_LIFETIME, ciphersuites=CIPHERSUITES)
        if self._settings.client_ca:
            context.verify_mode = ssl.CERT_OPTIONAL
        context.sni_callback = self._choose
        return context

    def _choose(self, connection: ssl.SSLObject, name: str | None, context: ssl.SSLContext) -> None:
        assert isinstance(context, _Context)
        connection.context = self.chosen(name or context.host)

    def chosen(self, name: str) -> ssl.SSLContext:
        """The context of the certificate for ``name``; of the first one where none is."""
        name = name.lower().rstrip(".")
        found = self._by_name.get(name)
        if found is None:
            found = self._by_name.get(f"*.{name.partition('.')[2]}", self._default)
        return found

    def _look(self) -> None:
        """Load the files anew if one has changed; what cannot be loaded is told once, and the old ones stay."""
        seen = _fingerprints(self._settings)
        if seen == self._seen:
            return
        self._seen = seen
        try:
            self._take([_load(certificate, self._settings.client_ca) for certificate in self._settings.certificates])
        except ConfigError as error:
            self._notice(f"the old certificate stays in use: {error}")
        else:
            self._notice("the certificate was loaded anew, since its files changed")


def check(settings: TlsSettings) -> None:
    """Whether all that ``settings`` name can be loaded. Raises ConfigError."""
    for certificate in settings.certificates:
        _load(certificate, settings.client_ca)


def _fingerprints(settings: TlsSettings) -> list[tuple[int, int, int] | None]:
    return [_fingerprint(path) for path in _files(settings)]


def _files(settings: TlsSettings) -> Iterable[str]:
    for certificate in settings.certificates:
        yield certificate.file
        if certificate.key:
            yield certificate.key
    if settings.client_ca:
        yield settings.client_ca


def _fingerprint(path: str) -> tuple[int, int, int] | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ino, status.st_size


def _load(certificate: Certificate, client_ca: str) -> _Loaded:
    file, key = certificate.file, certificate.key or certificate.file
    for path in (file, key):
        _check_readable(path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_alpn_protocols([PROTOCOL])
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_verify_locations(file)
    except ssl.SSLError as error:
        raise ConfigError(f"{file} holds no certificate in PEM form; name the file that does") from error
    try:
        context.load_cert_chain(file, key, password=_no_password)
    except ssl.SSLError as error:
        raise ConfigError(_why_not(file, key, error)) from error
    if client_ca:
        _check_readable(client_ca)
        try:
            context.load_verify_locations(client_ca)
        except ssl.SSLError as error:
            raise ConfigError(f"{client_ca} holds no certificate in PEM form; name the authority's") from error
        context.verify_mode = ssl.CERT_OPTIONAL
    return _Loaded(context, *_facts(context, file))


def _check_readable(path: str) -> None:
    try:
        with open(path, "rb"):
            pass
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}; TLS needs it") from error


def _no_password() -> str:
    raise ConfigError("the key is protected by a password; give one that is not, readable by the server alone")


def _why_not(file: str, key: str, error: ssl.SSLError) -> str:
    if error.reason == "KEY_VALUES_MISMATCH":
        return f"the key in {key} does not belong to the certificate in {file}; give the one it was made with"
    if file == key:
        return f"{file} holds no private key in PEM form; name the file that does (--tls-key)"
    return f"{key} holds no private key in PEM form; name the file that does"


def _facts(context: ssl.SSLContext, file: str) -> tuple[tuple[str, ...], float | None]:
    """The names in the certificate of ``context`` and its last second, as a client sees them that trusts it."""
    trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trusting.check_hostname = False
    trusting.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN | _NO_CHECK_TIME
    trusting.load_verify_locations(file)
    client, server = Tls(trusting), Tls(context, server_side=True)
    try:
        while not client.handshake(server.take()):
            server.handshake(client.take())
    except TlsError:  # it is for something else than servers, which is for the operator to know
        return (), None
    return client.peer_names, client.peer_expiry
