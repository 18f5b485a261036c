"""Page structure: a file in numbered pages, each with a header (RFC 959 section 3.1.2.3 and appendix I).

A header is four logical bytes, of the size that TYPE sets: its own length, the number of the page, the length of the
data, and the type. Type 1 is a page of the file; 3 one whose header has a fifth byte, for access control; 2 describes
the file, and 0 is the end.

The rule: **a file is its pages from number 0 on, one after another**. A sender makes pages of 512 logical bytes, or of
as many as their length can say, all of type 1. A receiver takes pages of any length, leaves descriptions and access
control aside, and refuses a file in which a page is missing (a hole), for it could not say how long that is.

As many pages as a logical byte can number, a file may have: with bytes of 8 bits that is 62 KiB, with 16 bits 64 MiB.
Logical bytes of fewer than 8 bits could not hold the header and are not served.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from fairlead.errors import MismatchError, PageTypeError, ProtocolError, TruncatedError
from fairlead.proto.codec.base import Encoder, StreamDecoder

PAGE: Final = 512
"""Logical bytes of a page, where their number fits into one."""
HEADER: Final = 4
LAST, SIMPLE, DESCRIPTOR, CONTROLLED = range(4)
_LENGTHS = {LAST: range(HEADER, HEADER + 1), SIMPLE: range(HEADER, HEADER + 1), CONTROLLED: range(5, 6)}
"""How long the header of each type is."""


def page_length(size: int) -> int:
    """How many logical bytes of ``size`` bits a sender's page has; together they are whole octets."""
    return min(PAGE, (1 << size) - 1) // 8 * 8


def capacity(size: int) -> int:
    """The most octets that pages of logical bytes of ``size`` bits can carry."""
    return page_length(size) * size // 8 << size


class BitWriter:
    """Numbers of any length in bits to octets; what does not fill an octet waits for the next."""

    def __init__(self) -> None:
        self._value = 0
        self._bits = 0

    def put(self, value: int, bits: int) -> bytes:
        """The octets that are whole once ``value`` has followed with as many ``bits``."""
        value |= self._value << bits
        bits += self._bits
        self._bits = bits % 8
        self._value = value & (1 << self._bits) - 1
        return (value >> self._bits).to_bytes(bits // 8)

    def flush(self) -> bytes:
        """The last octet, filled up with zeros, where one is begun."""
        return self.put(0, -self._bits % 8)


class BitReader:
    """Octets to numbers of any length in bits."""

    def __init__(self) -> None:
        self._data = b""
        self._at = 0

    def feed(self, data: bytes) -> None:
        """Add ``data``."""
        self._data = self._data[self._at // 8 :] + data
        self._at %= 8

    @property
    def left(self) -> int:
        """How many bits can be taken."""
        return len(self._data) * 8 - self._at

    def take(self, bits: int) -> int:
        """The next ``bits``, of which there must be as many."""
        first, end = self._at // 8, self._at + bits
        last = (end + 7) // 8
        self._at = end
        return int.from_bytes(self._data[first:last]) >> last * 8 - end & (1 << bits) - 1


class PageEncoder:
    """What ``inner`` makes of a file, in pages of logical bytes of ``size`` bits."""

    keeps_connection = False

    def __init__(self, inner: Encoder, size: int) -> None:
        self._inner = inner
        self._size = size
        self._octets = page_length(size) * size // 8
        self._rest = b""
        self._number = 0
        self._wire = BitWriter()

    def encode(self, data: bytes) -> bytes:
        """The pages that are full. Raises MismatchError where there are more than can be numbered."""
        data = self._rest + self._inner.encode(data)
        size = self._octets
        whole = len(data) // size * size
        self._rest = data[whole:]
        return b"".join([self._page(int.from_bytes(data[at : at + size]), size * 8) for at in range(0, whole, size)])

    def _page(self, value: int, bits: int) -> bytes:
        if self._number >> self._size:
            message = (
                f"The file needs more than {1 << self._size} pages; TYPE L with larger logical bytes can number more"
            )
            raise MismatchError(message)
        head = self._header(self._number, bits // self._size, SIMPLE)
        self._number += 1
        return head + self._wire.put(value, bits)

    def _header(self, number: int, length: int, kind: int) -> bytes:
        value = 0
        for field in (HEADER, number, length, kind):
            value = value << self._size | field
        return self._wire.put(value, HEADER * self._size)

    def mark(self, text: bytes) -> bytes:
        """Nothing: stream mode has no restart markers."""
        return b""

    def finish(self) -> bytes:
        """The last page of the file, where one is begun, and the one that says so."""
        rest = self._rest + self._inner.finish()
        value, bits = int.from_bytes(rest), len(rest) * 8
        odd = bits % self._size
        if odd < 8 and not value & (1 << odd) - 1:
            value >>= odd
            bits -= odd
        else:
            value <<= self._size - odd
            bits += self._size - odd
        page = self._page(value, bits) if bits else b""
        return page + self._header(0, 0, LAST) + self._wire.flush()


class PageDecoder:
    """Pages of logical bytes of ``size`` bits to what ``inner`` makes of their octets."""

    unused = b""
    suspect = False
    held = b""

    def __init__(self, inner: StreamDecoder, size: int) -> None:
        self.finished = False
        self._inner = inner
        self._size = size
        self._number = 0
        self._skip = 0
        self._left = 0
        self._wire = BitReader()
        self._file = BitWriter()

    def decode(self, data: bytes) -> Iterator[bytes]:
        """The file's octets in what came of the pages.

        Raises ProtocolError on a header that cannot be, a page out of turn and octets after the last page;
        PageTypeError on a page of an unknown type.
        """
        wire = self._wire
        wire.feed(data)
        while not self.finished:
            if self._skip or self._left:
                bits = min(self._skip or self._left, wire.left)
                if not bits:
                    return
                value = wire.take(bits)
                if self._skip:
                    self._skip -= bits
                else:
                    self._left -= bits
                    yield from self._inner.decode(self._file.put(value, bits))
            elif wire.left < HEADER * self._size:
                return
            else:
                self._begin(*(wire.take(self._size) for _ in range(HEADER)))
        if wire.left >= 8:
            raise ProtocolError("There are octets after the last page")

    def _begin(self, header: int, number: int, length: int, kind: int) -> None:
        if kind > CONTROLLED:
            message = f"Pages of type {kind} are not known"
            raise PageTypeError(message)
        if header not in _LENGTHS.get(kind, range(HEADER, header + 1)) or (kind == LAST and length):
            message = f"No page of type {kind} has a header of {header} bytes and {length} of data"
            raise ProtocolError(message)
        self._skip = (header - HEADER) * self._size
        if kind == LAST:
            self.finished = True
        elif kind == DESCRIPTOR:
            self._skip += length * self._size
        elif number == self._number:
            self._number += 1
            self._left = length * self._size
        else:
            message = f"Page {self._number} is missing before page {number}"
            raise ProtocolError(message)

    def close(self) -> bytes:
        """The last octets of the file. Raises TruncatedError where the last page did not come."""
        if not self.finished:
            raise TruncatedError("The data connection was closed before the last page")
        return b"".join(self._inner.decode(self._file.flush())) + self._inner.close()
