"""``python -m benchmarks.instructions.dialogues MARKS``: the dialogues, run in callgrind by :mod:`.count`.

MARKS is the compiled library of ``benchmarks/marks``. For each dialogue callgrind writes one file, which bears its name
and the number of operations that it counts.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import os
import re
import socket
import sys
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import suppress
from itertools import repeat
from pathlib import Path

from fairlead.cli import serve
from fairlead.cli.attendance import attend
from fairlead.config.build import build
from fairlead.config.loader import load
from fairlead.config.source import Source
from fairlead.server import Server, commands
from fairlead.server.control import Control
from fairlead.server.workers import keep_what_is_there

ENTRIES = 100
"""Entries of the directory that is listed."""
KIB = b"x" * 1024
YARDSTICK = "yardstick"


class Peer:
    """A client, and the transport that the server's end of its control connection has instead of an event loop's."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.client, self._server_end = socket.socketpair()
        self.client.setblocking(False)
        self._open = True
        self.control = Control(server)
        self.control.connection_made(self)  # type: ignore[arg-type] # it has what a transport is asked here
        self.read()

    def get_extra_info(self, name: str) -> object:
        """As a transport has it."""
        return {"peername": ("127.0.0.1", 50000), "sockname": ("127.0.0.1", 21), "socket": self._server_end}[name]

    def get_write_buffer_size(self) -> int:
        """Nothing ever waits to be written."""
        return 0

    def is_closing(self) -> bool:
        """Whether the server has closed its end."""
        return not self._open

    def write(self, data: bytes) -> None:
        """Octets for the client."""
        self._server_end.send(data)

    def close(self) -> None:
        """The server ends the connection."""
        self._open = False

    def pause_reading(self) -> None:
        """The client of a dialogue never is ahead."""

    resume_reading = pause_reading

    def read(self) -> bytes:
        """What the server has said."""
        with suppress(BlockingIOError):
            return self.client.recv(1 << 20)
        return b""

    def say(self, line: bytes) -> bytes:
        """Send a command that is answered at once; the reply."""
        self.control.data_received(line + b"\r\n")
        return self.read()

    def login(self) -> None:
        """Log in and choose the representation that clients choose."""
        for line in (b"USER bench", b"PASS bench", b"TYPE I"):
            self.say(line)

    def data(self) -> socket.socket:
        """A data connection by EPSV."""
        found = re.search(rb"\|\|\|(\d+)\|", self.say(b"EPSV"))
        assert found is not None
        return socket.create_connection(("127.0.0.1", int(found[1])))

    async def until(self, code: bytes) -> None:
        """Let the event loop turn until the reply ``code`` is there."""
        while code not in self.read():  # noqa: ASYNC110 - it is the turns of the loop that are wanted
            await asyncio.sleep(0)

    def end(self) -> None:
        """What the event loop does once the server has closed the connection."""
        self.control.connection_lost(None)
        self.client.close()
        self._server_end.close()


async def noop(peer: Peer) -> int:
    """One command at a time."""
    peer.say(b"NOOP")
    return 1


async def pipelined(peer: Peer) -> int:
    """A hundred commands at once."""
    peer.control.data_received(b"NOOP\r\n" * 100)
    peer.read()
    return 100


async def login(peer: Peer) -> int:
    """From the greeting to QUIT."""
    other = Peer(peer.server)
    other.login()
    other.say(b"QUIT")
    while not other.is_closing():  # noqa: ASYNC110 - as above
        await asyncio.sleep(0)
    other.end()
    return 1


async def retrieve(peer: Peer) -> int:
    """EPSV and RETR of 1 KiB."""
    with peer.data() as connection:
        peer.control.data_received(b"RETR small\r\n")
        await peer.until(b"226 ")
        assert connection.recv(4096) == KIB
    return 1


async def store(peer: Peer) -> int:
    """EPSV and STOR of 1 KiB."""
    with peer.data() as connection:
        connection.sendall(KIB)
        connection.shutdown(socket.SHUT_WR)
        peer.control.data_received(b"STOR new\r\n")
        await peer.until(b"226 ")
    return 1


async def mlsd(peer: Peer) -> int:
    """EPSV and MLSD; each entry is an operation."""
    with peer.data() as connection:
        peer.control.data_received(b"MLSD many\r\n")
        await peer.until(b"226 ")
        assert connection.recv(1 << 20).count(b"\r\n") >= ENTRIES
    return ENTRIES


async def yardstick(_: Peer) -> int:
    """Plain Python of the kinds that the server is made of: calls, attributes, dictionaries, octets and text."""
    for number in range(100):
        record = _Record(number)
        record.table[b"NOOP"] = record.text().encode().split(b" ")
    return 100


class _Record:
    def __init__(self, number: int) -> None:
        self.number = number
        self.table: dict[bytes, list[bytes]] = {}

    def text(self) -> str:
        return f"{self.number} a line of text".upper().replace("A", "b")


DIALOGUES: dict[str, tuple[Callable[[Peer], Awaitable[int]], int]] = {
    YARDSTICK: (yardstick, 10),
    "noop": (noop, 200),
    "noop-pipelined": (pipelined, 4),
    "login": (login, 40),
    "retr-1k": (retrieve, 40),
    "stor-1k": (store, 40),
    "mlsd": (mlsd, 4),
}
"""Each dialogue, and how often it is repeated."""


async def converse(marks: ctypes.CDLL, directory: Path) -> None:
    """Run all dialogues with a server as the command line makes it by default."""
    source = Source()
    source.put(("storage", "root"), str(directory), "DIRECTORY")
    source.put(("anonymous", "enabled"), False, "--user")
    source.put(("storage", "durability"), "relaxed", "the dialogues")  # a disk has no instructions
    config = load(None, options=source)
    built = build(config, users=serve.users(["bench:bench"]), write=True)
    server = Server(
        storage=built.storage, accounts=built.accounts, settings=built.settings.replace(listen=[("127.0.0.1", 0)])
    )
    for stored in built.stores:
        stored.pace.clock = repeat(0.0).__next__  # callgrind takes so long that each call would seem to wait
    attend(server, config, built.stores)
    commands.load()
    async with server:
        peer = Peer(server)
        peer.login()
        for name, (dialogue, times) in DIALOGUES.items():
            for _ in range(3):  # caches fill, the interpreter adapts
                await dialogue(peer)
            keep_what_is_there()
            marks.begin()
            operations = 0
            for _ in range(times):
                operations += await dialogue(peer)
            marks.end(f"{name}={operations}".encode())
        peer.say(b"QUIT")
        peer.end()


def main(library: str) -> None:
    """Make a directory with what the dialogues ask for, and run them."""
    os.environ.pop("FAIRLEAD_CONFIG", None)
    gc.collect()
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder)
        (directory / "small").write_bytes(KIB)
        (directory / "many").mkdir()
        for number in range(ENTRIES):
            (directory / "many" / f"file{number:03}").touch()
        asyncio.run(converse(ctypes.CDLL(library), directory))


if __name__ == "__main__":
    main(*sys.argv[1:])
