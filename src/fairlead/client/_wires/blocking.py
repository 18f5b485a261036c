"""The wire of the blocking client: waiting happens inside the system call, so a coroutine over it never suspends."""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Collection, Coroutine, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from fairlead.client._wire import Address, Source
from fairlead.client._wires.sockets import (
    SocketCall,
    SocketListener,
    SocketSource,
    at_hand,
    descriptor,
    family_number,
    unique_addresses,
)
from fairlead.client.settings import Settings
from fairlead.errors import ConnectError

if TYPE_CHECKING:
    from fairlead.client._wires.tls import TlsProtection

T = TypeVar("T")
_HAS_POLL = hasattr(select, "poll")


def step(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run ``coroutine`` to its end in one step.

    Raises RuntimeError when it suspends: something in it awaits what is not of the blocking wire.
    """
    try:
        coroutine.send(None)
    except StopIteration as end:
        result: T = end.value
        return result
    coroutine.close()
    raise RuntimeError("the dialogue suspended under the blocking wire; it may only await the wire's own methods")


def _encoded(host: str) -> str | bytes:
    """``host`` for the resolver, which would ask the codec for names in other scripts about any text."""
    return host.encode() if host.isascii() else host


class BlockingWire:
    """A :class:`fairlead.client._wire.Wire` over the system's ``poll``."""

    now = staticmethod(time.monotonic)

    def chance(self) -> float:
        """See :class:`fairlead.client._wire.Wire`."""
        import random  # noqa: PLC0415 - before another attempt only

        return random.random()

    async def resolve(self, host: str, port: int, *, family: int | None, timeout: float) -> Sequence[Address]:
        """See :class:`fairlead.client._wire.Wire`; the system's resolver has its own deadline."""
        try:
            found = socket.getaddrinfo(_encoded(host), port, family_number(family), socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise unresolved(host, family, error) from error
        return unique_addresses(found)

    def call(self, address: Address) -> SocketCall:
        """See :class:`fairlead.client._wire.Wire`."""
        return SocketCall(address)

    def listen(self, host: str, ports: Sequence[int]) -> SocketListener:
        """See :class:`fairlead.client._wire.Wire`."""
        return SocketListener(host, ports)

    def protection(self, host: str, settings: Settings) -> TlsProtection:
        """See :class:`fairlead.client._wire.Wire`."""
        from fairlead.client._wires.tls import TlsProtection  # noqa: PLC0415 - many sessions have no TLS

        return TlsProtection(host, settings)

    async def yield_turn(self) -> None:
        """See :class:`fairlead.client._wire.Wire`; a blocking caller has nobody to give way to."""

    async def wait_any(
        self, *, readers: Sequence[Source] = (), writers: Sequence[Source] = (), timeout: float | None
    ) -> Collection[Source]:
        """See :class:`fairlead.client._wire.Wire`."""
        patience = None if timeout is None else max(0.0, timeout)
        if not writers and len(readers) == 1 and isinstance(readers[0], SocketSource):  # what most waits are
            return readers if readers[0].wait_readable(patience) else ()
        if _HAS_POLL and not readers and len(writers) == 1:
            poll = select.poll()
            poll.register(descriptor(writers[0]), select.POLLOUT)
            return writers if poll.poll(None if patience is None else patience * 1000) else ()
        if here := at_hand(readers):
            return here
        sources = {descriptor(source): source for source in (*readers, *writers)}
        if not _HAS_POLL:
            reading, writing = list(map(descriptor, readers)), list(map(descriptor, writers))
            readable, writable, broken = select.select(reading, writing, writing, patience)
            return [sources[number] for number in {*readable, *writable, *broken}]
        poll = select.poll()
        wanted = dict.fromkeys(sources, 0)
        for event, group in ((select.POLLIN, readers), (select.POLLOUT, writers)):
            for source in group:
                wanted[descriptor(source)] |= event
        for number, events in wanted.items():
            poll.register(number, events)
        ready = poll.poll(None if patience is None else patience * 1000)
        return [sources[number] for number, _ in ready]


def unresolved(host: str, family: int | None, error: Exception) -> ConnectError:
    """What to tell a user whose host has no address."""
    kind = f"IPv{family} " if family else ""
    why = getattr(error, "strerror", None) or str(error) or "the name servers do not answer"
    return ConnectError(f"{host!r} has no {kind}address ({why}); check the name and the name servers")
