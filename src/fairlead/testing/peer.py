"""A scripted server on real sockets: a function in a thread that expects commands and sends what it likes."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

DEADLINE = 20.0
"""Seconds that any one step may take."""


class Peer:
    """The server's end of one session."""

    def __init__(self, control: socket.socket) -> None:
        control.settimeout(DEADLINE)
        # A Synch that comes as urgent data is seen where it stands in the stream.
        control.setsockopt(socket.SOL_SOCKET, socket.SO_OOBINLINE, 1)
        self.control = control
        self.lines = control.makefile("rb")

    def send(self, text: str) -> None:
        """Send a reply."""
        self.control.sendall(f"{text}\r\n".encode())

    def expect(self, line: str, *replies: str) -> None:
        """Take the next command, which must be ``line``, and answer it."""
        came = self.lines.readline().rstrip(b"\r\n").decode("utf-8", "surrogateescape")
        assert came == line, f"{came!r} came, {line!r} was due"
        for reply in replies:
            self.send(reply)

    def greet(self) -> None:
        """Greet, and offer no TLS."""
        self.send("220 ready")
        self.expect("FEAT", "500 what?")
        self.expect("AUTH TLS", "500 what?")

    def log_in(self) -> None:
        """Greet, and let an anonymous user in who finds no features."""
        self.greet()
        self.expect("USER anonymous", "230 in")
        self.expect("FEAT", "500 what?")

    def log_in_briefly(self) -> None:
        """Greet, and let an anonymous user in who asks for nothing else."""
        self.greet()
        self.expect("USER anonymous", "230 in")

    @contextmanager
    def passive(self, *, backlog: int = 1) -> Iterator[socket.socket]:
        """Serve one EPSV; the block gets the data connection."""
        host = self.control.getsockname()[0]
        with socket.create_server((host, 0), family=self.control.family, backlog=backlog) as listener:
            listener.settimeout(DEADLINE)
            self.expect("EPSV", f"229 ok (|||{listener.getsockname()[1]}|)")
            data, _ = listener.accept()
        with data:
            data.settimeout(DEADLINE)
            yield data


def read_all(data: socket.socket) -> bytes:
    """Everything up to the end of the connection."""
    pieces = []
    while piece := data.recv(1 << 20):
        pieces.append(piece)
    return b"".join(pieces)


@dataclass
class Scripted:
    """A listening server; ``failure`` is what went wrong in its script."""

    host: str
    port: int
    failure: list[BaseException] = field(default_factory=list)

    @property
    def url(self) -> str:
        """For an anonymous user."""
        return f"ftp://[{self.host}]:{self.port}" if ":" in self.host else f"ftp://{self.host}:{self.port}"


@contextmanager
def scripted(*scripts: Callable[[Peer], None], host: str = "127.0.0.1") -> Iterator[Scripted]:
    """Play a script to each client that connects within the block, in order; their failures fail the test."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, 0), family=family) as listener:
        listener.settimeout(DEADLINE)
        server = Scripted(host, listener.getsockname()[1])

        def play(control: socket.socket, script: Callable[[Peer], None]) -> None:
            try:
                with control:
                    peer = Peer(control)
                    with peer.lines:
                        script(peer)
            except BaseException as error:  # noqa: BLE001 - it is raised in the test's own thread
                server.failure.append(error)

        def serve() -> None:
            players = []
            try:
                for script in scripts:
                    control, _ = listener.accept()
                    players.append(threading.Thread(target=play, args=(control, script)))
                    players[-1].start()
            except BaseException as error:  # noqa: BLE001 - it is raised in the test's own thread
                server.failure.append(error)
            for player in players:
                player.join(DEADLINE)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield server
        finally:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            thread.join(DEADLINE)
            for failure in server.failure:
                raise failure  # with what it led to in the block, if anything, as its context
        assert not thread.is_alive()
