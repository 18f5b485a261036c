"""Data ports: how a session's next data connection comes about, and the connection itself.

A data port is what PORT, EPRT, PASV and EPSV settle (RFC 959 section 3.2, RFC 2428). The server calls out from an
:class:`~fairlead.server.active.ActivePort` and is called on a :class:`~fairlead.server.passive.PassivePort`; either way
:meth:`DataPort.open` ends with a connected, non-blocking socket.
"""

from __future__ import annotations

import socket
from contextlib import suppress
from math import inf
from typing import TYPE_CHECKING, TypeAlias

from fairlead.errors import DataConnectionError, ProtocolError

if TYPE_CHECKING:
    from fairlead.server.protected import Protected
    from fairlead.server.session import Session
    from fairlead.server.stepping import Wait

RawConnection: TypeAlias = socket.socket  # noqa: TID251 - the kind of object, none is made
Connection: TypeAlias = "RawConnection | Protected"
"""A connected, non-blocking data connection."""

MAPPED = "::ffff:"
CALLING = "CPSV"
"""The mode of a passive port on which this end is the client of TLS."""


def plain_address(host: str) -> str:
    """An IPv4-mapped IPv6 address as IPv4, a scoped one without its zone; any other as it is."""
    if host.startswith(MAPPED) and "." in host:
        return host[len(MAPPED) :]
    return host


def without_zone(host: str) -> str:
    """The address without the zone of a link-local one, as it is compared and written on the wire."""
    return host.partition("%")[0]


class DataPort:
    """Where the next data connection comes from; ``mode`` is how it was set up, as logs and STAT show it."""

    __slots__ = ("_wait", "expires", "mode")

    sticky = False
    """Whether it serves further transfers (PORT, RFC 959 section 4.1.2) or one only (PASV, RFC 1123 4.1.2.6)."""
    kept = False
    """Whether the data connection is there already, from a transfer before."""
    base: DataPort | None = None
    """What takes its place once it is used up."""
    early = b""
    """What came over the data connection before the transfer it belongs to."""

    def __init__(self, mode: str) -> None:
        self.mode = mode
        self.expires = inf
        """The loop's time at which it is closed unless a transfer uses it."""
        self._wait: Wait | None = None

    def take(self, session: Session) -> Connection | None:
        """A connection that is there already. Raises DataConnectionError with the cause."""
        return None

    async def open(self, session: Session) -> Connection:
        """The connection, waiting for it. Raises DataConnectionError with the cause."""
        raise NotImplementedError

    def ended(self) -> bool:
        """Whether a data connection that was kept is of no use any more."""
        return False

    def describe(self) -> str:
        """What STAT says of it."""
        raise NotImplementedError

    def timed_out(self, session: Session) -> DataConnectionError:
        """The error for a connection that was not made in time."""
        raise NotImplementedError

    def stop(self, error: Exception) -> None:
        """End a running :meth:`open` with ``error``."""
        if self._wait is not None:
            self._wait.end(error)

    def expire(self, session: Session) -> None:
        """Nobody used it in time."""
        self.expires = inf
        self.give_up(session)

    def give_up(self, session: Session) -> None:
        """Another takes its place, or none."""
        self.close()

    def close(self) -> None:
        """Release what it holds."""


class KeptPort(DataPort):
    """A data connection that outlived a transfer whose end was marked in the data (RFC 959 section 3.3).

    ``early`` is what came after that end; ``base`` what PORT or EPRT set, which serves again once this is gone.
    """

    __slots__ = ("_connection", "base", "early")
    kept = True

    def __init__(self, mode: str, connection: Connection, early: bytes, base: DataPort | None) -> None:
        super().__init__(mode)
        self._connection: Connection | None = connection
        self.early = early
        self.base = base

    def ended(self) -> bool:
        """Whether the peer has closed it, with nothing left to receive."""
        assert self._connection is not None
        try:
            return not self._connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) and not self.early
        except BlockingIOError:
            return False
        except (OSError, ProtocolError):
            return True

    def take(self, session: Session) -> Connection | None:
        """The connection, which from now on is the transfer's."""
        connection, self._connection = self._connection, None
        return connection

    def describe(self) -> str:
        """The connection, for STAT."""
        return f"The data connection is open ({self.mode})"

    def close(self) -> None:
        """Close the connection, unless a transfer took it."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        if not isinstance(connection, RawConnection):
            with suppress(OSError):  # who has all may be gone
                connection.end()
        connection.close()
