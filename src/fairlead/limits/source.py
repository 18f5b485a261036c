"""Where a connection comes from, as limits count it."""

from __future__ import annotations

from functools import lru_cache


def source(address: str) -> str:
    """What stands for everyone who can come from ``address``.

    An IPv4 address itself, also when it is written as an IPv6 one (``::ffff:192.0.2.1``); of any other IPv6 address
    its first 64 bits, since one host has all the rest to choose from. Any other text stands for itself.
    """
    return address if ":" not in address else _source_v6(address)


@lru_cache(4096)
def _source_v6(address: str) -> str:
    from ipaddress import IPv6Address

    try:
        parsed = IPv6Address(address.partition("%")[0])
    except ValueError:
        return address
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return f"{IPv6Address(int(parsed) >> 64 << 64)}/64"
