"""Addresses and ports as settings have them."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Literal

from fairlead.server.announce import is_address

WILDCARDS = frozenset({"0.0.0.0", "::"})


def family_of(host: str) -> Literal[4, 6]:
    """The version of IP of the address ``host``; a name counts as IPv4."""
    return 6 if ":" in host else 4


def is_one_address(host: str) -> bool:
    """Whether ``host`` is the address of one interface, neither a name nor all addresses."""
    return host not in WILDCARDS and is_address(host.partition("%")[0])


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches ``host``."""
    return host == "localhost" or (
        is_address(host.partition("%")[0]) and ip_address(host.partition("%")[0]).is_loopback
    )


def span(ports: range) -> str:
    """``A-B``, or the one port that there is."""
    return str(ports[0]) if len(ports) == 1 else f"{ports[0]}-{ports[-1]}"
