"""Addresses in arguments and replies: PORT, 227 (RFC 959), EPRT, EPSV, 229, 522 (RFC 2428), LPRT, 228, 521 (RFC 1639).

Hosts are texts as :mod:`ipaddress` writes them, ports are numbers. Nothing here looks a name up.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

from fairlead.errors import ArgumentError, FamilyError

IPV4 = 1
IPV6 = 2
"""IANA's address family numbers, as EPRT and EPSV use them."""

_PORT = r" *([0-9]{1,3}),([0-9]{1,3}),([0-9]{1,3}),([0-9]{1,3}),([0-9]{1,3}),([0-9]{1,3}) *"
_SIX_NUMBERS = r"(?<![0-9])([0-9]+)" + r" *, *([0-9]+)" * 5
_NUMBER = r"[0-9]+"
_OCTETS = r"[0-9]{1,3}(?:,[0-9]{1,3})*"
_IN_PARENTHESES = r"\(([!-~])(?:.*?)\1(?:.*?)\1([0-9]{1,5})\1\)"
_BARE_FIELDS = r"([!-/:-~])\1\1([0-9]{1,5})\1"
_FAMILIES = r"\(([0-9]{1,5}(?: *, *[0-9]{1,5})*)\)"
_LONGEST_REPLY = 500  # characters of a 229 that are looked at, so that no text can make the search long
_EPRT_FIELDS = 5
_HIGHEST_PORT = 0xFFFF
_PORT_DIGITS = len("65535")
_HIGHEST_OCTET = 0xFF


def parse_port(argument: str) -> tuple[str, int]:
    """Host and port of a PORT argument, ``h1,h2,h3,h4,p1,p2``. Raises ArgumentError."""
    match = re.fullmatch(_PORT, argument)
    if match is None:
        raise ArgumentError("PORT needs six numbers from 0 to 255: h1,h2,h3,h4,p1,p2")
    return _from_six(match.groups())


def format_port(host: str, port: int) -> str:
    """The argument of PORT for the IPv4 address ``host``."""
    return f"{host.replace('.', ',')},{port >> 8},{port & 0xFF}"


def parse_pasv_reply(text: str) -> tuple[str, int]:
    """Host and port in the text of a 227 reply: its first six numbers between commas, whatever stands around them.

    RFC 1123 section 4.1.2.6 warns that the parentheses of RFC 959 cannot be relied on. Raises ArgumentError.
    """
    match = re.search(_SIX_NUMBERS, text)
    if match is None:
        raise ArgumentError(f"no address in the 227 reply {text[:80]!r}")
    return _from_six(match.groups())


def pasv_reply_text(host: str, port: int) -> str:
    """The text of a 227 reply for the IPv4 address ``host``."""
    return f"Entering Passive Mode ({format_port(host, port)})."


def parse_eprt(argument: str) -> tuple[int, str, int]:
    """Family (1 or 2), address and port of an EPRT argument, ``|1|192.0.2.1|5000|``.

    Raises FamilyError for a family that is neither, ArgumentError for anything malformed; a host name and an address
    with a scope are.
    """
    fields = argument.split(argument[:1]) if "!" <= argument[:1] <= "~" else []
    if len(fields) != _EPRT_FIELDS or fields[-1] or not re.fullmatch(_NUMBER, fields[1]):
        raise ArgumentError("EPRT needs |family|address|port| with any delimiter from ! to ~")
    _, family_text, host, port_text, _ = fields
    family = family_text.lstrip("0")
    if family not in ("1", "2"):
        raise FamilyError(f"network protocol {family_text[:20]} is not supported")
    from ipaddress import AddressValueError, IPv4Address, IPv6Address

    try:
        if family == "1":
            return IPV4, str(IPv4Address(host)), _port(port_text)
        address = IPv6Address(host)
    except AddressValueError:
        raise ArgumentError(f"{host[:50]!r} is no address of network protocol {family}") from None
    if address.scope_id is not None:
        raise ArgumentError("an address in EPRT has no scope")
    return IPV6, str(address), _port(port_text)


def format_eprt(host: str, port: int) -> str:
    """The argument of EPRT for the address ``host``; a scope is left out. Raises ArgumentError where that is none."""
    from ipaddress import ip_address

    unscoped = host.partition("%")[0]
    try:
        family = IPV4 if ip_address(unscoped).version == 4 else IPV6
    except ValueError:
        raise ArgumentError(f"{host!r} is no IP address") from None
    return f"|{family}|{unscoped}|{port}|"


def parse_lprt(argument: str) -> tuple[int, str, int]:
    """Family (1 or 2), address and port of an LPRT argument, ``4,4,h1,h2,h3,h4,2,p1,p2`` (RFC 1639).

    Raises FamilyError for a family that is neither, ArgumentError for anything malformed.
    """
    octets = [int(octet) for octet in argument.split(",")] if re.fullmatch(_OCTETS, argument) else []
    if not octets or max(octets) > _HIGHEST_OCTET:
        raise ArgumentError("LPRT needs numbers from 0 to 255: family, length, address, length, port")
    if octets[0] not in {4, 6}:
        raise FamilyError(f"address family {octets[0]} is not supported")
    length = 4 if octets[0] == 4 else 16
    host, port = octets[2 : 2 + length], octets[3 + length :]
    if octets[1:2] != [length] or octets[2 + length : 3 + length] != [2] or len(port) != 2 or port == [0, 0]:
        raise ArgumentError(f"LPRT needs {length} numbers for the address and 2 for the port of family {octets[0]}")
    from ipaddress import ip_address

    return IPV4 if length == 4 else IPV6, str(ip_address(bytes(host))), port[0] << 8 | port[1]


def lpsv_reply_text(host: str, port: int) -> str:
    """The text of a 228 reply for the address ``host``; a scope is left out."""
    from ipaddress import ip_address

    address = ip_address(host.partition("%")[0])
    octets = (4 if address.version == 4 else 6, len(address.packed), *address.packed, 2, port >> 8, port & 0xFF)
    return f"Entering Long Passive Mode ({','.join(map(str, octets))})"


def long_families_text(families: Iterable[int]) -> str:
    """The text of a 521 reply that lists the families which can be used, by the numbers of IP's versions."""
    return f"Supported address families are ({', '.join('4' if family == IPV4 else '6' for family in families)})"


def parse_epsv_argument(argument: str) -> Literal[1, 2, "ALL"] | None:
    """What EPSV asks for: None (no argument), a family, or ``"ALL"``.

    Raises FamilyError for another family's number, ArgumentError for anything else.
    """
    if not argument:
        return None
    if argument.upper() == "ALL":
        return "ALL"
    if argument == "1":
        return 1
    if argument == "2":
        return 2
    if re.fullmatch(_NUMBER, argument):
        raise FamilyError(f"network protocol {argument[:20]} is not supported")
    raise ArgumentError("EPSV takes 1, 2, ALL or nothing")


def parse_epsv_reply(text: str) -> int:
    """The port in the text of a 229 reply, ``(|||port|)`` with any delimiter. Raises ArgumentError.

    What stands between the first three delimiters is ignored; missing parentheses are tolerated.
    """
    before, found, rest = text.partition("(|||")
    port, end, _ = rest.partition("|)")
    if found and end and "(" not in before and port.isdecimal():  # as most say it
        return _port(port)
    text = text[:_LONGEST_REPLY]
    match = re.search(_IN_PARENTHESES, text) or re.search(_BARE_FIELDS, text)
    if match is None:
        raise ArgumentError(f"no port in the 229 reply {text[:80]!r}")
    return _port(match[2])


def epsv_reply_text(port: int) -> str:
    """The text of a 229 reply."""
    return f"Entering Extended Passive Mode (|||{port}|)"


def parse_families(text: str) -> tuple[int, ...]:
    """The families a 522 reply lists in parentheses; empty where it lists none."""
    match = re.search(_FAMILIES, text)
    return tuple(int(number) for number in match[1].split(",")) if match else ()


def families_text(families: Iterable[int]) -> str:
    """The text of a 522 reply that lists the families which can be used."""
    return f"Network protocol not supported, use ({','.join(map(str, families))})"


def _from_six(numbers: tuple[str, ...]) -> tuple[str, int]:
    octets = [int(number) if len(number) <= len("255") else _HIGHEST_OCTET + 1 for number in numbers]
    port = octets[4] << 8 | octets[5]
    if max(octets) > _HIGHEST_OCTET or not port:
        raise ArgumentError(f"{','.join(numbers)[:40]} is no address and port")
    return "{}.{}.{}.{}".format(*octets[:4]), port


def _port(text: str) -> int:
    if not (text.isdecimal() and text.isascii() and len(text) <= _PORT_DIGITS) or not 0 < int(text) <= _HIGHEST_PORT:
        raise ArgumentError(f"{text[:20]!r} is no port from 1 to {_HIGHEST_PORT}")
    return int(text)
