"""Control connections that a load balancer makes on behalf of clients, by the PROXY protocol.

From the addresses that are trusted a header comes first, always: to guess whether there is one would let a client
forge one. From all others none is taken. See :mod:`fairlead.proto.proxy`.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

from fairlead.errors import ProtocolError
from fairlead.events import SessionRefused
from fairlead.proto.proxy import Ends, ProxyReader
from fairlead.server.control import Control
from fairlead.server.data import plain_address
from fairlead.server.proxied import HEADER_TIME

if TYPE_CHECKING:
    from fairlead.server.server import Server


class Arrival(asyncio.Protocol):
    """A connection to the control port whose header is awaited; a :class:`Control` takes it over."""

    def __init__(self, server: Server, *, implicit: bool) -> None:
        self._server = server
        self._implicit = implicit
        self._reader = ProxyReader()
        self._transport: asyncio.Transport
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Await the header of a proxy; anybody else is a client."""
        self._transport = cast("asyncio.Transport", transport)
        peer = transport.get_extra_info("peername")
        if peer and self._server.is_proxy(peer[0]):
            self._timer = self._server.loop.call_later(HEADER_TIME, self._refuse, "no PROXY header came in time")
            self._server.arrivals.add(self)
        else:
            self._become_control(None, b"")

    def data_received(self, data: bytes) -> None:
        """Read on in the header."""
        try:
            header = self._reader.feed(data)
        except ProtocolError as error:
            self._refuse(str(error))
            return
        if header is not None:
            self._settle()
            self._become_control(header.ends, data[header.size :])

    def eof_received(self) -> bool:
        """The proxy only looked whether somebody listens."""
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """The proxy went before it said anything."""
        self._settle()

    def cut(self) -> None:
        """The server stops."""
        self._transport.abort()

    def _become_control(self, ends: Ends | None, data: bytes) -> None:
        transport = self._transport
        control = Control(self._server, implicit=self._implicit)
        transport.set_protocol(control)
        if ends is None:
            control.connection_made(transport)
        else:
            control.begin(transport, *ends, transport.get_extra_info("sockname"))
        if data:
            cast("asyncio.Protocol", transport.get_protocol()).data_received(data)  # that of TLS, where it is implicit

    def _refuse(self, why: str) -> None:
        peer = self._transport.get_extra_info("peername")
        self._settle()
        self._server.events.emit(
            SessionRefused(
                session=0,
                peer=plain_address(peer[0]),
                reason=f"{why}, as it must from the addresses of server.proxy_from",
            )
        )
        self._transport.abort()

    def _settle(self) -> None:
        self._server.arrivals.discard(self)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
