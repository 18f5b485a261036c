"""The pool of passive ports: which port a PASV or EPSV listens on.

Ports are drawn at random from the configured range and never from outside it (RFC 2577 section 8). A bind to port 0
would be at the mercy of the system's ephemeral range, and slow once that is full of TIME_WAIT; an explicit port with
SO_REUSEADDR binds at once, whatever old connections of it are still in TIME_WAIT. Another process or worker may hold
a port; the pool then draws the next.
"""

from __future__ import annotations

import errno
import os
from array import array
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from fairlead.errors import DataConnectionError
from fairlead.reach.cause import Cause
from fairlead.server.dtp import best, out_of_descriptors

if TYPE_CHECKING:
    from fairlead.server.dtp import Dtp

DRAWS = 8
"""Random draws before the free ports are listed and tried one by one."""
_NEW = tuple.__new__
"""Makes a :class:`Lease` without the call of Python's own that a named tuple puts before it."""
DICE = 1024
"""Random numbers fetched from the system at a time."""


class Lease(NamedTuple):
    """Where a socket listens that does not block."""

    host: str
    port: int
    descriptor: int


class PortPool:
    """Hands out listening sockets on ports of ``ports``.

    One pool serves all sessions of a process; pools of several processes share a range through the kernel's own
    bookkeeping of bound ports. ``random`` gives unpredictable octets, as :func:`os.urandom` does.
    """

    def __init__(self, ports: range, random: Callable[[int], bytes] = os.urandom) -> None:
        self.ports = ports
        self.exhausted = 0
        """How often no port could be had."""
        self._random = random
        self._dice: array[int] = array("I")
        self._in_use: set[tuple[str, int]] = set()

    @cached_property
    def dtp(self) -> Dtp:
        """Makes the listeners; chosen when the first one is wanted, for ctypes is large."""
        return best()

    @property
    def in_use(self) -> int:
        """How many listeners are out now."""
        return len(self._in_use)

    def lease(self, host: str) -> Lease:
        """A listener on ``host`` (an address, IPv4 or IPv6) and a random free port of the range.

        Raises DataConnectionError (passive-exhausted) when no port of the range can be bound, or no descriptor is
        left.
        """
        port = first = self.ports[self._draw(len(self.ports))]
        others: Iterator[int] | None = None
        while port:
            if (host, port) not in self._in_use:
                try:
                    listener = self.dtp.listen(host, port)
                except OSError as error:
                    _check_taken(error)
                else:
                    self._in_use.add((host, port))
                    return _NEW(Lease, (host, port, listener))
            if others is None:
                others = self._others(host, first)
            port = next(others, 0)
        self.exhausted += 1
        lowest, highest = self.ports[0], self.ports[-1]
        raise DataConnectionError(
            Cause.PASSIVE_EXHAUSTED, f"No passive port is free in {lowest}-{highest} ({Cause.PASSIVE_EXHAUSTED})"
        )

    def give_back(self, lease: Lease) -> None:
        """Close a leased listener; its port can be drawn again at once."""
        self._in_use.discard(lease[:2])
        os.close(lease.descriptor)

    def _others(self, host: str, first: int) -> Iterator[int]:
        """The ports to try after ``first``, in no order, all of them."""
        in_use = self._in_use
        tried = {first}
        for _ in range(1, DRAWS):
            port = self.ports[self._draw(len(self.ports))]
            if (host, port) not in in_use and port not in tried:
                tried.add(port)
                yield port
        rest = [port for port in self.ports if (host, port) not in in_use and port not in tried]
        while rest:
            yield rest.pop(self._draw(len(rest)))

    def _draw(self, below: int) -> int:
        """An unpredictable number from 0 up to ``below``; asking the system for each would cost a call each."""
        if not self._dice:
            self._dice = array("I", self._random(DICE * array("I").itemsize))
        return self._dice.pop() % below


def _check_taken(error: OSError) -> None:
    """Raise what keeps all ports from being listened on, not only the one at which the ``error`` came."""
    if error.errno in (errno.EADDRINUSE, errno.EACCES):
        return
    if out_of_descriptors(error):
        raise DataConnectionError(
            Cause.PASSIVE_EXHAUSTED,
            f"The server has no descriptor left for a data connection ({Cause.PASSIVE_EXHAUSTED})",
        ) from error
    raise error
