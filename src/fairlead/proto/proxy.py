"""The PROXY protocol: by what a load balancer says for whom it calls (HAProxy's specification, versions 1 and 2).

Its header comes before the first octet of anything else. Version 1 is a line of text, version 2 is binary; both are
read here, cut anywhere.
"""

from __future__ import annotations

import re
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import NamedTuple, TypeAlias

from fairlead.errors import ProtocolError

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
"""What version 2 begins with."""
TEXT = b"PROXY "
"""What version 1 begins with."""
LONGEST_LINE = 107
"""Octets of the longest line of version 1, its end included."""
HEAD = 16
"""Octets of version 2 up to the addresses."""

_Address: TypeAlias = type[IPv4Address] | type[IPv6Address]
_ADDRESS: dict[str, _Address] = {"TCP4": IPv4Address, "TCP6": IPv6Address}
_PORT = "0|[1-9][0-9]{0,4}"
_LOCAL, _PROXY = 0x20, 0x21
_TCP: dict[int, tuple[int, _Address]] = {0x11: (4, IPv4Address), 0x21: (16, IPv6Address)}
"""Family and transport of version 2: the length and the kind of an address."""
_OTHERS = frozenset({0x00, 0x10, 0x12, 0x20, 0x22, 0x30, 0x31, 0x32})
"""Those that are known, but tell nothing about a TCP connection over IP."""


class Ends(NamedTuple):
    """Of the connection for which a proxy calls: address and port of its client, and those that the client called."""

    client: tuple[str, int]
    called: tuple[str, int]


class Proxied(NamedTuple):
    """A header that has been read."""

    ends: Ends | None
    """None where the proxy speaks for itself (LOCAL, as in a check of health) or does not know (UNKNOWN)."""
    local: bool
    """Whether the proxy speaks for itself."""
    size: int
    """How many octets of the last piece belong to the header; what follows is the connection's own."""


class ProxyReader:
    """Reads the header at the beginning of one connection."""

    __slots__ = ("_data",)

    def __init__(self) -> None:
        self._data = b""

    def feed(self, piece: bytes) -> Proxied | None:
        """The header once it is whole, None before: then all of ``piece`` belongs to it.

        Raises ProtocolError for what is no header, as soon as that is certain.
        """
        before = len(self._data)
        data = self._data = self._data + piece
        if data.startswith(SIGNATURE[: len(data)]):
            read = _binary(data)
        elif data.startswith(TEXT[: len(data)]):
            read = _text(data)
        else:
            raise ProtocolError("there is no PROXY header")
        return read and read._replace(size=read.size - before)


def _text(data: bytes) -> Proxied | None:
    """A header of version 1."""
    end = data.find(b"\r\n", 0, LONGEST_LINE)
    if end < 0:
        if len(data) >= LONGEST_LINE:
            raise ProtocolError("the line of the PROXY header is too long")
        return None
    kind, *fields = data[len(TEXT) : end].decode("latin-1").split(" ")
    if kind == "UNKNOWN":
        return Proxied(None, local=False, size=end + 2)
    if kind not in _ADDRESS or len(fields) != 4:
        raise ProtocolError("the PROXY header has no TCP4 or TCP6 with two addresses and two ports")
    client, called, *ports = fields
    try:
        ends = Ends(
            (_text_address(kind, client), _text_port(ports[0])), (_text_address(kind, called), _text_port(ports[1]))
        )
    except AddressValueError as error:
        raise ProtocolError(f"the PROXY header has an address that is none of {kind}") from error
    return Proxied(ends, local=False, size=end + 2)


def _text_address(kind: str, text: str) -> str:
    if "%" in text:
        raise AddressValueError(text)
    return _plain(_ADDRESS[kind](text))


def _plain(address: IPv4Address | IPv6Address) -> str:
    """The address as text; one of IPv4 that is written as IPv6 is one of IPv4."""
    return str(getattr(address, "ipv4_mapped", None) or address)


def _text_port(text: str) -> int:
    if not re.fullmatch(_PORT, text) or int(text) > 0xFFFF:
        raise ProtocolError("the PROXY header has a port that is none")
    return int(text)


def _binary(data: bytes) -> Proxied | None:
    """A header of version 2; what follows its addresses (TLVs) is of no concern here."""
    if len(data) < HEAD:
        return None
    command, family = data[12], data[13]
    if command not in {_LOCAL, _PROXY}:
        raise ProtocolError("the PROXY header is of a version or a command that is not known")
    if family not in _TCP and family not in _OTHERS:
        raise ProtocolError("the PROXY header is for a family or a transport that is not known")
    size = HEAD + int.from_bytes(data[14:HEAD])
    if len(data) < size:
        return None
    if command == _LOCAL or family in _OTHERS:
        return Proxied(None, local=command == _LOCAL, size=size)
    length, address = _TCP[family]
    body = data[HEAD:size]
    if len(body) < 2 * length + 4:
        raise ProtocolError("the PROXY header is too short for its addresses")
    ports = body[2 * length :]
    ends = Ends(
        (_plain(address(body[:length])), int.from_bytes(ports[:2])),
        (_plain(address(body[length : 2 * length])), int.from_bytes(ports[2:4])),
    )
    return Proxied(ends, local=False, size=size)
