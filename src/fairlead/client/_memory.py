"""What a session needs of a memory for modes: which one served last, by server and local network."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import Protocol

_PREFIXES = {4: 24, 6: 64}


class Memory(Protocol):
    """Remembers the mode that served last. Its methods never raise: what can't be remembered is forgotten."""

    def recall(self, server: str, network: str) -> str | None:
        """The mode, such as ``EPSV``, that served with ``server`` from ``network``; None when there is none."""

    def remember(self, server: str, network: str, mode: str) -> bool:
        """Keep ``mode`` for next time; whether that is news."""

    def forget(self, server: str, network: str) -> None:
        """Nothing served."""


class Recollection:
    """A :class:`Memory` that lasts as long as its owner."""

    def __init__(self) -> None:
        self._modes: dict[tuple[str, str], str] = {}

    def recall(self, server: str, network: str) -> str | None:
        """See :class:`Memory`."""
        return self._modes.get((server, network))

    def remember(self, server: str, network: str, mode: str) -> bool:
        """See :class:`Memory`."""
        known = self._modes.get((server, network))
        self._modes[server, network] = mode
        return known != mode

    def forget(self, server: str, network: str) -> None:
        """See :class:`Memory`."""
        self._modes.pop((server, network), None)


def network_of(local: str) -> str:
    """The network that a numeric address of ours is in, as far as the address tells: its /24, or /64 of IPv6.

    Two homes that number their hosts alike are taken for one. That costs an attempt in the wrong mode, which the
    transfer survives and which changes what is remembered.
    """
    address = ip_address(local.partition("%")[0])
    return str(ip_network((address, _PREFIXES[address.version]), strict=False))
