"""Local type: logical bytes of any number of bits (RFC 959 section 3.1.1.4).

The rule: **a file holds its logical bytes as they travel**, packed one after another whatever the bounds of octets, the
first bit the highest of the first octet, with fewer than 8 bits of padding at the end. All sizes from 1 to 255 bits are
served. So

* what is stored and fetched under the same size comes back as the very same octets, and an offset into what is
  transmitted is one into the file;
* every file can be fetched under every size. Where it ends inside a logical byte, zeros are sent for the rest of that;
  only then is more sent than the file holds. Up to 7 bits after the last logical byte are padding.

In record and page structure the end of a record or page says where its logical bytes end, and no zeros are added after
the last of a file.
"""

from __future__ import annotations


def padding(octets: int, size: int) -> int:
    """How many octets of zeros follow a file of ``octets``, so that its last logical byte of ``size`` bits is whole."""
    bits = octets * 8
    rest = bits % size
    return 0 if rest < 8 else (bits - rest + size + 7) // 8 - octets


class LogicalEncoder:
    """Logical bytes of ``size`` bits, for a file of which ``start`` octets were sent before."""

    keeps_connection = False

    def __init__(self, size: int, start: int = 0) -> None:
        self._size = size
        self._octets = start

    def encode(self, data: bytes) -> bytes:
        """``data`` itself."""
        self._octets += len(data)
        return data

    def mark(self, text: bytes) -> bytes:
        """Nothing: stream mode has no restart markers."""
        return b""

    def finish(self) -> bytes:
        """Zeros that make the last logical byte whole."""
        return bytes(padding(self._octets, self._size))
