"""Addresses that only a part of the world can reach: what stays in 227 and PORT where a NAT does not translate it."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ipaddress import IPv4Network, IPv6Network

NETWORKS = (
    "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16",  # RFC 1918
    "100.64.0.0/10",  # RFC 6598, carriers
    "127.0.0.0/8", "169.254.0.0/16", "::1/128", "fe80::/10", "fc00::/7",
)  # fmt: skip
"""Not all that IANA calls special: networks that are kept for documentation serve as public ones in examples."""


def is_loopback(host: str) -> bool:
    """Whether the address ``host``, as the system or :mod:`ipaddress` writes it, is one of the machine itself."""
    return host == "::1" or host.startswith("127.")


def is_private(host: str) -> bool:
    """Whether the address ``host`` means something in its own network only; a host name is none."""
    from ipaddress import ip_address

    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return any(address in network for network in _networks())


@cache
def _networks() -> tuple[IPv4Network | IPv6Network, ...]:
    from ipaddress import ip_network

    return tuple(map(ip_network, NETWORKS))
