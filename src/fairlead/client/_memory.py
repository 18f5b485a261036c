"""What a session needs of a memory for modes: which one served last, by server and local network."""

from __future__ import annotations

from typing import Protocol


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
    if ":" not in local:
        return f"{local.rpartition('.')[0]}.0/24"
    from ipaddress import IPv6Network  # noqa: PLC0415 - a millisecond of every start, and most addresses are the others

    return str(IPv6Network((local.partition("%")[0], 64), strict=False))
