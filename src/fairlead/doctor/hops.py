"""Where on the way a call is dropped: calls that expire at one router after the other show how far it gets."""

from __future__ import annotations

from contextlib import ExitStack, suppress
from typing import NamedTuple, Protocol, runtime_checkable

from fairlead.client._wire import Address, Source, Wire

FARTHEST = 16
"""Routers that are asked; farther ones are seldom those that drop."""


class Limited(Source, Protocol):
    """A call that expires at a router."""

    hops: int

    def router(self) -> str:
        """The router that reported that the call expired there; empty where none did."""

    def answered(self) -> bool:
        """Whether the call arrived."""


@runtime_checkable
class TracingWire(Protocol):
    """A wire that can limit how far a call goes."""

    def call_within(self, address: Address, hops: int) -> Limited:
        """Call ``address``, over at most ``hops`` links. Raises OSError, NotImplementedError."""


class Reached(NamedTuple):
    """How far a call got that was not answered."""

    router: str
    """The last router that had it; empty where none told."""
    hop: int
    """Its place on the way, 1 for our own router."""
    last: bool
    """Whether the server, or the router that has its address, is the next behind it."""


NOWHERE = Reached("", 0, False)


async def trace(wire: Wire, port: Address, control: Address, patience: float) -> Reached:
    """How far a call to ``port`` gets, while ``control``, the server's control port, can be called.

    Waits ``patience`` seconds at most for each of the two steps. Where the system, or the wire, cannot tell:
    :data:`NOWHERE`.
    """
    if not isinstance(wire, TracingWire):
        return NOWHERE
    told = await _ask(wire, port, range(1, FARTHEST + 1), patience)
    hop = max((hop for hop, router in told.items() if router), default=0)
    if not hop:
        return NOWHERE
    behind = await _ask(wire, control, range(hop + 1, hop + 2), patience)
    return Reached(told[hop], hop, behind.get(hop + 1) in {"", control[0]})


async def _ask(wire: Wire, address: Address, hops: range, patience: float) -> dict[int, str]:
    """The router at each of ``hops``, empty for the server itself; those that said nothing are left out."""
    assert isinstance(wire, TracingWire)
    told: dict[int, str] = {}
    with ExitStack() as stack:
        waiting: list[Limited] = []
        with suppress(OSError, NotImplementedError):
            for hop in hops:
                waiting.append(wire.call_within(address, hop))
                stack.callback(waiting[-1].close)
        deadline = wire.now() + patience
        while waiting and wire.now() < deadline:
            for ready in await wire.wait_any(writers=waiting, timeout=deadline - wire.now()):
                mine = next(call for call in waiting if call is ready)
                waiting.remove(mine)
                router = mine.router()
                if router or mine.answered():
                    told[mine.hops] = router
    return told
