"""Block mode: data in blocks, each with a header of a descriptor and a count (RFC 959 section 3.4.2).

The descriptor says whether the block ends a record or the file, holds suspect data, or is a restart marker; the count
is that of the octets that follow it, in 16 bits. The last block is held back until it is known what it ends.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from fairlead.errors import ProtocolError, TruncatedError
from fairlead.proto.codec.base import RECORD, Marker, Shaped

EOR: Final = 128
EOF: Final = 64
SUSPECT: Final = 32
MARKER: Final = 16
RESERVED: Final = 15
"""Bits of a descriptor that mean nothing."""
HEADER: Final = 3
BLOCK: Final = 1 << 15
"""The most octets a sender puts into a block; the count could say 65535."""
MARKER_LIMIT: Final = 255
"""The longest restart marker that is understood; those of compressed mode have room for 127."""


def check_descriptor(descriptor: int) -> None:
    """Raise ProtocolError where ``descriptor`` has a bit that means nothing."""
    if descriptor & RESERVED:
        message = f"A block's descriptor was {descriptor:#04x}: that is not RFC 959's block or compressed mode"
        raise ProtocolError(message)


class Blocks:
    """The framing of a sender."""

    keeps_connection = True

    def __init__(self) -> None:
        self._last: bytes | None = None
        """The data of the block that is held back."""
        self._ended = False
        """Whether it ends a record."""

    def frame(self, shaped: Iterable[Shaped]) -> bytes:
        """The blocks before the last one."""
        out: list[bytes] = []
        for piece in shaped:
            if piece is RECORD:
                if self._ended:
                    self._release(out)
                self._last = self._last or b""
                self._ended = True
            elif piece:
                self._release(out)
                for at in range(0, len(piece) - BLOCK, BLOCK):
                    out += (_header(0, BLOCK), piece[at : at + BLOCK])
                self._last = piece[(len(piece) - 1) // BLOCK * BLOCK :]
        return b"".join(out)

    def _release(self, out: list[bytes], more: int = 0) -> None:
        if self._last is not None:
            out += (_header(self._ended * EOR | more, len(self._last)), self._last)
            self._last = None
            self._ended = False

    def mark(self, text: bytes) -> bytes:
        """The block that was held back, and one that is a marker."""
        out: list[bytes] = []
        self._release(out)
        return b"".join((*out, _header(MARKER, len(text)), text))

    def finish(self) -> bytes:
        """The block that was held back as the last, or an empty one."""
        out: list[bytes] = []
        self._last = self._last or b""
        self._release(out, EOF)
        return b"".join(out)


def _header(descriptor: int, count: int) -> bytes:
    return bytes((descriptor, count >> 8, count & 255))


class Unblocks:
    """The unframing of a receiver; data are given out as they come, no block is gathered."""

    def __init__(self) -> None:
        self.finished = False
        self.unused = b""
        self.suspect = False
        self._rest = b""
        self._descriptor: int | None = None
        """That of the block which is coming in."""
        self._left = 0
        self._text = b""

    def unframe(self, data: bytes) -> Iterator[Shaped | Marker]:
        """What the blocks hold. Raises ProtocolError on a descriptor or a marker that cannot be."""
        data = self._rest + data
        self._rest = b""
        at = 0
        while not self.finished:
            if self._descriptor is None:
                if len(data) - at < HEADER:
                    self._rest = data[at:]
                    return
                self._begin(data[at], data[at + 1] << 8 | data[at + 2])
                at += HEADER
            descriptor = self._descriptor or 0
            piece = data[at : at + self._left]
            at += len(piece)
            self._left -= len(piece)
            if descriptor & MARKER:
                self._text += piece
            elif piece:
                yield piece
            if self._left:
                return
            self._descriptor = None
            if descriptor & MARKER:
                text, self._text = self._text, b""
                yield Marker(text)
            elif descriptor & EOR:
                yield RECORD
            self.finished = bool(descriptor & EOF)
        self.unused += data[at:]

    def _begin(self, descriptor: int, count: int) -> None:
        check_descriptor(descriptor)
        if descriptor & MARKER and count > MARKER_LIMIT:
            message = f"A restart marker has {count} octets"
            raise ProtocolError(message)
        self.suspect |= bool(descriptor & SUSPECT)
        self._descriptor = descriptor
        self._left = count

    def close(self) -> tuple[()]:
        """Nothing is held back. Raises TruncatedError where no block was the last."""
        if not self.finished:
            raise TruncatedError("The data connection was closed before the end of file of block mode")
        return ()
