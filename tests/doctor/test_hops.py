"""How far a call gets: from what routers report, in memory."""

from __future__ import annotations

import asyncio
import sys

import pytest

from fairlead.client._wire import Address
from fairlead.client._wires.asyncio import AsyncioWire
from fairlead.client._wires.memory import MemoryCall, MemoryStream, MemoryWire, pair
from fairlead.doctor.advice import surroundings, way
from fairlead.doctor.hops import NOWHERE, Reached, trace
from tests.client.script import HOST
from tests.doctor.test_examine import behind

PORT, CONTROL = (HOST, 50001), (HOST, 21)


class Call(MemoryCall):
    """A call that a router reports, or that arrives."""

    def __init__(self, hops: int, router: str, stream: MemoryStream) -> None:
        super().__init__(("192.0.2.80", 40000))
        self.hops = hops
        self._router = router
        self._stream = stream

    def router(self) -> str:
        return self._router

    def answered(self) -> bool:
        return not self._router


class Way(MemoryWire):
    """A way over ``routers``, of which the one at ``dropping`` drops calls to all ports but the control port."""

    def __init__(self, routers: list[str], dropping: int) -> None:
        super().__init__()
        self.routers = routers
        self.dropping = dropping

    def call_within(self, address: Address, hops: int) -> Call:
        dropped = address != CONTROL and hops > self.dropping
        router = self.routers[hops - 1] if hops <= len(self.routers) else ""
        call = Call(hops, router, pair(("192.0.2.80", 40000), address)[0])
        if not dropped:
            self.after(0.01, lambda: setattr(call, "outcome", call._stream))
        return call


ROUTERS = ["192.0.2.1", "198.51.100.1", "203.0.113.130"]


@pytest.mark.parametrize(
    ("dropping", "expected"),
    [
        (1, Reached("192.0.2.1", 1, False)),
        (2, Reached("198.51.100.1", 2, False)),
        (3, Reached("203.0.113.130", 3, True)),
    ],
)
def test_the_last_router_that_reports_is_the_one_before_or_at_the_firewall(dropping: int, expected: Reached) -> None:
    assert asyncio.run(trace(Way(ROUTERS, dropping), PORT, CONTROL, 0.3)) == expected


def test_a_router_that_has_the_servers_address_counts_as_the_server() -> None:
    reached = asyncio.run(trace(Way([*ROUTERS[:2], HOST], 2), PORT, CONTROL, 0.3))

    assert reached == Reached("198.51.100.1", 2, True)


def test_where_no_router_reports_nothing_is_known() -> None:
    assert asyncio.run(trace(Way(ROUTERS, 0), PORT, CONTROL, 0.3)) == NOWHERE


def test_a_wire_that_cannot_tell_is_not_asked() -> None:
    assert asyncio.run(trace(MemoryWire(), PORT, CONTROL, 0.3)) == NOWHERE


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells who reported")
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_a_call_over_no_router_arrives_or_is_refused(host: str) -> None:
    async def go() -> tuple[str, bool]:
        wire = AsyncioWire()
        call = wire.call_within((host, 1), 1)
        try:
            assert await wire.wait_any(writers=[call], timeout=5.0)
            return call.router(), call.answered()
        finally:
            call.close()

    assert asyncio.run(go()) == ("", True)


def test_nobody_is_blamed_where_no_router_told() -> None:
    found = behind()

    assert surroundings(found).dropped_by is None
    assert way(found) == ""
