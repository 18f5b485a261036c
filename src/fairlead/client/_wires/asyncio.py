"""The wire of the asynchronous client: waiting hands the turn to the event loop."""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import Collection, Sequence
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
    unique_addresses,
)
from fairlead.client.settings import Settings

if TYPE_CHECKING:
    from fairlead.client._wires.tls import TlsProtection


class AsyncioWire:
    """A :class:`fairlead.client._wire.Wire` over the running event loop, which must be able to watch descriptors."""

    def now(self) -> float:
        """Seconds on the loop's clock."""
        return asyncio.get_running_loop().time()

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
        loop = asyncio.get_running_loop()
        ready: list[Source] = []
        woken = loop.create_future()

        def wake(source: Source | None = None) -> None:
            if source is not None:
                ready.append(source)
            if not woken.done():
                woken.set_result(None)

        reading, writing = list(map(descriptor, readers)), list(map(descriptor, writers))
        bell = None if timeout is None else loop.call_later(max(0.0, timeout), wake)
        try:
            for number, source in zip(reading, readers, strict=True):
                loop.add_reader(number, wake, source)
            for number, source in zip(writing, writers, strict=True):
                loop.add_writer(number, wake, source)
            await woken
        finally:
            if bell is not None:
                bell.cancel()
            for number in reading:
                loop.remove_reader(number)
            for number in writing:
                loop.remove_writer(number)
        return ready
