"""A wire whose connections go by way of a proxy that carries them (SOCKS, HTTP CONNECT)."""

from __future__ import annotations

import errno
import socket
import threading
from collections.abc import Collection, Sequence

from fairlead.client._wire import Address, Call, Listener, Protection, Source, Wire
from fairlead.client._wires.sockets import SocketSource, SocketStream, tune
from fairlead.client.proxy import Tunnel
from fairlead.client.settings import Settings


class TunnelledWire:
    """A :class:`fairlead.client._wire.Wire` that does what ``beneath`` does, but for calls, which ``tunnel`` makes.

    Names are not resolved here: the proxy gets them as they are. Nobody can call us.
    """

    def __init__(self, beneath: Wire, tunnel: Tunnel, *, timeout: float) -> None:
        self._beneath = beneath
        self._tunnel = tunnel
        self._timeout = timeout

    def now(self) -> float:
        """See :class:`fairlead.client._wire.Wire`."""
        return self._beneath.now()

    def chance(self) -> float:
        """See :class:`fairlead.client._wire.Wire`."""
        return self._beneath.chance()

    async def resolve(self, host: str, port: int, *, family: int | None, timeout: float) -> Sequence[Address]:
        """The name itself: the proxy knows what it means."""
        return [(host, port)]

    def call(self, address: Address) -> Call:
        """See :class:`fairlead.client._wire.Wire`."""
        return TunnelCall(self._tunnel, address, self._timeout)

    def listen(self, host: str, ports: Sequence[int]) -> Listener:
        """Raises OSError."""
        raise OSError(errno.EOPNOTSUPP, f"the server would call the proxy {self._tunnel} and not us")

    def protection(self, host: str, settings: Settings) -> Protection:
        """See :class:`fairlead.client._wire.Wire`; the certificate is that of the server, whoever is in between."""
        return self._beneath.protection(host, settings)

    async def yield_turn(self) -> None:
        """See :class:`fairlead.client._wire.Wire`."""
        await self._beneath.yield_turn()

    async def wait_any(
        self, *, readers: Sequence[Source] = (), writers: Sequence[Source] = (), timeout: float | None
    ) -> Collection[Source]:
        """See :class:`fairlead.client._wire.Wire`; that a call is done can be read, not written."""
        calls = [source for source in writers if isinstance(source, TunnelCall)]
        others = [source for source in writers if not isinstance(source, TunnelCall)]
        return await self._beneath.wait_any(readers=[*readers, *calls], writers=others, timeout=timeout)


class TunnelCall(SocketSource):
    """A connection that a proxy is asked for, in a thread: what speaks to proxies waits for them."""

    def __init__(self, tunnel: Tunnel, address: Address, timeout: float) -> None:
        self._tunnel = tunnel
        self._address = address
        self._timeout = timeout
        near, far = socket.socketpair()
        super().__init__(near)
        self._lock = threading.Lock()
        self._outcome: socket.socket | OSError | None = None
        self._closed = False
        threading.Thread(target=self._dial, args=(far,), name=f"call by way of {tunnel}", daemon=True).start()

    @property
    def local(self) -> Address:
        """Not known before the connection is made. What can be waited for is no socket of the network."""
        return "", 0

    def complete(self) -> SocketStream:
        """See :class:`fairlead.client._wire.Call`."""
        with self._lock:
            outcome, self._outcome = self._outcome, None
        self.close()
        if not isinstance(outcome, socket.socket):
            raise outcome or TimeoutError()
        tune(outcome)
        return SocketStream(outcome, self._address)

    def close(self) -> None:
        """See :class:`fairlead.client._wire.Source`; what comes of the call later is closed as well."""
        with self._lock:
            self._closed = True
            self._let_go()
        super().close()

    def _dial(self, far: socket.socket) -> None:
        outcome: socket.socket | OSError
        try:
            outcome = self._tunnel.connect(*self._address, timeout=self._timeout)
        except OSError as error:
            outcome = error
        except Exception as error:  # noqa: BLE001 - whatever a library raises, somebody waits to hear of it
            outcome = OSError(errno.EPROTO, f"the proxy {self._tunnel} cannot be asked: {error}")
        with self._lock, far:
            self._outcome = outcome
            if self._closed:
                self._let_go()

    def _let_go(self) -> None:
        if isinstance(self._outcome, socket.socket):
            self._outcome.close()
        self._outcome = None
