"""A server in a thread of its own, and a raw control connection to it: what a test types is what goes over the wire."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from types import TracebackType
from typing import Any, Self

from fairlead.events import Bus
from fairlead.proto.reply import Reply, ReplyParser
from fairlead.server import Server
from fairlead.storage.base import Storage
from fairlead.testing import running

DEADLINE = running.DEADLINE
WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
"""The number of this process among those that run tests."""


class Running(running.Running):
    """A server that is listening, and what tests of the server want of it."""

    def connect(self, family: int = 4, source: tuple[str, int] | None = None) -> Control:
        """A control connection whose greeting has been read."""
        control = Control(socket.create_connection(self.address(family), DEADLINE, source))
        assert control.read().code == 220
        return control

    def login(
        self, user: str = "me", password: str = "secret", family: int = 4, source: tuple[str, int] | None = None
    ) -> Control:
        """A logged-in control connection, under TYPE I."""
        control = self.connect(family, source)
        assert control.ask(f"USER {user}").code == 331
        assert control.ask(f"PASS {password}").code == 230
        assert control.ask("TYPE I").code == 200
        return control

    def await_condition(self, condition: Callable[[], bool]) -> None:
        """Wait until ``condition`` holds, looking again and again."""
        deadline = time.monotonic() + DEADLINE
        while not condition():
            assert time.monotonic() < deadline, "what was waited for did not come about"
            time.sleep(0.001)  # between two looks

    def await_work(self) -> str:
        """Wait until a session transfers something or has long work to do; its verb and path."""

        def work() -> str:
            found = (session.transfer for session in self.server.sessions() if session.transfer is not None)
            return next((f"{transfer.verb} {transfer.path}" for transfer in found), "")

        self.await_condition(lambda: bool(self.call(work)))
        return str(self.call(work))

    def await_idle(self) -> None:
        """Wait until no session is left and everything that sessions held is given back."""
        server = self.server
        deadline = time.monotonic() + DEADLINE
        while self.call(lambda: len(server.sessions()) + server.pool.in_use):
            assert time.monotonic() < deadline, "sessions or passive ports are left over"

    def stop(self, grace: float) -> Future[None]:
        """Begin to stop the server gracefully."""
        return asyncio.run_coroutine_threadsafe(self.server.stop(grace), self.loop)

    def settle(self) -> None:
        """Let the server end the turn it is in."""
        self.call(lambda: None)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep the server's event loop from turning meanwhile."""
        held, release = threading.Event(), threading.Event()

        def hold() -> None:
            held.set()
            release.wait(DEADLINE)

        self.loop.call_soon_threadsafe(hold)
        assert held.wait(DEADLINE)
        try:
            yield
        finally:
            release.set()


def _ports() -> Iterator[int]:
    """Ports below those the system gives to callers; each process that runs tests begins elsewhere."""
    first = 12_000 + WORKER % 8 * 2_000
    while True:
        yield from range(first, first + 2_000, 2)


_PORTS = _ports()


def free_port() -> int:
    """A port nobody has, nor the one before it, from which active data connections leave."""
    for port in _PORTS:
        with ExitStack() as stack:
            try:
                for host, family in (("127.0.0.1", socket.AF_INET), ("::1", socket.AF_INET6)):
                    stack.enter_context(socket.create_server((host, port), family=family))
                    stack.enter_context(socket.create_server((host, port - 1), family=family))
            except OSError:
                continue
        return port
    raise AssertionError


@contextmanager
def serving(
    storage: Storage, run: Callable[[Coroutine[Any, Any, None]], None] = asyncio.run, /, **arguments: Any
) -> Iterator[Running]:
    """A server of ``storage`` with the arguments of :class:`Server`, on a free port of both loopback addresses.

    ``run`` runs its event loop.
    """
    port = free_port()
    arguments.setdefault("listen", (("127.0.0.1", port), ("::1", port)))
    with running.running(Server(storage=storage, events=Bus(), **arguments), Running, run=run) as there:
        yield there


class Control:
    """A control connection: octets out, replies in."""

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        self._parser = ReplyParser()
        self._replies: list[Reply] = []
        self.raw = bytearray()
        """All that the server sent."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def send(self, line: str | bytes) -> None:
        """Send a line as it is, with CR LF after it."""
        data = line.encode("utf-8", "surrogateescape") if isinstance(line, str) else line
        self.socket.sendall(data + b"\r\n")

    def read(self) -> Reply:
        """The next reply."""
        while not self._replies:
            data = self.socket.recv(65536)
            assert data, "the server closed the control connection"
            self.raw += data
            self._replies += self._parser.feed(data)
        return self._replies.pop(0)

    def read_codes(self, count: int) -> list[int]:
        """The codes of the next ``count`` replies."""
        return [self.read().code for _ in range(count)]

    def codes(self, *lines: str | bytes) -> list[int]:
        """Send lines, each after the reply to the one before; the code of each reply."""
        return [self.ask(line).code for line in lines]

    def ask(self, line: str | bytes) -> Reply:
        """Send a line and read one reply."""
        self.send(line)
        return self.read()

    def at_end(self) -> bool:
        """Whether the server closes the connection without saying more."""
        return not self._replies and self.socket.recv(1) == b""

    def passive(self, command: str = "EPSV") -> socket.socket:
        """A data connection made by EPSV or PASV."""
        reply = self.ask(command)
        host = self.socket.getpeername()[0]
        if command.startswith("EPSV"):
            assert reply.code == 229, reply
            port = int(reply.text.split("|")[3])
        else:
            assert reply.code == 227, reply
            high, low = reply.text.split("(")[1].split(")")[0].split(",")[-2:]
            port = int(high) * 256 + int(low)
        return socket.create_connection((host, port), DEADLINE)

    def narrow(self) -> socket.socket:
        """A data connection made by EPSV, whose receiver takes few octets before it is read."""
        host = self.socket.getpeername()[0]
        connection = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(DEADLINE)
        connection.connect((host, int(self.ask("EPSV").text.split("|")[3])))
        return connection

    def listener(self, host: str | None = None) -> socket.socket:
        """A listener at ``host`` or at this end of the control connection."""
        here = host or self.socket.getsockname()[0]
        listener = socket.create_server((here, 0), family=socket.AF_INET6 if ":" in here else socket.AF_INET)
        listener.settimeout(DEADLINE)
        return listener

    def active(self, command: str = "EPRT", host: str | None = None) -> socket.socket:
        """A listener whose address was given by EPRT or PORT; the server calls it when a transfer begins."""
        listener = self.listener(host)
        here = listener.getsockname()[0]
        port = listener.getsockname()[1]
        if command == "EPRT":
            argument = f"|{2 if ':' in here else 1}|{here}|{port}|"
        else:
            argument = f"{here.replace('.', ',')},{port >> 8},{port & 255}"
        assert self.ask(f"{command} {argument}").code == 200
        return listener

    def fetch(self, command: str | bytes, mode: str = "EPSV") -> bytes:
        """The data of RETR, LIST, NLST or MLSD; asserts that it ended well."""
        with self.open(mode) as data:
            assert self.ask(command).code in {125, 150}
            received = receive(data)
        assert self.read().code in {226, 250}
        return received

    def store(self, command: str | bytes, data: bytes, mode: str = "EPSV") -> Reply:
        """Send ``data`` with STOR, APPE or STOU; the final reply."""
        with self.open(mode) as connection:
            assert self.ask(command).code in {125, 150}
            connection.sendall(data)
        return self.read()

    @contextmanager
    def open(self, mode: str) -> Iterator[Data]:
        """A data connection in any mode; in active mode it exists once the server has called."""
        if mode in {"EPSV", "PASV"}:
            with self.passive(mode) as connection:
                yield Data(connection)
        else:
            with self.active(mode) as listener:
                data = Data(listener, called=True)
                yield data
                data.close()

    def close(self) -> None:
        self.socket.close()


class Data:
    """A data connection of either kind."""

    def __init__(self, connection: socket.socket, *, called: bool = False) -> None:
        self._listener = connection if called else None
        self._connection = None if called else connection

    @property
    def connection(self) -> socket.socket:
        """The connected socket; accepts the server's call the first time."""
        if self._connection is None:
            assert self._listener is not None
            self._connection, _ = self._listener.accept()
            self._connection.settimeout(DEADLINE)
        return self._connection

    def sendall(self, data: bytes) -> None:
        self.connection.sendall(data)

    def recv(self, size: int) -> bytes:
        return self.connection.recv(size)

    def close(self) -> None:
        self.connection.close()


def receive(data: Data | socket.socket) -> bytes:
    """Everything up to the end of the data connection."""
    received = bytearray()
    while piece := data.recv(1 << 20):
        received += piece
    return bytes(received)


def reset(connection: socket.socket) -> None:
    """Close with a reset in place of an end."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
