"""The address that 227 names: the control connection's own, or another where a NAT stands before the server."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fairlead.server.settings import Announce


def is_address(text: str) -> bool:
    """Whether ``text`` is an IPv4 or IPv6 address (else it is taken for a host name)."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _with_networks(rules: Sequence[Announce]) -> list[tuple[IPv4Network | IPv6Network | None, Announce]]:
    return [(ip_network(rule.clients) if rule.clients else None, rule) for rule in rules]


class Announcer:
    """Chooses the announced address by the client's network, and keeps host names resolved."""

    def __init__(self, rules: Sequence[Announce], notice: Callable[[str], None]) -> None:
        self._rules = _with_networks(rules)
        self._asked: set[str] = set()
        self._resolved: dict[str, str] = {}
        self._notice = notice
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Resolve every host name once, and go on doing so in the background."""
        for name in self._names():
            await self._resolve(name)
        self._begin()

    def change(self, rules: Sequence[Announce]) -> None:
        """Go by other rules from now on; names that are new are resolved in the background."""
        self._rules = _with_networks(rules)
        self._begin()

    def _names(self) -> dict[str, float]:
        return {rule.address: rule.refresh for _, rule in self._rules if rule.address and not is_address(rule.address)}

    def _begin(self) -> None:
        for task in self._tasks:
            task.cancel()
        self._tasks = [
            asyncio.create_task(self._keep_resolved(name, refresh)) for name, refresh in self._names().items()
        ]

    async def stop(self) -> None:
        """End the background work."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def address_for(self, peer: str, local: str) -> str:
        """The IPv4 address for a client at ``peer`` whose control connection ends at ``local``."""
        if self._rules:
            client: IPv4Address | IPv6Address = ip_address(peer.partition("%")[0])
            for network, rule in self._rules:
                if network is None or client in network:
                    address = rule.address
                    return self._resolved.get(address, address if is_address(address) else local)
        return local

    async def _keep_resolved(self, name: str, refresh: float) -> None:
        if name not in self._asked:
            await self._resolve(name)
        while True:
            await asyncio.sleep(refresh)
            await self._resolve(name)

    async def _resolve(self, name: str) -> None:
        self._asked.add(name)
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(name, None, family=socket.AF_INET, type=socket.SOCK_STREAM)
        except OSError as error:
            kept = self._resolved.get(name)
            self._notice(
                f"cannot resolve the announced name {name} ({error});"
                f" 227 goes on with {kept or 'the address of the control connection'}"
            )
            return
        self._resolved[name] = str(found[0][4][0])
