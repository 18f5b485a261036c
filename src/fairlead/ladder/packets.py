"""IP packets that carry TCP segments or say that a host cannot be reached (RFC 791, 8200, 9293, 792, 4443)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

from fairlead.ladder.model import End

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
_TCP, _ICMP, _ICMP6 = 6, 1, 58
_HOPS = 64
_WINDOW = 0xFFFF
_QUOTED = 8
"""Octets of a segment that an ICMP message quotes, at the least."""


@dataclass(frozen=True, slots=True)
class Packet:
    """``octets`` from the IP header on; ``length`` is that of the whole, of which they may be the first part only."""

    octets: bytes
    length: int


@dataclass(frozen=True, slots=True)
class Place:
    """Between which addresses a packet goes: both of 4 octets or both of 16."""

    source: bytes
    target: bytes

    @property
    def version(self) -> int:
        """4 or 6."""
        return 4 if len(self.source) == len(IPv4Address(0).packed) else 6

    def turned(self) -> Place:
        """The way back."""
        return Place(self.target, self.source)


@dataclass(frozen=True, slots=True)
class Segment:
    """The header of a TCP segment."""

    source: int
    target: int
    sequence: int
    acknowledged: int
    flags: int


def place(source: End, target: End) -> Place:
    """Where ``source`` and ``target`` are; an address that is not known is 0.0.0.0."""
    first, second = _address(source), _address(target)
    if first.version != second.version:
        first, second = _long(first), _long(second)
    return Place(first.packed, second.packed)


def tcp(where: Place, segment: Segment, known: bytes, size: int) -> Packet:
    """A segment with ``size`` octets of payload that begin with ``known``; the others are zero and left out."""
    options = b"\x02\x04" + struct.pack("!H", 1460 if where.version == 4 else 1440) if segment.flags & SYN else b""
    offset = (20 + len(options)) << 10
    fields = (segment.source, segment.target, segment.sequence, segment.acknowledged, offset | segment.flags, _WINDOW)
    header = struct.pack("!HHIIHHHH", *fields, 0, 0) + options
    checksum = _checksum(_pseudo(where, _TCP, len(header) + size) + header + known)
    whole = header[:16] + struct.pack("!H", checksum) + header[18:] + known
    return Packet(_ip(where, _TCP, len(header) + size) + whole, _ip_length(where) + len(header) + size)


def unreachable(where: Place, refused: Segment) -> Packet:
    """The message that the target of ``refused`` cannot be reached; it goes along ``where``, the way back."""
    segment = struct.pack("!HHI", refused.source, refused.target, refused.sequence)
    quoted = _ip(where.turned(), _TCP, 20) + segment[:_QUOTED]
    if where.version == 4:
        kind, protocol, pseudo = b"\x03\x01", _ICMP, b""
    else:
        kind, protocol, pseudo = b"\x01\x03", _ICMP6, _pseudo(where, _ICMP6, 8 + len(quoted))
    message = kind + bytes(6) + quoted
    message = kind + struct.pack("!H", _checksum(pseudo + message)) + message[4:]
    return Packet(_ip(where, protocol, len(message)) + message, _ip_length(where) + len(message))


def _address(end: End) -> IPv4Address | IPv6Address:
    try:
        return ip_address(end.address.partition("%")[0])
    except ValueError:
        return IPv4Address(0)


def _long(address: IPv4Address | IPv6Address) -> IPv6Address:
    return address if isinstance(address, IPv6Address) else IPv6Address(b"\0" * 10 + b"\xff\xff" + address.packed)


def _ip_length(where: Place) -> int:
    return 20 if where.version == 4 else 40


def _ip(where: Place, protocol: int, size: int) -> bytes:
    """The header of a packet that carries ``size`` octets."""
    if where.version == 6:
        return struct.pack("!IHBB", 6 << 28, size, protocol, _HOPS) + where.source + where.target
    unsummed = struct.pack("!BBHHHBBH", 0x45, 0, 20 + size, 0, 0x4000, _HOPS, protocol, 0) + where.source + where.target
    return unsummed[:10] + struct.pack("!H", _checksum(unsummed)) + unsummed[12:]


def _pseudo(where: Place, protocol: int, size: int) -> bytes:
    ends = where.source + where.target
    if where.version == 4:
        return ends + struct.pack("!HH", protocol, size)
    return ends + struct.pack("!IxxxB", size, protocol)


def _checksum(octets: bytes) -> int:
    total: int = sum(struct.unpack(f"!{len(octets) // 2}H", octets[: len(octets) // 2 * 2]))
    if len(octets) % 2:
        total += octets[-1] << 8
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
