"""The place that passive replies name: the server's own address and port, or others where a NAT stands before it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from fairlead.errors import ConfigError
from fairlead.server.settings import DEFAULT_PASSIVE_PORTS

if TYPE_CHECKING:
    from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

    from fairlead.server.settings import Announce


def is_address(text: str) -> bool:
    """Whether ``text`` is an IPv4 or IPv6 address (else it is taken for a host name)."""
    from ipaddress import ip_address

    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _with_networks(rules: Sequence[Announce]) -> list[tuple[IPv4Network | IPv6Network | None, Announce]]:
    if not rules:
        return []
    from ipaddress import ip_network

    return [(ip_network(rule.clients) if rule.clients else None, rule) for rule in rules]


def check_ports(rules: Iterable[Announce], passive_ports: range) -> range:
    """``passive_ports``, where the ports of each rule are as many. Raises ConfigError."""
    first, count = passive_ports[0], len(passive_ports)
    for rule in rules:
        if rule.ports is not None and len(rule.ports) != count:
            begin = min(rule.ports[0], 65536 - count)
            raise ConfigError(
                f"server.public_address: the public ports {rule.ports[0]}-{rule.ports[-1]} are {len(rule.ports)}, the"
                f" passive ports {first}-{passive_ports[-1]} are {count}, and each of these needs one of those: write"
                f" {begin}-{begin + count - 1}, or other passive_ports"
            )
    return passive_ports


class Announcer:
    """Chooses the announced address and port by the client's network, and keeps host names resolved."""

    def __init__(
        self,
        rules: Sequence[Announce],
        notice: Callable[[str], None],
        passive_ports: range = DEFAULT_PASSIVE_PORTS,
    ) -> None:
        """Raises ConfigError where a rule's ports are not as many as ``passive_ports``."""
        self._passive = check_ports(rules, passive_ports)
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

    def change(self, rules: Sequence[Announce], passive_ports: range = DEFAULT_PASSIVE_PORTS) -> None:
        """Go by other rules from now on; names that are new are resolved in the background. Raises ConfigError."""
        self._passive = check_ports(rules, passive_ports)
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

    def place_for(self, peer: str, local: str, port: int) -> tuple[str, int]:
        """What a client at ``peer`` that called ``local`` is told of the passive port ``port``.

        An address of IPv4 gives way to that of the rule; one of IPv6 stays.
        """
        rule = self._rule_for(peer) if self._rules else None
        if rule is None:
            return local, port
        address = rule.address if ":" not in local else ""
        return self._resolved.get(address, address if is_address(address) else local), self._mapped(rule, peer, port)

    def port_for(self, peer: str, port: int) -> int:
        """The port that a client at ``peer`` calls to reach the passive port ``port``."""
        rule = self._rule_for(peer) if self._rules else None
        return port if rule is None else self._mapped(rule, peer, port)

    def _rule_for(self, peer: str) -> Announce | None:
        from ipaddress import ip_address

        client: IPv4Address | IPv6Address = ip_address(peer.partition("%")[0])
        for network, rule in self._rules:
            if network is None or client in network:
                return rule
        return None

    def _mapped(self, rule: Announce, peer: str, port: int) -> int:
        # A pool that is about to be replaced may have given a port of another range.
        if rule.ports is None or port not in self._passive or (":" in peer and not rule.clients):
            return port
        return rule.ports[port - self._passive[0]]

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
