"""Which networks may connect at all (RFC 2577 section 4)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ipaddress import IPv4Network, IPv6Network


class Networks:
    """Admits addresses of ``allow``, or any where that is empty, but none of ``deny``.

    Both hold addresses and networks such as ``10.0.0.0/8``; an IPv4-mapped address counts as IPv4. Raises ValueError
    for what is neither.
    """

    def __init__(self, allow: Sequence[str] = (), deny: Sequence[str] = ()) -> None:
        self._allow = _parsed(allow)
        self._deny = _parsed(deny)
        self._admitted = lru_cache(1024)(self._find)

    def admits(self, address: str) -> bool:
        """Whether ``address`` may connect, be called, or call a passive port."""
        return (not self._allow and not self._deny) or self._admitted(address)

    def _find(self, text: str) -> bool:
        from ipaddress import ip_address

        address = ip_address(text.partition("%")[0])
        address = getattr(address, "ipv4_mapped", None) or address
        if any(address in network for network in self._deny):
            return False
        return not self._allow or any(address in network for network in self._allow)


def _parsed(networks: Sequence[str]) -> list[IPv4Network | IPv6Network]:
    if not networks:
        return []
    from ipaddress import ip_network

    return [ip_network(text) for text in networks]
