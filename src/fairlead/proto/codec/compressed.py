"""Compressed mode: strings, runs of one octet, and runs of the filler (RFC 959 section 3.4.3).

An octet with the high bit clear says how many octets follow as they are (1 to 127). ``10nnnnnn d`` stands for ``n``
times the octet ``d``, ``11nnnnnn`` for ``n`` fillers: a space in the code of the type, or zero for image and local
type. A zero octet escapes to a descriptor with the bits of block mode, which belongs to the string after it. The last
string is held back until it is known whether it ends a record.

What the end of the file belongs to where there is no string left is not defined: it is sent as that of a string of no
fillers (``00 40 C0``), and taken, too, when the connection is closed after ``00 40``. For that reason a sender puts no
octets of the file after it: of a connection that was cut just there, none would be missed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from fairlead.errors import TruncatedError
from fairlead.proto.codec.base import RECORD, Marker, Shaped
from fairlead.proto.codec.block import EOF, EOR, MARKER, SUSPECT, check_descriptor

STRING: Final = 127
"""The most octets of a string."""
RUN: Final = 63
"""The most octets of a run."""
NOTHING: Final = b"\xc0"
"""A string of no fillers."""
PIECE: Final = 1 << 16
"""About how many octets a receiver gives out at once."""

_EQUAL = re.compile(rb"\0\0+")


class Compressed:
    """The framing of a sender."""

    keeps_connection = True

    def __init__(self, filler: bytes) -> None:
        self._filler = filler
        self._last: bytes | None = None
        """The string or run that is held back."""
        self._ended = False
        """Whether it ends a record."""

    def frame(self, shaped: Iterable[Shaped]) -> bytes:
        """The strings before the last one."""
        out: list[bytes] = []
        for piece in shaped:
            if piece is RECORD:
                if self._ended:
                    self._release(out)
                self._last = self._last or NOTHING
                self._ended = True
            elif piece:
                self._release(out)
                self._pack(piece, out)
                self._last = out.pop()
        return b"".join(out)

    def _pack(self, data: bytes, out: list[bytes]) -> None:
        """Add ``data`` to ``out``, its last string or run as the last element."""
        done = 0
        for start, end in _runs(data, self._filler[0]):
            _add_strings(data[done:start], out)
            octet = data[start : start + 1]
            whole, rest = divmod(end - start - 1, RUN)
            if octet == self._filler:
                out += (b"\xff" * whole, bytes((0xC1 + rest,)))
            else:
                out += ((b"\xbf" + octet) * whole, bytes((0x81 + rest,)) + octet)
            done = end
        _add_strings(data[done:], out)

    def _release(self, out: list[bytes]) -> None:
        if self._last is not None:
            if self._ended:
                out.append(bytes((0, EOR)))
            out.append(self._last)
            self._last = None
            self._ended = False

    def mark(self, text: bytes) -> bytes:
        """The string that was held back, and one that is a marker; ``text`` has at most 127 octets."""
        out: list[bytes] = []
        self._release(out)
        return b"".join((*out, bytes((0, MARKER, len(text))), text))

    def finish(self) -> bytes:
        """The string that was held back, and one of nothing as the last."""
        out: list[bytes] = []
        self._release(out)
        return b"".join((*out, bytes((0, EOF)), NOTHING))


def _runs(data: bytes, filler: int) -> Iterator[tuple[int, int]]:
    """Where runs that are worth it begin and end: of four octets, or of three fillers.

    Each octet is compared to its neighbour all at once: as one large number and the same one, an octet further on.
    """
    number = int.from_bytes(data, "little")
    differences = (number ^ number >> 8).to_bytes(len(data), "little")
    for found in _EQUAL.finditer(differences, 0, len(data) - 1):
        start, end = found.span()
        if end - start > 2 or data[start] == filler:
            yield start, end + 1


def _add_strings(data: bytes, out: list[bytes]) -> None:
    whole = (len(data) - 1) // STRING * STRING
    for at in range(0, whole, STRING):
        out += (b"\x7f", data[at : at + STRING])
    if data:
        rest = data[whole:]
        out.append(bytes((len(rest),)) + rest)


class Uncompressed:
    """The unframing of a receiver."""

    def __init__(self, filler: bytes) -> None:
        self.finished = False
        self.unused = b""
        self.suspect = False
        self._filler = filler
        self._rest = b""
        self._descriptor = 0
        """That of the string which comes next."""

    def unframe(self, data: bytes) -> Iterator[Shaped | Marker]:
        """What the strings and runs stand for. Raises ProtocolError on a descriptor that cannot be."""
        data = self._rest + data
        self._rest = b""
        at, end = 0, len(data)
        pieces: list[bytes] = []
        size = 0
        while not self.finished:
            head = data[at] if at < end else 0
            need = 2 if not head else 1 + head if head < 0x80 else 2 if head < 0xC0 else 1
            if at + need > end:
                self._rest = data[at:]
                break
            if not head:
                check_descriptor(data[at + 1])
                self._descriptor |= data[at + 1]
                at += 2
                continue
            string = data[at + 1 : at + need]
            if head >= 0x80:
                string = (string or self._filler) * (head & RUN)
            at += need
            descriptor = self._descriptor
            if not descriptor & MARKER:
                pieces.append(string)
                size += len(string)
                if not descriptor and size < PIECE:
                    continue
            if size:
                yield b"".join(pieces)
                pieces, size = [], 0
            if descriptor:
                self._descriptor = 0
                yield from self._described(descriptor, string)
        if size:
            yield b"".join(pieces)
        if self.finished:
            self.unused += data[at:]

    def _described(self, descriptor: int, string: bytes) -> Iterator[Shaped | Marker]:
        """What a string with a descriptor is or ends, once its octets are given out."""
        self.suspect |= bool(descriptor & SUSPECT)
        if descriptor & MARKER:
            yield Marker(string)
        elif descriptor & EOR:
            yield RECORD
        self.finished = bool(descriptor & EOF)

    def close(self) -> Iterable[Shaped]:
        """The end of a record where it came with nothing after it. Raises TruncatedError where no string was the last.

        An end of file that belongs to no string is taken for that of the string before it.
        """
        if not self.finished and (self._rest or not self._descriptor & EOF):
            raise TruncatedError("The data connection was closed before the end of file of compressed mode")
        self.finished = True
        descriptor, self._descriptor = self._descriptor, 0
        return (RECORD,) if descriptor & EOR else ()
