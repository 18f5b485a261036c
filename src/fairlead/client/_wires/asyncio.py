"""The wire of the asynchronous client: waiting hands the turn to the event loop."""

from __future__ import annotations

import asyncio
import random
import socket
import time
from collections.abc import Collection, Sequence
from math import inf
from typing import TYPE_CHECKING

from fairlead.client._wire import Address, Source
from fairlead.client._wires.blocking import unresolved
from fairlead.client._wires.hops import Within
from fairlead.client._wires.sockets import (
    SocketCall,
    SocketListener,
    at_hand,
    descriptor,
    family_number,
    is_readable,
    is_writable,
    unique_addresses,
    watched,
)
from fairlead.client.settings import Settings

if TYPE_CHECKING:
    from fairlead.client._wires.tls import TlsProtection


class AsyncioWire:
    """A :class:`fairlead.client._wire.Wire` over the running event loop, which must be able to watch descriptors."""

    def __init__(self) -> None:
        self._idle: list[_Watch] = []

    def now(self) -> float:
        """Seconds on the monotonic clock."""
        return time.monotonic()

    def chance(self) -> float:
        """See :class:`fairlead.client._wire.Wire`."""
        return random.random()

    async def resolve(self, host: str, port: int, *, family: int | None, timeout: float) -> Sequence[Address]:
        """See :class:`fairlead.client._wire.Wire`."""
        loop = asyncio.get_running_loop()
        question = loop.getaddrinfo(host, port, family=family_number(family), type=socket.SOCK_STREAM)
        try:
            found = await asyncio.wait_for(question, timeout)
        except (OSError, UnicodeError) as error:
            raise unresolved(host, family, error) from error
        return unique_addresses(found)

    def call(self, address: Address) -> SocketCall:
        """See :class:`fairlead.client._wire.Wire`."""
        return SocketCall(address)

    def call_within(self, address: Address, hops: int) -> Within:
        """See :class:`fairlead.doctor.hops.TracingWire`."""
        return Within(address, hops)

    def listen(self, host: str, ports: Sequence[int]) -> SocketListener:
        """See :class:`fairlead.client._wire.Wire`."""
        return SocketListener(host, ports)

    def protection(self, host: str, settings: Settings) -> TlsProtection:
        """See :class:`fairlead.client._wire.Wire`."""
        from fairlead.client._wires.tls import TlsProtection  # noqa: PLC0415 - many sessions have no TLS

        return TlsProtection(host, settings)

    async def yield_turn(self) -> None:
        """See :class:`fairlead.client._wire.Wire`."""
        await asyncio.sleep(0)

    async def wait_any(
        self, *, readers: Sequence[Source] = (), writers: Sequence[Source] = (), timeout: float | None
    ) -> Collection[Source]:
        """See :class:`fairlead.client._wire.Wire`."""
        if here := at_hand(readers):
            return here
        if writers and (ready := [source for source in writers if is_writable(descriptor(source))]):
            return ready  # as a call within a machine or a network nearby is: that costs a tenth of a turn of the loop
        loop = asyncio.get_running_loop()
        watch = self._idle.pop() if self._idle else _Watch(loop)
        if watch.loop is not loop:
            watch = _Watch(loop)
        try:
            return await watch.wait(readers, writers, timeout)
        finally:
            self._idle.append(watch)


class _Watch:
    """What one dialogue waits for on an event loop, one thing after the other.

    A descriptor is watched until it is closed, or shows something that nobody waits for: to begin and to end that for
    each reply would take longer than all else about it. One bell serves many waits, most of which end before it rings.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._awaited: dict[int, Source] = {}
        self._ready: list[Source] = []
        self._woken: asyncio.Future[None] | None = None
        self._bell: asyncio.TimerHandle | None = None
        self._due = inf
        self._told_of: int | None = None
        """What was readable last."""

    async def wait(self, readers: Sequence[Source], writers: Sequence[Source], timeout: float | None) -> list[Source]:
        """Those that are ready first; none where ``timeout`` seconds passed before."""
        loop, writing = self.loop, list(map(descriptor, writers))
        woken = self._woken = loop.create_future()
        ready: list[Source] = []
        self._ready = ready
        try:
            for source in readers:
                number = descriptor(source)
                self._awaited[number] = source
                if watched.get(number) != self._forget:
                    loop.add_reader(number, self._readable, number, source)
                    watched[number] = self._forget
            for number, source in zip(writing, writers, strict=True):
                loop.add_writer(number, self._wake, source)
            self._wind(timeout)
            await woken
        finally:
            self._awaited.clear()
            self._woken, self._due = None, inf
            for number in writing:
                loop.remove_writer(number)
        return ready

    def _wind(self, timeout: float | None) -> None:
        if timeout is None:
            return
        patience = max(0.0, timeout)
        self._due = time.monotonic() + patience
        at = self.loop.time() + patience
        if self._bell is not None:
            if self._bell.when() <= at:
                return
            self._bell.cancel()
        self._bell = self.loop.call_at(at, self._ring)

    def _ring(self) -> None:
        """The loop's clock may be late by the turn that it is in, and then rings as much too early."""
        self._bell = None
        left = self._due - time.monotonic()
        if left <= 0:
            self._wake()
        elif left < inf:
            self._bell = self.loop.call_later(left, self._ring)

    def _readable(self, number: int, source: Source) -> None:
        """``source`` lives as long as it is watched.

        asyncio looks at all descriptors once more before it resumes who was woken by this one, and tells of what has
        been read by then.
        """
        if number == self._told_of:
            self._told_of = None
            if not is_readable(number):
                return
        found = self._awaited.get(number)
        if found is None:
            self._forget(number)
        else:
            self._told_of = number
            self._wake(found)

    def _wake(self, source: Source | None = None) -> None:
        if source is not None:
            self._ready.append(source)
        if self._woken is not None and not self._woken.done():
            self._woken.set_result(None)

    def _forget(self, number: int) -> None:
        del watched[number]
        if not self.loop.is_closed():
            self.loop.remove_reader(number)
