"""Data connections that a load balancer makes on behalf of clients, by the PROXY protocol."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from fairlead.errors import ProtocolError
from fairlead.proto.proxy import ProxyReader

if TYPE_CHECKING:
    from fairlead.server.data import RawConnection

HEADER_TIME = 5.0
"""Seconds that a proxy has for its header."""
CHUNK = 4096


class Call:
    """A connection of a proxy to a passive port, whose header is awaited."""

    __slots__ = ("_reader", "connection", "due", "proxy")

    def __init__(self, connection: RawConnection, proxy: str, now: float) -> None:
        self.connection = connection
        self.proxy = proxy
        self.due = now + HEADER_TIME
        """The loop's time at which the header is waited for no longer."""
        self._reader = ProxyReader()

    def caller(self) -> str:
        """The address of the client that it is for, once known; what follows the header is left in the connection.

        Raises BlockingIOError while the header is not whole, ProtocolError where there is none or it does not tell,
        OSError.
        """
        while True:
            seen = self.connection.recv(CHUNK, socket.MSG_PEEK | socket.MSG_DONTWAIT)
            if not seen:
                raise ProtocolError("the connection ended")
            header = self._reader.feed(seen)
            self.connection.recv(len(seen) if header is None else header.size)
            if header is not None:
                if header.ends is None:
                    raise ProtocolError("the PROXY header does not name the client")
                return header.ends.client[0]
