"""A server that does wrong on demand: whoever writes a client finds out what becomes of it."""

from __future__ import annotations

import socket
import ssl
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import MappingProxyType
from typing import Literal, TypeAlias, TypeVar

from fairlead.testing.answering import Session
from fairlead.testing.faults import FAULTS, Fault
from fairlead.testing.served import HOST, certificate_in

TlsOffer: TypeAlias = Literal["off", "offer", "implicit"]
S = TypeVar("S", bound=socket.socket)

FILES: Mapping[str, bytes] = MappingProxyType(
    {"/file.bin": bytes(range(256)) * 1024, "/a.txt": b"hello\r\n", "/docs/b.txt": b"docs\r\n"}
)
"""What it serves unless told otherwise: octets by path."""
_ENDS_WITHIN = 10.0


class MisbehavingServer:
    """A server that answers; ``heard`` are the commands that came, in order, passwords included."""

    user = "me"
    password = "secret"  # of nothing that anybody would want

    def __init__(
        self,
        listener: socket.socket,
        faults: Sequence[Fault],
        files: Mapping[str, bytes],
        *,
        tls: TlsOffer,
        ca: Path | None,
        machine_listings: bool,
    ) -> None:
        self.faults = faults
        self.files = dict(files)
        self.tls = tls
        self.ca = ca
        """The file by which clients trust it, None where it has no TLS."""
        self.machine_listings = machine_listings
        self.heard: list[str] = []
        self.sessions = 0
        """How many connections came."""
        self.stopping = threading.Event()
        self.host, self.port = listener.getsockname()[:2]
        self._listener = listener
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._context = self._new_context()

    @property
    def url(self) -> str:
        """Where it is and who may log in."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        scheme = "ftps" if self.tls == "implicit" else "ftp"
        return f"{scheme}://{self.user}:{self.password}@{host}:{self.port}"

    def context(self) -> ssl.SSLContext:
        """What a connection is put under TLS with; another one each time where no session is to be resumed."""
        return self._context if all(fault.resumes_tls for fault in self.faults) else self._new_context()

    def keep(self, sock: S) -> S:
        """Remember ``sock``, so that nobody waits for it once the server stops."""
        self._sockets.append(sock)
        return sock

    def serve(self) -> None:
        """Take connections until :meth:`stop`."""
        while not self.stopping.is_set():
            try:
                control, _ = self._listener.accept()
            except OSError:
                return
            self.sessions += 1
            session = Session(self, self.keep(control))
            self._threads.append(threading.Thread(target=session.run, name=f"session {self.sessions}"))
            self._threads[-1].start()

    def stop(self) -> None:
        """Cut all connections and wait until their threads have ended."""
        self.stopping.set()
        for sock in [self._listener, *self._sockets]:
            with suppress(OSError):
                socket.socket.shutdown(sock, socket.SHUT_RDWR)  # beneath TLS, which is its thread's
        for thread in self._threads:
            thread.join(_ENDS_WITHIN)
            assert not thread.is_alive(), f"{thread.name} did not end"

    def _new_context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if self.ca is not None:
            context.load_cert_chain(self.ca)
        return context


@contextmanager
def misbehave(
    *faults: Fault | str,
    files: Mapping[str, bytes] = FILES,
    tls: TlsOffer = "off",
    machine_listings: bool = True,
    host: str = HOST,
) -> Iterator[MisbehavingServer]:
    """A server on a free port of ``host`` with all of ``faults``, objects or names of :data:`FAULTS`.

    It serves ``files``, octets by their paths from the root. ``tls`` offers it by AUTH or begins with it;
    ``machine_listings`` is whether there is MLSD beside LIST. Raises KeyError for the name of no fault.
    """
    chosen = [FAULTS[each]() if isinstance(each, str) else each for each in faults]
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with ExitStack() as stack:
        ca = None
        if tls != "off":
            ca = certificate_in(Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fairlead-"))), host)
        listener = stack.enter_context(socket.create_server((host, 0), family=family))
        server = MisbehavingServer(listener, chosen, files, tls=tls, ca=ca, machine_listings=machine_listings)
        thread = threading.Thread(target=server.serve, name="misbehaving server")
        thread.start()
        try:
            yield server
        finally:
            server.stop()
            thread.join(_ENDS_WITHIN)
