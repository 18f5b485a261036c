"""How a data connection ends: its sides, what its peer has acknowledged, and what must not be lost by closing it."""

from __future__ import annotations

import errno
import fcntl
import os
import socket
import struct
from typing import TYPE_CHECKING

from fairlead.server.data import Connection, RawConnection
from fairlead.server.dtp import PIECES, SMALL
from fairlead.server.pump import lost

if TYPE_CHECKING:
    from asyncio.trsock import TransportSocket


def unacknowledged(connection: Connection | TransportSocket) -> int:
    """Octets that the peer's system has not acknowledged."""
    import termios  # noqa: PLC0415 - for a number that small files do without

    return int(struct.unpack("i", fcntl.ioctl(connection, termios.TIOCOUTQ, b"\0\0\0\0"))[0])


def shut(connection: Connection, how: int) -> None:
    """End one side or both (``how`` as in :meth:`socket.socket.shutdown`). Raises DataConnectionError."""
    try:
        connection.shutdown(how)
    except OSError as error:
        if error.errno != errno.ENOTCONN:
            raise lost(error) from error


def reset_at_close(connection: Connection) -> None:
    """Let closing tell the sender at once that nothing more is taken.

    An orderly end would leave one whose last octets filled the window asking for room, for a minute under Linux.
    """
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def check_unbroken(connection: Connection) -> None:
    """Raise DataConnectionError where the connection broke while nobody looked."""
    number = connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if number:
        raise lost(OSError(number, os.strerror(number)))


def discard_incoming(connection: Connection) -> bool:
    """Read away what a receiver sent against the rules, else closing would reset the connection; whether it ended.

    One who never stops keeps nobody else waiting: he is left to what closing does.
    """
    raw = connection if isinstance(connection, RawConnection) else connection.raw
    try:
        for _ in range(PIECES):
            if not raw.recv(SMALL, socket.MSG_DONTWAIT):
                return True
    except BlockingIOError:
        return False
    except OSError as error:
        raise lost(error) from error
    return False
