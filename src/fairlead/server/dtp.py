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

from fairlead.server.data import RawConnection
from fairlead.storage.local import accelerator

if TYPE_CHECKING:
    import ctypes

BACKLOG = 16
NOWHERE = 4096
"""Octets read away at a time that a receiver sent against the rules."""


class Outcome(IntEnum):
    """What came of :meth:`Dtp.deliver`; ``dataport.c`` has the same numbers."""

    DONE = 0
    """All is sent, and the connection closed."""
    NOBODY = 1
    """Nobody has called."""
    STRANGER = 2
    """Somebody has called who is not the peer; the connection is the caller's."""
    PARTLY = 3
    """The connection, which is the caller's, has not taken all at once."""


class Delivery(NamedTuple):
    """What came of it, with a descriptor and how many octets were sent where that matters."""

    outcome: Outcome
    connection: int = -1
    sent: int = 0


DONE = Delivery(Outcome.DONE)
NOBODY = Delivery(Outcome.NOBODY)


class Dtp(Protocol):
    """The calls. All raise OSError."""

    def listen(self, host: str, port: int) -> int:
        """A socket that listens at an address of IPv4 or IPv6 (for that family alone) and does not block."""

    def deliver(self, listener: int, peer: bytes, octets: bytes) -> Delivery:
        """Take the call that waits at ``listener``, send ``octets`` if it comes from the address ``peer``, and close.

        Nothing is waited for.
        """


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
        listening = adopt(listener)
        try:
            connection, address = listening.accept()
        except OSError:
            return NOBODY
        finally:
            listening.detach()
        try:
            if socket.inet_pton(connection.family, address[0].partition("%")[0]) != peer:
                return Delivery(Outcome.STRANGER, connection.detach())
            sent = 0
            try:
                sent = connection.send(octets, socket.MSG_DONTWAIT)
                if sent == len(octets):
                    while connection.recv(NOWHERE, socket.MSG_DONTWAIT):
                        pass
                    return DONE
            except BlockingIOError:
                if sent == len(octets):
                    return DONE
            return Delivery(Outcome.PARTLY, connection.detach(), sent)
        finally:
            connection.close()


class AcceleratedDtp:
    """By the accelerator; for one thread."""

    def __init__(self, library: ctypes.CDLL) -> None:
        import ctypes  # noqa: PLC0415 - large, and useless without the library

        self._listen = library.fairlead_listen
        self._listen.argtypes = (ctypes.c_char_p, ctypes.c_uint, ctypes.c_int)
        self._deliver = library.fairlead_deliver
        self._deliver.argtypes = (
            ctypes.c_int, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_size_t,
            ctypes.c_void_p, ctypes.c_void_p,
        )  # fmt: skip
        self._connection, self._sent = ctypes.c_int(), ctypes.c_size_t()
        self._results = ctypes.addressof(self._connection), ctypes.addressof(self._sent)
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
        outcome: int = self._deliver(listener, peer, len(peer), octets, len(octets), *self._results)
        if outcome == Outcome.DONE:
            return DONE
        if outcome == Outcome.NOBODY:
            return NOBODY
        if outcome < 0:
            raise OSError(-outcome, os.strerror(-outcome))
        return Delivery(Outcome(outcome), self._connection.value, self._sent.value)


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


def adopt(descriptor: int) -> RawConnection:
    """The socket of ``descriptor``, which does not block, as an object."""
    adopted = RawConnection(fileno=descriptor)
    adopted.setblocking(False)
    return adopted


def out_of_descriptors(error: OSError) -> bool:
    """Whether no descriptor was left."""
    return error.errno in (errno.EMFILE, errno.ENFILE)
