"""What passive ports and small files ask of the system: by the accelerator in one call each, else by Python's means.

Both do the same. Sockets are plain descriptors here: a small file is gone before an object for it is worth making.
"""

from __future__ import annotations

import errno
import os
import socket
import sys
from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple, Protocol

from fairlead import accelerator
from fairlead.server.data import RawConnection

if TYPE_CHECKING:
    import ctypes

BACKLOG = 16
SMALL = 64 << 10
"""Octets received at a time, and up to here the event loop moves the octets of a file itself."""
NOWHERE = 4096
"""Octets read away at a time that a receiver sent against the rules."""
PIECES = 64
"""How often at most, so that one who never stops keeps nobody else waiting; dataport.c has the same number."""


class Outcome(IntEnum):
    """What came of :meth:`Dtp.deliver` and :meth:`Dtp.collect`; ``dataport.c`` has the same numbers."""

    DONE = 0
    """All octets moved."""
    NOBODY = 1
    """Nobody has called."""
    STRANGER = 2
    """Somebody has called who is not the peer."""
    PARTLY = 3
    """Not all octets could be moved without waiting."""
    FAULT = 4
    """The file could not be written."""


OUTCOMES = tuple(Outcome)
"""By their numbers; calling the class takes longer than all else that a call of the accelerator takes in Python."""


class Delivery(NamedTuple):
    """What came of it, with the connection, where that is the caller's, and how many octets moved."""

    outcome: Outcome
    connection: int = -1
    moved: int = 0
    error: int = 0
    """The number of the error of a FAULT."""


DONE = Delivery(Outcome.DONE)
NOBODY = Delivery(Outcome.NOBODY)


class Dtp(Protocol):
    """The calls. All raise OSError."""

    def listen(self, host: str, port: int) -> int:
        """A socket that listens at an address of IPv4 or IPv6 (for that family alone) and does not block."""

    def deliver(self, listener: int, peer: bytes, octets: bytes) -> Delivery:
        """Take the call that waits at ``listener``, send ``octets`` if it comes from the address ``peer``, and close.

        Nothing is waited for. The connection is the caller's where the outcome is STRANGER or PARTLY.
        """

    def collect(self, listener: int, peer: bytes, file: int, limit: int) -> Delivery:
        """Take the call that waits, and write what has come over it, up to its end, where ``file`` stands.

        No more is received once ``limit`` octets have moved. The connection is the caller's but after NOBODY.
        """

    def receive(self, connection: int, file: int, limit: int) -> Delivery:
        """As :meth:`collect` for a ``connection`` that was taken, which stays the caller's even where it broke."""


class PortableDtp:
    """By Python's own means."""

    def listen(self, host: str, port: int) -> int:
        """See :class:`Dtp`."""
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family is socket.AF_INET6:
                listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            listener.bind((host, port))
            listener.listen(BACKLOG)
            return listener.detach()

    def deliver(self, listener: int, peer: bytes, octets: bytes) -> Delivery:
        """See :class:`Dtp`."""
        connection, is_peer = _take(listener, peer)
        if connection is None:
            return NOBODY
        try:
            if not is_peer:
                return Delivery(Outcome.STRANGER, connection.detach())
            sent = 0
            try:
                sent = connection.send(octets, socket.MSG_DONTWAIT)
                if sent == len(octets):
                    for _ in range(PIECES):
                        if not connection.recv(NOWHERE, socket.MSG_DONTWAIT):
                            break
                    return DONE
            except BlockingIOError:
                if sent == len(octets):
                    return DONE
            return Delivery(Outcome.PARTLY, connection.detach(), sent)
        finally:
            connection.close()

    def collect(self, listener: int, peer: bytes, file: int, limit: int) -> Delivery:
        """See :class:`Dtp`."""
        connection, is_peer = _take(listener, peer)
        if connection is None:
            return NOBODY
        if not is_peer:
            return Delivery(Outcome.STRANGER, connection.detach())
        try:
            delivery = self.receive(connection.fileno(), file, limit)
        except OSError:
            connection.close()
            raise
        connection.detach()
        return delivery

    def receive(self, connection: int, file: int, limit: int) -> Delivery:
        """See :class:`Dtp`."""
        receiving = adopt(connection)
        moved = 0
        try:
            while moved < limit:
                octets = receiving.recv(SMALL, socket.MSG_DONTWAIT)
                moved += len(octets)
                if not octets:
                    return Delivery(Outcome.DONE, connection, moved)
                try:
                    _write_all(file, octets)
                except OSError as error:
                    return Delivery(Outcome.FAULT, connection, moved, error.errno or 0)
        except BlockingIOError:
            pass
        finally:
            receiving.detach()
        return Delivery(Outcome.PARTLY, connection, moved)


def _take(listener: int, peer: bytes) -> tuple[RawConnection | None, bool]:
    """The call that waits, if any is there, and whether it comes from ``peer``."""
    listening = adopt(listener)
    try:
        connection, address = listening.accept()
    except OSError:
        return None, False
    finally:
        listening.detach()
    return connection, socket.inet_pton(connection.family, address[0].partition("%")[0]) == peer


def _write_all(file: int, octets: bytes) -> None:
    written = 0
    while written < len(octets):
        written += os.write(file, octets[written:])


class AcceleratedDtp:
    """By the accelerator; for one thread."""

    def __init__(self, library: ctypes.CDLL) -> None:
        import ctypes  # noqa: PLC0415 - large, and useless without the library

        class Result(ctypes.Structure):
            """``struct delivery`` of dataport.c."""

            _fields_ = (("moved", ctypes.c_size_t), ("connection", ctypes.c_int), ("error", ctypes.c_int))

        # Without types declared for their arguments calls take half the time: numbers go as int, octets by pointers.
        self._listen = library.fairlead_listen
        self._deliver = library.fairlead_deliver
        self._collect = library.fairlead_collect
        self._receive = library.fairlead_receive
        self._result = Result()
        self._at = ctypes.byref(self._result)
        self._addresses: dict[str, tuple[bytes, bytes]] = {}
        """The octets of an address before and behind those of the port (``struct sockaddr``)."""

    def listen(self, host: str, port: int) -> int:
        """See :class:`Dtp`."""
        ends = self._addresses.get(host)
        if ends is None:
            if "%" in host:  # the number of an interface is the resolver's to find
                return PortableDtp().listen(host, port)
            ends = self._addresses[host] = _around_port(host)
        address = ends[0] + port.to_bytes(2, "big") + ends[1]
        listener: int = self._listen(address, len(address), BACKLOG)
        if listener < 0:
            raise OSError(-listener, os.strerror(-listener))
        return listener

    def deliver(self, listener: int, peer: bytes, octets: bytes) -> Delivery:
        """See :class:`Dtp`."""
        outcome: int = self._deliver(listener, peer, len(peer), octets, len(octets), self._at)
        return DONE if outcome == 0 else self._delivery(outcome)

    def collect(self, listener: int, peer: bytes, file: int, limit: int) -> Delivery:
        """See :class:`Dtp`."""
        return self._delivery(self._collect(listener, peer, len(peer), file, limit, self._at))

    def receive(self, connection: int, file: int, limit: int) -> Delivery:
        """See :class:`Dtp`."""
        return self._delivery(self._receive(connection, file, limit, self._at))

    def _delivery(self, outcome: int) -> Delivery:
        if outcome == Outcome.NOBODY:
            return NOBODY
        if outcome < 0:
            raise OSError(-outcome, os.strerror(-outcome))
        result = self._result
        return Delivery(OUTCOMES[outcome], result.connection, result.moved, result.error)


def _around_port(host: str) -> tuple[bytes, bytes]:
    """What stands before and behind the port in a ``struct sockaddr_in`` or ``sockaddr_in6``."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    octets = socket.inet_pton(family, host)
    behind = bytes(4) + octets + bytes(4) if family is socket.AF_INET6 else octets + bytes(8)
    return family.to_bytes(2, sys.byteorder), behind


def best() -> Dtp:
    """The accelerator where there is one."""
    _, library = accelerator.find()
    return PortableDtp() if library is None else AcceleratedDtp(library)


def adopt(descriptor: int, family: int = -1) -> RawConnection:
    """The socket of ``descriptor``, which does not block, as an object; its ``family`` need not be known."""
    adopted = RawConnection(family, socket.SOCK_STREAM, socket.IPPROTO_TCP, descriptor)
    adopted.setblocking(False)
    return adopted


def out_of_descriptors(error: OSError) -> bool:
    """Whether no descriptor was left."""
    return error.errno in (errno.EMFILE, errno.ENFILE)
