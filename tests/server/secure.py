"""Control and data connections under TLS, with Python's own TLS at the client's end."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fairlead.accounts.memory import MemoryAccounts
from fairlead.proto.reply import Reply
from fairlead.server.settings import Certificate, TlsSettings
from fairlead.storage.base import Storage
from tests.certificates import Pair
from tests.server.session import DEADLINE, Control, Running, serving

VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


def settings(*pairs: Pair, **others: Any) -> TlsSettings:
    """What a server needs for TLS with these certificates."""
    return TlsSettings([Certificate(str(pair.certificate), str(pair.key)) for pair in pairs], **others)


def trusting(certificate: Path, version: str = "1.3") -> ssl.SSLContext:
    """A client's context that trusts ``certificate`` and speaks at most ``version``."""
    context = ssl.create_default_context(cafile=str(certificate))
    # Python before 3.11.4 takes a connection that was cut for one that was closed.
    context.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF
    context.minimum_version = context.maximum_version = VERSIONS[version]
    return context


@contextmanager
def protected(storage: Storage, pair: Pair, tls: Mapping[str, Any] | None = None, **others: Any) -> Iterator[Running]:
    """A server of ``storage`` with the certificate ``pair``, further settings of TLS and of the server."""
    accounts = MemoryAccounts.sharing(storage, {"me": "secret"}, write=True, anonymous=True)
    arguments = {"accounts": accounts, "login_delay": 0, **others}
    with serving(storage, tls=settings(pair, **(tls or {})), **arguments) as server:
        yield server


class Secure(Control):
    """A control connection that can be put under TLS.

    ``resumes`` says whether data connections offer the session of the control connection.
    """

    def __init__(self, connection: socket.socket, context: ssl.SSLContext, name: str | None = "localhost") -> None:
        super().__init__(connection)
        self.context = context
        self.name = name
        self.resumes = True
        self.protects = False

    @property
    def tls(self) -> ssl.SSLSocket:
        """The control connection, which is under TLS."""
        assert isinstance(self.socket, ssl.SSLSocket)
        return self.socket

    def begin_tls(self) -> None:
        """Shake hands on the control connection."""
        self.socket = self.context.wrap_socket(self.socket, server_hostname=self.name)

    def auth(self, mechanism: str = "TLS") -> None:
        """AUTH, and TLS."""
        assert self.ask(f"AUTH {mechanism}") == Reply(234, "Begin TLS now.")
        self.begin_tls()

    def end_tls(self) -> None:
        """End TLS on the control connection, which goes on in clear."""
        self.socket = self.tls.unwrap()

    def protect(self) -> None:
        """Data connections under TLS."""
        assert self.codes("PBSZ 0", "PROT P") == [200, 200]
        self.protects = True

    def log_in(self) -> None:
        """As ``me``, under TYPE I."""
        assert self.codes("USER me", "PASS secret", "TYPE I") == [331, 230, 200]

    def wrap(self, connection: socket.socket) -> ssl.SSLSocket:
        """TLS on a data connection; that the other end was cut is an error there."""
        session = self.tls.session if self.resumes and isinstance(self.socket, ssl.SSLSocket) else None
        return self.context.wrap_socket(
            connection, server_hostname=self.name, session=session, suppress_ragged_eofs=False
        )

    @contextmanager
    def transfer(self, command: str | bytes, mode: str = "EPSV") -> Iterator[ssl.SSLSocket]:
        """The data connection of ``command`` under TLS, after the 150."""
        with self.open(mode) as data:
            assert self.ask(command).code in {125, 150}
            with self.wrap(data.connection) as protected:
                yield protected

    def fetch(self, command: str | bytes, mode: str = "EPSV") -> bytes:
        """The data of a download; asserts that it was ended by TLS, too, and answered well."""
        if not self.protects:
            return super().fetch(command, mode)
        with self.transfer(command, mode) as data:
            received = receive_all(data)
        assert self.read().code in {226, 250}
        return received

    def store(self, command: str | bytes, data: bytes, mode: str = "EPSV") -> Reply:
        """Send ``data`` with STOR, APPE or STOU and end it; the final reply."""
        if not self.protects:
            return super().store(command, data, mode)
        with self.transfer(command, mode) as protected:
            protected.sendall(data)
            protected.unwrap()
        return self.read()


def receive_all(data: ssl.SSLSocket) -> bytes:
    """Everything up to the close_notify; raises SSLEOFError where there is none."""
    received = bytearray()
    while piece := data.recv(1 << 20):
        received += piece
    return bytes(received)


def connect(running: Running, context: ssl.SSLContext, name: str | None = "localhost") -> Secure:
    """A control connection in clear whose greeting has been read."""
    control = Secure(socket.create_connection(running.address(), DEADLINE), context, name)
    assert control.read().code == 220
    return control


def connect_implicitly(running: Running, context: ssl.SSLContext, name: str | None = "localhost") -> Secure:
    """A control connection that begins with TLS."""
    control = Secure(socket.create_connection(running.server.addresses[-1], DEADLINE), context, name)
    control.begin_tls()
    assert control.read().code == 220
    return control


def login(running: Running, context: ssl.SSLContext, *, protect: bool = True) -> Secure:
    """A control connection of ``me`` under TLS, with TYPE I and protected data connections."""
    control = connect(running, context)
    control.auth()
    control.log_in()
    if protect:
        control.protect()
    return control
