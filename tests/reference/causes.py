"""Real sessions that end in a cause which needs no firewall, recorded for the pages of ``docs/reach``.

The server is Fairlead's where it can be brought to it, else a peer that plays one on a real socket. What the client
raises stands at the end of a ladder under the cause that the diagnosis names for it.
"""

from __future__ import annotations

import socket
import ssl
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from fairlead.accounts.memory import MemoryAccounts
from fairlead.client._wire import Address, Stream, Wire
from fairlead.client._wires.blocking import BlockingWire
from fairlead.client._wires.sockets import SocketCall
from fairlead.client._wires.tls import TlsProtection, TlsStream
from fairlead.client.ladder import Recorder
from fairlead.client.settings import Settings
from fairlead.errors import DataConnectionError, FairleadError
from fairlead.ladder.model import Ladder
from fairlead.reach.cause import Cause
from fairlead.storage.local import LocalStorage
from fairlead.testing.peer import DEADLINE, Peer, scripted
from fairlead.tls import Tls
from tests.certificates import Pair, make
from tests.client.script import client_over
from tests.peers.process import free_port
from tests.reference.stable import FIRST_SERVER_PORT, Names, stable
from tests.server import secure
from tests.server.session import Running, serving

USER, PASSWORD = "me", "secret"
FILE = "report.txt"
CLIENT, SERVER, OTHER_LINE = "127.0.0.1", "127.0.0.2", "127.0.0.3"
HOSTS = {CLIENT: "198.51.100.10", SERVER: "203.0.113.21", OTHER_LINE: "198.51.100.99"}
"""What stands for them on the pages (RFC 5737), the same as in the laboratory."""
UNKNOWN_NAME = "ftp.example.invalid"
"""A name that never resolves (RFC 6761 section 6.4)."""
NO_SUCH_NAME = "Name or service not known"
STALL = 3.0
CALL = 2.2
"""Seconds that the server waits for a call; told as whole ones."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """How to record the session that a page shows, and where that is done."""

    session: Callable[[], Ladder | None]
    where: str


@contextmanager
def server(**arguments: Any) -> Iterator[Running]:
    """Fairlead's server with one file."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, FILE).write_text("0123456789abcdef\n")
        with closing(LocalStorage(folder, durability="relaxed")) as storage:
            accounts = MemoryAccounts.sharing(storage, {USER: PASSWORD})
            listen = ((SERVER, free_port(SERVER)),)
            with serving(storage, accounts=accounts, listen=listen, **arguments) as running:
                yield running


@contextmanager
def certificate() -> Iterator[Pair]:
    """A certificate for the server."""
    with tempfile.TemporaryDirectory() as folder:
        yield make(Path(folder), "server", SERVER)


class FromOtherLine(BlockingWire):
    """Calls passive ports from another address than that of the control connection."""

    def __init__(self, control: int) -> None:
        self._control = control

    def call(self, address: Address) -> SocketCall:
        """A call from the one address or the other."""
        return SocketCall(address) if address[1] == self._control else _FromOtherLine(address)


class _FromOtherLine(SocketCall):
    def __init__(self, address: Address) -> None:
        super(SocketCall, self).__init__(socket.create_connection(address, DEADLINE, (OTHER_LINE, 0)), address)


class Forgetful(BlockingWire):
    """Begins a new TLS session for each connection."""

    def protection(self, host: str, settings: Settings) -> TlsProtection:
        """TLS that offers no session."""
        return _Forgetful(host, settings)


class _Forgetful(TlsProtection):
    def data(self, stream: Stream) -> TlsStream:
        return TlsStream(stream, Tls(self._context, server_name=self._name), self)


def met(
    cause: Cause,
    port: int,
    *,
    host: str = SERVER,
    wire: Wire | None = None,
    before: Callable[[], object] = lambda: None,
    ports: Mapping[int, int] = MappingProxyType({}),
    **options: Any,
) -> Ladder:
    """A listing that fails for ``cause``; ``before`` happens between the login and it.

    ``ports`` are those that stand for others beside the control port.
    """
    recorder = Recorder()
    options = {"tls": "off", "mode": "epsv", "trace": recorder, **options}
    try:
        with client_over(wire or BlockingWire(), f"ftp://{USER}:{PASSWORD}@{host}:{port}", **options) as ftp:
            before()
            ftp.names()
    except FairleadError as error:
        recorder.failed(DataConnectionError(cause, str(error)))
    else:
        raise AssertionError("it worked")
    return stable(recorder.ladder(), Names(HOSTS, port, dict(ports)))


class Played:
    """A server in a few lines: it opens passive ports, and ``listing`` is what comes over them, in clear.

    None for nothing, ever. ``answers`` are replies by their commands.
    """

    def __init__(self, listing: bytes | None = None, **answers: str) -> None:
        self._listing = listing
        self._answers = {
            "USER": "331 Password required.",
            "PASS": "230 Logged in.",
            "PBSZ": "200 PBSZ=0",
            "PROT": "200 Protection set.",
            "TYPE": "200 Type set.",
            "NLST": "150 Here comes the listing.",
            "QUIT": "221 Goodbye.",
            **answers,
        }

    def __call__(self, peer: Peer) -> None:
        """Serve a session from its greeting to its end."""
        peer.send("220 FTP server ready.")
        self.serve(peer)

    def serve(self, peer: Peer) -> None:
        """Serve a session that was greeted."""
        with ExitStack() as stack, suppress(OSError):  # the client need not end in order
            listener = stack.enter_context(socket.create_server((SERVER, 0)))
            port = listener.getsockname()[1]
            answers = {"EPSV": f"229 Entering extended passive mode (|||{port}|).", **self._answers}
            for line in peer.lines:
                verb = line.split()[0].decode()
                peer.send(answers.get(verb, "500 Unknown command."))
                if verb == "NLST":
                    data = stack.enter_context(listener.accept()[0])
                    if self._listing is not None:
                        data.sendall(self._listing)
                        data.shutdown(socket.SHUT_WR)


def port_of(running: Running) -> int:
    """The control port."""
    return running.address()[1]


def _let_go(peer: Peer) -> None:
    """Wait until the client is gone, in order or not."""
    with suppress(OSError):
        peer.lines.read()


def control_unresolved() -> Ladder | None:
    """A name that nobody has; None where the name servers do not answer."""
    ladder = met(Cause.CONTROL_UNRESOLVED, 21, host=UNKNOWN_NAME)
    return ladder if any(NO_SUCH_NAME in step.note for step in ladder.steps) else None


def control_lost() -> Ladder:
    """The server is stopped while somebody is logged in."""
    with server() as running:
        return met(Cause.CONTROL_LOST, port_of(running), before=lambda: running.stop(0).result(DEADLINE))


def not_ftp() -> Ladder:
    """A server of another protocol."""

    def greets(peer: Peer) -> None:
        peer.send("SSH-2.0-OpenSSH_9.2p1 Debian-2")
        _let_go(peer)

    with scripted(greets, host=SERVER) as peer:
        return met(Cause.NOT_FTP, peer.port)


def tls_required() -> Ladder:
    """Fairlead's server, told to let nobody in without TLS."""
    with certificate() as pair, server(tls=secure.settings(pair, required=True)) as running:
        return met(Cause.TLS_REQUIRED, port_of(running))


def tls_failed() -> Ladder:
    """Something in between that does not expect TLS answers what begins it."""

    def answers(peer: Peer) -> None:
        peer.send("220 FTP server ready.")
        peer.expect("AUTH TLS", "234 Proceed with negotiation.")
        peer.control.recv(1)
        peer.send("500 Unknown command.")
        _let_go(peer)

    with scripted(answers, host=SERVER) as peer:
        return met(Cause.TLS_FAILED, peer.port, tls="require")


def not_supported() -> Ladder:
    """A server of before 1998."""
    with scripted(Played(EPSV="500 EPSV not understood."), host=SERVER) as peer:
        return met(Cause.NOT_SUPPORTED, peer.port)


def refused_by_policy() -> Ladder:
    """Fairlead's server, told to call nobody."""
    with server(active=False) as running:
        return met(Cause.REFUSED_BY_POLICY, port_of(running), mode="port")


def passive_exhausted() -> Ladder:
    """Fairlead's server with one passive port, which another session has."""
    only = free_port(SERVER)
    with server(passive_ports=range(only, only + 1)) as running, running.login() as other:
        assert other.ask("EPSV").code == 229
        return met(Cause.PASSIVE_EXHAUSTED, port_of(running), ports={only: FIRST_SERVER_PORT})


def data_tls_failed() -> Ladder:
    """A server that agrees to PROT P and lists in clear."""
    with certificate() as pair:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pair.certificate, pair.key)

        def serves(peer: Peer) -> None:
            peer.send("220 FTP server ready.")
            peer.expect("AUTH TLS", "234 Proceed with negotiation.")
            with context.wrap_socket(peer.control, server_side=True) as control:
                protected = Peer(control)
                with protected.lines:
                    Played(f"{FILE}\r\n".encode()).serve(protected)

        with scripted(serves, host=SERVER) as peer:
            return met(Cause.DATA_TLS_FAILED, peer.port, tls="require", ca=pair.certificate)


def data_tls_not_resumed() -> Ladder:
    """Fairlead's server, told to insist on it, and a client that cannot."""
    with certificate() as pair, server(tls=secure.settings(pair, resumption="require")) as running:
        wire, port = Forgetful(), port_of(running)
        return met(Cause.DATA_TLS_NOT_RESUMED, port, wire=wire, tls="require", ca=pair.certificate)


def data_peer_refused() -> Ladder:
    """Fairlead's server, called from two addresses."""
    with server(data_connect_timeout=CALL) as running:
        port = port_of(running)
        return met(Cause.DATA_PEER_REFUSED, port, wire=FromOtherLine(port))


def data_stalled() -> Ladder:
    """A data connection over which nothing comes."""
    with scripted(Played(), host=SERVER) as peer:
        return met(Cause.DATA_STALLED, peer.port, data_timeout=STALL)


_OURS = "on one machine, with Fairlead's server"
_PLAYED = "on one machine, with a program that plays a server"
SESSIONS: Mapping[Cause, Recorded] = {
    Cause.CONTROL_UNRESOLVED: Recorded(control_unresolved, "with a name that nobody has"),
    Cause.CONTROL_LOST: Recorded(control_lost, f"{_OURS}, which was stopped meanwhile"),
    Cause.NOT_FTP: Recorded(not_ftp, f"{_PLAYED} of another protocol"),
    Cause.TLS_REQUIRED: Recorded(tls_required, f"{_OURS}, which lets nobody in without TLS"),
    Cause.TLS_FAILED: Recorded(tls_failed, f"{_PLAYED} and does not know TLS"),
    Cause.NOT_SUPPORTED: Recorded(not_supported, f"{_PLAYED} and does not know EPSV"),
    Cause.REFUSED_BY_POLICY: Recorded(refused_by_policy, f"{_OURS}, whose active mode is switched off"),
    Cause.PASSIVE_EXHAUSTED: Recorded(passive_exhausted, f"{_OURS}, whose one passive port another session has"),
    Cause.DATA_TLS_FAILED: Recorded(data_tls_failed, f"{_PLAYED} and lists in clear after `PROT P`"),
    Cause.DATA_TLS_NOT_RESUMED: Recorded(data_tls_not_resumed, f"{_OURS} and a client that offers no session"),
    Cause.DATA_PEER_REFUSED: Recorded(
        data_peer_refused, f"{_OURS} and a client that calls its passive port from another address"
    ),
    Cause.DATA_STALLED: Recorded(data_stalled, f"{_PLAYED} and sends no data"),
}
"""The causes whose sessions need no laboratory."""
