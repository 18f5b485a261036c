"""The names that HOST carries (RFC 7151 section 3.1)."""

from __future__ import annotations

import re

from fairlead.errors import ArgumentError

_NAME = r"(?=.{1,253}\Z)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*"
_LOOKS_LIKE_IPV4 = r"[0-9]+(?:\.[0-9]+){3}"


def parse_host(argument: str) -> tuple[str, bool]:
    """The host in the argument of HOST, and whether it is an address.

    Names come in lower case, addresses as :mod:`ipaddress` writes them, those of IPv6 without brackets. Raises
    ArgumentError where there is a port, an IPv6 address without brackets, or no host at all; a name in other letters
    than those of ASCII stands as an A-label (RFC 5890).
    """
    from ipaddress import AddressValueError, IPv4Address, IPv6Address

    host = argument.lower()
    try:
        if host.startswith("[") and host.endswith("]"):
            address = IPv6Address(host[1:-1])
            if address.scope_id is None:
                return str(address), True
        elif re.fullmatch(_LOOKS_LIKE_IPV4, host):
            return str(IPv4Address(host)), True
        elif argument.isascii() and re.fullmatch(_NAME, host):
            return host, False
    except AddressValueError:
        pass
    raise ArgumentError("HOST takes a name such as ftp.example.com, or an address, one of IPv6 in brackets; no port")


def format_host(host: str) -> str:
    """``host``, a name or an address, as HOST carries it; a scope is left out."""
    return f"[{host.partition('%')[0]}]" if ":" in host else host
