"""Capture files: pcap and pcapng, as tcpdump, dumpcap and Wireshark write them, also compressed by gzip.

The frames come one by one, so that a file may be larger than the memory. A file that was cut, or has a damaged place,
gives all that stands before it. (dpkt's readers know one interface only and believe every length.)
"""

from __future__ import annotations

import gzip
import io
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, NamedTuple

from fairlead.errors import CaptureError

LARGEST_FRAME = 1 << 18
"""Octets; what libpcap itself takes for the longest frame that makes sense."""
_LARGEST_BLOCK = 1 << 24
_GZIP = b"\x1f\x8b"
_MAGIC = {
    b"\xa1\xb2\xc3\xd4": (">", 1e6),
    b"\xd4\xc3\xb2\xa1": ("<", 1e6),
    b"\xa1\xb2\x3c\x4d": (">", 1e9),
    b"\x4d\x3c\xb2\xa1": ("<", 1e9),
}
"""The first octets of a pcap file: byte order, and units of time in a second."""
_SECTION, _INTERFACE, _OLD_PACKET, _SIMPLE_PACKET, _PACKET = 0x0A0D0D0A, 1, 2, 3, 6
_ORDER = {b"\x1a\x2b\x3c\x4d": ">", b"\x4d\x3c\x2b\x1a": "<"}
_END_OF_OPTIONS, _RESOLUTION, _OFFSET = 0, 9, 14


class Frame(NamedTuple):
    """One frame as an interface saw it."""

    at: float
    """Seconds since the epoch."""
    link: int
    """The type of the link (LINKTYPE of tcpdump.org)."""
    octets: bytes
    """What was captured of it."""
    size: int
    """How long it was."""


class CaptureFile:
    """The frames of a capture file, in the order in which they stand there.

    After the iteration ``damage`` says in a sentence why it ended early, if it did. Iterating raises CaptureError when
    the file is no capture at all.
    """

    def __init__(self, file: BinaryIO, name: str) -> None:
        self._name = name
        self._file = _uncompressed(file)
        self.damage = ""

    def __iter__(self) -> Iterator[Frame]:
        try:
            yield from self._frames()
        except _DamagedError as damage:
            self.damage = f"{self._name} {damage}; what stands before it is explained"
        except (EOFError, gzip.BadGzipFile, zlib.error):
            self.damage = f"{self._name} is cut or damaged where it is compressed; what stands before it is explained"

    def _frames(self) -> Iterator[Frame]:
        magic = self._file.read(4)
        if magic in _MAGIC:
            return self._pcap(*_MAGIC[magic])
        if magic == _SECTION.to_bytes(4):
            return self._pcapng()
        what = "empty" if not magic else "no capture of tcpdump or Wireshark (pcap, pcapng)"
        raise CaptureError(f"{self._name} is {what}; record one with: tcpdump -i any -w FILE tcp or icmp or icmp6")

    def _take(self, size: int, what: str) -> bytes:
        octets = self._file.read(size)
        if len(octets) < size:
            raise _DamagedError(f"ends in the middle of {what}")
        return octets

    def _pcap(self, order: str, units: float) -> Iterator[Frame]:
        *_, link = struct.unpack(f"{order}HHiIII", self._take(20, "its heading"))
        header = struct.Struct(f"{order}IIII")
        while first := self._file.read(1):
            seconds, fraction, captured, size = header.unpack(first + self._take(15, "a packet"))
            if captured > LARGEST_FRAME:
                raise _DamagedError(f"is damaged: a packet of {captured} octets cannot be")
            yield Frame(seconds + fraction / units, link & 0xFFFF, self._take(captured, "a packet"), size)

    def _pcapng(self) -> Iterator[Frame]:
        order = self._section()
        interfaces: list[_Interface] = []
        while first := self._file.read(1):
            head = first + self._take(3, "a block")
            if head == _SECTION.to_bytes(4):
                order, interfaces = self._section(), []
                continue
            kind = struct.unpack(f"{order}I", head)[0]
            body = self._body(order)
            if kind == _INTERFACE:
                interfaces.append(_interface(body, order))
            elif kind in {_PACKET, _OLD_PACKET, _SIMPLE_PACKET}:
                yield _packet(kind, body, order, interfaces)

    def _section(self) -> str:
        """Read a section's heading, whose type has been read; returns the byte order that follows."""
        length, order = self._take(4, "its heading"), _ORDER.get(self._take(4, "its heading"))
        if order is None:
            raise _DamagedError("is damaged: the heading of a section names no byte order")
        size = struct.unpack(f"{order}I", length)[0]
        self._take(_sane(size, 28) - 12, "its heading")
        return order

    def _body(self, order: str) -> bytes:
        """The inside of a block, whose type has been read."""
        size = _sane(struct.unpack(f"{order}I", self._take(4, "a block"))[0], 12)
        return self._take(size - 8, "a block")[:-4]


@dataclass(frozen=True, slots=True)
class _Interface:
    link: int
    units: float
    offset: int
    limit: int


class _DamagedError(Exception):
    """How a file is damaged, as the end of a sentence that begins with its name."""


def _uncompressed(file: BinaryIO) -> BinaryIO:
    buffered = file if isinstance(file, io.BufferedReader) else io.BufferedReader(file)  # type: ignore[type-var, unused-ignore]
    if buffered.peek(2)[:2] == _GZIP:
        return gzip.GzipFile(fileobj=buffered)  # type: ignore[return-value, unused-ignore]
    return buffered


def _sane(size: int, least: int) -> int:
    if size % 4 or not least <= size <= _LARGEST_BLOCK:
        raise _DamagedError(f"is damaged: a block of {size} octets cannot be")
    return size


def _interface(body: bytes, order: str) -> _Interface:
    if len(body) < 8:
        raise _DamagedError("is damaged: an interface without a type of link")
    link, limit = struct.unpack_from(f"{order}HxxI", body)
    units, offset, place = 1e6, 0, 8
    while place + 4 <= len(body):
        code, length = struct.unpack_from(f"{order}HH", body, place)
        value = body[place + 4 : place + 4 + length]
        if code == _END_OF_OPTIONS:
            break
        if code == _RESOLUTION and value:
            units = float(2 ** (value[0] & 0x7F)) if value[0] & 0x80 else float(10 ** value[0])
        elif code == _OFFSET and len(value) == 8:
            offset = struct.unpack(f"{order}q", value)[0]
        place += 4 + (length + 3) // 4 * 4
    return _Interface(link, units, offset, limit or LARGEST_FRAME)


def _packet(kind: int, body: bytes, order: str, interfaces: list[_Interface]) -> Frame:
    """The frame of a packet block; a simple one belongs to the first interface and tells no time."""
    try:
        if kind == _SIMPLE_PACKET:
            size = struct.unpack_from(f"{order}I", body)[0]
            return Frame(0.0, interfaces[0].link, body[4 : 4 + min(size, interfaces[0].limit)], size)
        form = f"{order}IIIII" if kind == _PACKET else f"{order}HHIIII"
        number, *rest = struct.unpack_from(form, body)
        high, low, captured, size = rest[-4:]
        interface = interfaces[number]
    except (struct.error, IndexError):
        raise _DamagedError("is damaged: a packet belongs to no interface") from None
    at = interface.offset + (high << 32 | low) / interface.units
    return Frame(at, interface.link, body[20 : 20 + captured], size)
