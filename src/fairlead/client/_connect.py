"""Connecting: to the first address that answers, families interleaved, attempts overlapping (RFC 8305)."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from itertools import chain, zip_longest

from fairlead.client._wire import Address, Call, Stream, Wire
from fairlead.client.trace import ControlCalled, Trace, show_address, show_duration
from fairlead.errors import ConnectError

ATTEMPT_DELAY = 0.25
"""Seconds until the next address is tried beside those that have not answered yet (RFC 8305 section 5)."""
_NOWHERE: Address = ("", 0)


def is_ipv6(host: str) -> bool:
    """Whether a numeric host is an IPv6 address."""
    return ":" in host


def interleave(addresses: Sequence[Address]) -> list[Address]:
    """``addresses`` with the families taking turns, the first one's family first (RFC 8305 section 4)."""
    if not addresses:
        return []
    first = is_ipv6(addresses[0][0])
    same = [address for address in addresses if is_ipv6(address[0]) == first]
    other = [address for address in addresses if is_ipv6(address[0]) != first]
    return [address for address in chain.from_iterable(zip_longest(same, other)) if address is not None]


async def connect_any(
    wire: Wire, addresses: Sequence[Address], *, timeout: float, trace: Trace | None = None
) -> tuple[Stream, float]:
    """The first connection to come about with one of ``addresses``, tried in order and overlapping.

    The number is the seconds that its handshake took, one round trip. ``trace`` is told of each attempt.

    Raises ConnectError naming each address and why it failed.
    """
    race = _Race(wire, addresses, trace)
    deadline = wire.now() + timeout
    try:
        while (won := await race.turn(deadline)) is None:
            pass
    finally:
        race.close()
    return won


class _Race:
    def __init__(self, wire: Wire, addresses: Sequence[Address], trace: Trace | None) -> None:
        self._wire = wire
        self._trace = trace
        self._waiting = deque(addresses)
        self._calls: dict[Call, tuple[Address, float]] = {}
        self._failures: list[tuple[Address, str]] = []
        self._next_start = wire.now()
        self._started = wire.now()

    async def turn(self, deadline: float) -> tuple[Stream, float] | None:
        """Start what is due, wait, and see who answered. Raises ConnectError when nobody is left or time is up."""
        now = self._wire.now()
        if self._waiting and now < deadline and (now >= self._next_start or not self._calls):
            self._start(self._waiting.popleft())
            return None
        if not self._calls or now >= deadline:
            raise self._failed()
        until = min(deadline, self._next_start) if self._waiting else deadline
        for call in await self._wire.wait_any(writers=list(self._calls), timeout=until - now):
            for mine in [mine for mine in self._calls if mine is call]:
                address, began = self._calls.pop(mine)
                local = mine.local if self._trace is not None else _NOWHERE
                try:
                    stream, seconds = mine.complete(), self._wire.now() - began
                except OSError as error:
                    self._fail(address, error, local, began)
                else:
                    self.close("not waited for")
                    self._tell(address, stream.local if self._trace is not None else local, began, "connected")
                    return stream, seconds
        return None

    def close(self, outcome: str = "no answer") -> None:
        for call, (address, began) in self._calls.items():
            self._tell(address, call.local if self._trace is not None else _NOWHERE, began, outcome)
            call.close()
        self._calls.clear()

    def _start(self, address: Address) -> None:
        try:
            self._calls[self._wire.call(address)] = address, self._wire.now()
            self._next_start = self._wire.now() + ATTEMPT_DELAY
        except OSError as error:
            self._fail(address, error, _NOWHERE, self._wire.now())

    def _fail(self, address: Address, error: OSError, local: Address, began: float) -> None:
        reason = (error.strerror or str(error)).lower()
        self._failures.append((address, reason))
        self._next_start = self._wire.now()
        self._tell(address, local, began, "refused" if isinstance(error, ConnectionRefusedError) else reason)

    def _tell(self, address: Address, local: Address, began: float, outcome: str) -> None:
        if self._trace is not None:
            self._trace(ControlCalled(address, local, self._wire.now() - began, outcome))

    def _failed(self) -> ConnectError:
        silence = f"no answer in {show_duration(self._wire.now() - self._started)}"
        failures = self._failures + [(address, silence) for address, _ in self._calls.values()]
        reasons = "; ".join(f"{show_address(address)}: {reason}" for address, reason in failures)
        advice = "a firewall may drop the call, or the host is down" if self._calls else "check host and port"
        return ConnectError(f"cannot connect ({reasons}); {advice}")
