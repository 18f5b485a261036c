"""Frames to what a session is made of: TCP segments, and the ICMP messages that refuse one."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias

from fairlead.capture.files import Frame
from fairlead.errors import CaptureError

FIN, SYN, RST, PSH, ACK = 0x01, 0x02, 0x04, 0x08, 0x10
INSTALL = "reading captures needs dpkt: pip install 'fairlead[capture]'"

Address: TypeAlias = tuple[str, int]
"""Host and port."""

_LOOPBACK, _ETHERNET, _RAW, _RAW_BSD, _OPENBSD_LOOPBACK, _COOKED, _COOKED_2 = 0, 1, 101, 12, 108, 113, 276
_RAW_4, _RAW_6 = 228, 229
_OUTGOING = 4
_HEADERS: Mapping[int, tuple[int, int | None, int | None]] = {
    _ETHERNET: (14, 12, None),
    _COOKED: (16, 14, 1),
    _COOKED_2: (20, 0, 10),
    _LOOPBACK: (4, None, None),
    _OPENBSD_LOOPBACK: (4, None, None),
}
"""Of a link's header: its size, where it tells the protocol, and where the direction; others have none."""
_INTERNET = frozenset({b"\x08\x00", b"\x86\xdd"})
_PLAIN_IPV4, _IPV6_HEADER = 0x45, 40
_TCP, _ICMP, _ICMP6 = socket.IPPROTO_TCP, socket.IPPROTO_ICMP, socket.IPPROTO_ICMPV6
_UNREACHABLE, _UNREACHABLE_6 = 3, 1
_PROHIBITED = {4: frozenset({9, 10, 13}), 6: frozenset({1, 5, 6})}
_REASONS = {
    4: {0: "network unreachable", 1: "host unreachable", 3: "port unreachable", 13: "administratively prohibited"},
    6: {0: "no route", 1: "administratively prohibited", 3: "address unreachable", 4: "port unreachable"},
}
"""What the codes of ICMP's and ICMPv6's unreachable messages mean (RFC 792, RFC 1812, RFC 4443)."""


class Segment(NamedTuple):
    """A TCP segment."""

    at: float
    source: Address
    target: Address
    flags: int
    seq: int
    ack: int
    payload: bytes
    """The octets of it that were captured."""
    size: int
    """The octets that it carried."""
    hops: int
    """How many routers it had passed, as its time to live tells."""
    outgoing: bool | None
    """Whether the machine that captured sent it; None where the capture does not say."""


class Unreachable(NamedTuple):
    """An ICMP message: a segment from ``source`` to ``target`` was refused on its way."""

    at: float
    reporter: str
    """Who says so."""
    source: Address
    target: Address
    reason: str
    prohibited: bool
    """Whether a firewall's rule refused it, as far as the message tells."""


Packet: TypeAlias = Segment | Unreachable


class Dissector:
    """Takes frames apart. Raises CaptureError where dpkt is not installed."""

    def __init__(self) -> None:
        try:
            import dpkt  # noqa: PLC0415 - a package that only captures need
        except ImportError:
            raise CaptureError(INSTALL) from None
        self._links: dict[int, Callable[[bytes], tuple[Any, bool | None]]] = {
            _ETHERNET: lambda octets: (dpkt.ethernet.Ethernet(octets).data, None),
            _COOKED: lambda octets: _cooked(dpkt.sll.SLL(octets)),
            _COOKED_2: lambda octets: _cooked(dpkt.sll2.SLL2(octets)),
            **dict.fromkeys((_LOOPBACK, _OPENBSD_LOOPBACK), lambda octets: (_internet(octets[4:]), None)),
            **dict.fromkeys((_RAW, _RAW_BSD, _RAW_4, _RAW_6), lambda octets: (_internet(octets), None)),
        }
        self._broken = (dpkt.UnpackError, struct.error, IndexError, ValueError, AttributeError)
        self._ip, self._ip6 = dpkt.ip.IP, dpkt.ip6.IP6

        def _internet(octets: bytes) -> Any:
            return (dpkt.ip6.IP6 if octets[0] >> 4 == 6 else dpkt.ip.IP)(octets)

        self.strange_links: set[int] = set()
        """Types of links of frames that nobody here knows."""

    def packet(self, frame: Frame) -> Packet | None:
        """What ``frame`` tells; None where it has nothing to do with TCP, or is damaged."""
        plain = _plain(frame)
        if plain is not None:
            return plain
        unwrap = self._links.get(frame.link)
        if unwrap is None:
            self.strange_links.add(frame.link)
            return None
        try:
            datagram, outgoing = unwrap(frame.octets)
            if isinstance(datagram, self._ip):
                if datagram.offset:
                    return None  # what follows the first fragment of a segment becomes a gap
                return self._inside(frame, datagram, datagram.p, outgoing, max(datagram.len - datagram.hl * 4, 0))
            if isinstance(datagram, self._ip6):
                extensions = sum(header.length for header in datagram.all_extension_headers)
                size = datagram.plen - extensions if datagram.plen else 0
                return self._inside(frame, datagram, datagram.p, outgoing, size)
        except self._broken:
            pass
        return None

    def _inside(self, frame: Frame, datagram: Any, protocol: int, outgoing: bool | None, size: int) -> Packet | None:
        """``size`` is that of the datagram's content by its header, 0 where that does not tell (offloading)."""
        if protocol == _TCP:
            hops = _hops(datagram.ttl if isinstance(datagram, self._ip) else datagram.hlim)
            return _segment(frame, datagram.src, datagram.dst, bytes(datagram.data), size, hops, outgoing)
        if protocol in {_ICMP, _ICMP6}:
            return _unreachable(frame.at, datagram.src, bytes(datagram.data), 4 if protocol == _ICMP else 6)
        return None


def _plain(frame: Frame) -> Segment | None:
    """The segment of the usual frame, without what dpkt is for (tags, extensions, fragments): ten times as quick."""
    octets = frame.octets
    start, kind, outgoing = _HEADERS.get(frame.link, (0, None, None))
    if kind is not None and octets[kind : kind + 2] not in _INTERNET:
        return None
    if len(octets) < start + _IPV6_HEADER:
        return None
    if octets[start] == _PLAIN_IPV4:
        if octets[start + 9] != _TCP or octets[start + 6] & 0x3F or octets[start + 7]:
            return None
        source, target = octets[start + 12 : start + 16], octets[start + 16 : start + 20]
        size, left, header = int.from_bytes(octets[start + 2 : start + 4]) - 20, octets[start + 8], 20
    elif octets[start] >> 4 == 6 and octets[start + 6] == _TCP:
        source, target = octets[start + 8 : start + 24], octets[start + 24 : start + 40]
        size, left, header = int.from_bytes(octets[start + 4 : start + 6]), octets[start + 7], _IPV6_HEADER
    else:
        return None
    sent = None if outgoing is None else octets[outgoing] == _OUTGOING
    return _segment(frame, source, target, octets[start + header :], max(size, 0), _hops(left), sent)


def _cooked(frame: Any) -> tuple[Any, bool]:
    return frame.data, frame.type == _OUTGOING


def _hops(left: int) -> int:
    """Routers passed: senders begin at 32, 64, 128 or 255."""
    return (32 if left <= 32 else 64 if left <= 64 else 128 if left <= 128 else 255) - left


@lru_cache(maxsize=4096)
def _host(packed: bytes) -> str:
    return socket.inet_ntop(socket.AF_INET if len(packed) == 4 else socket.AF_INET6, packed)


def _segment(
    frame: Frame, source: bytes, target: bytes, octets: bytes, size: int, hops: int, outgoing: bool | None
) -> Segment | None:
    """The TCP segment in ``octets``, which the capture may have cut."""
    if len(octets) < 20:
        return None
    sport, dport, seq, ack, offset, flags = struct.unpack_from("!HHIIBB", octets)
    header = (offset >> 4) * 4
    payload = octets[header:]
    carried = (size or len(octets)) - header
    if header < 20 or carried < 0:
        return None
    return Segment(
        frame.at,
        (_host(source), sport),
        (_host(target), dport),
        flags,
        seq,
        ack,
        payload[:carried],
        carried,
        hops,
        outgoing,
    )


def _unreachable(at: float, reporter: bytes, octets: bytes, version: int) -> Unreachable | None:
    """The message in ``octets``: a type, a code, and the beginning of the datagram that it is about."""
    kind, code = octets[0], octets[1]
    inner = octets[8:]
    if kind != (_UNREACHABLE if version == 4 else _UNREACHABLE_6):
        return None
    if version == 4:
        protocol, header, source, target = inner[9], (inner[0] & 0xF) * 4, inner[12:16], inner[16:20]
    else:
        protocol, header, source, target = inner[6], 40, inner[8:24], inner[24:40]
    if protocol != _TCP:
        return None
    sport, dport = struct.unpack_from("!HH", inner, header)
    return Unreachable(
        at,
        _host(reporter),
        (_host(source), sport),
        (_host(target), dport),
        _REASONS[version].get(code, f"code {code}"),
        code in _PROHIBITED[version],
    )
