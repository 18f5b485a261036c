"""A proxy of a few octets: it takes what is due, answers it, and keeps what it heard."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TypeAlias

HOST = "127.0.0.1"
DEADLINE = 10.0
Turn: TypeAlias = "tuple[int | bytes, Sequence[bytes]]"
"""What is awaited, so many octets or those at the end, and what answers it, each in a packet of its own."""


class Doorkeeper:
    """Takes one connection and has its turns in order; ``heard`` is all that came."""

    def __init__(self, listener: socket.socket, turns: Sequence[Turn]) -> None:
        self.port: int = listener.getsockname()[1]
        self.heard = b""
        self._listener = listener
        self._turns = turns

    def play(self) -> None:
        """Have all turns, then wait until the client leaves."""
        connection, _ = self._listener.accept()
        with connection, suppress(OSError):  # whoever was refused may leave in a hurry
            connection.settimeout(DEADLINE)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for awaited, packets in self._turns:
                self._hear(connection, awaited)
                for packet in packets:
                    connection.sendall(packet)
            if self._turns[-1][1]:
                with suppress(OSError):  # ENOTCONN is no ConnectionError
                    connection.shutdown(socket.SHUT_WR)
            connection.recv(1)

    def _hear(self, connection: socket.socket, awaited: int | bytes) -> None:
        came = b""
        while (len(came) < awaited) if isinstance(awaited, int) else not came.endswith(awaited):
            piece = connection.recv(awaited - len(came) if isinstance(awaited, int) else 4096)
            if not piece:
                raise ConnectionResetError("the client has left")
            came += piece
        self.heard += came


@contextmanager
def doorkeeper(*turns: Turn) -> Iterator[Doorkeeper]:
    """One that answers within the block."""
    with socket.create_server((HOST, 0)) as listener:
        listener.settimeout(DEADLINE)
        keeper = Doorkeeper(listener, turns)
        thread = threading.Thread(target=keeper.play)
        thread.start()
        try:
            yield keeper
        finally:
            thread.join(DEADLINE)
