"""Deflate: each transfer is one zlib stream (RFC 1950) of what stream mode would send (draft-preston-ftpext-deflate).

The end of the stream is the end of the data. A decoder gives its pieces out one by one, so that a short input that
expands to a long output is never in memory as a whole.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Final

from fairlead.errors import ProtocolError, TruncatedError
from fairlead.proto.codec.base import Encoder, StreamDecoder

LEVELS: Final = range(10)
"""Levels of compression: 0 for none, 1 for the quickest, 9 for the smallest."""
PIECE: Final = 1 << 16
"""The most octets that come out at once."""


class DeflateEncoder:
    """What ``inner`` makes of a file, compressed."""

    keeps_connection = False

    def __init__(self, inner: Encoder, level: int) -> None:
        self._inner = inner
        self._stream = zlib.compressobj(level)

    def encode(self, data: bytes) -> bytes:
        """What of the stream is ready."""
        return self._stream.compress(self._inner.encode(data))

    def mark(self, text: bytes) -> bytes:
        """Nothing: a stream has no restart markers."""
        return b""

    def finish(self) -> bytes:
        """The rest of the stream."""
        return self._stream.compress(self._inner.finish()) + self._stream.flush()


class DeflateDecoder:
    """A zlib stream to what ``inner`` makes of it."""

    unused = b""
    suspect = False

    def __init__(self, inner: StreamDecoder) -> None:
        self._inner = inner
        self._stream = zlib.decompressobj()

    @property
    def finished(self) -> bool:
        """Whether the stream ended."""
        return self._stream.eof

    @property
    def held(self) -> bytes:
        """What ``inner`` holds."""
        return self._inner.held

    def decode(self, data: bytes) -> Iterator[bytes]:
        """The file's octets. Raises ProtocolError on what is no zlib stream, and on octets after it."""
        stream = self._stream
        size = PIECE
        while (data or size == PIECE) and not stream.eof:
            try:
                inflated = stream.decompress(data, PIECE)
            except zlib.error as error:
                message = f"It is no zlib stream ({error})"
                raise ProtocolError(message) from error
            data, size = stream.unconsumed_tail, len(inflated)
            yield from self._inner.decode(inflated)
        if stream.unused_data or data:
            raise ProtocolError("There are octets after the end of the zlib stream")

    def close(self) -> bytes:
        """What ``inner`` held back. Raises TruncatedError where the stream did not end."""
        if not self.finished:
            raise TruncatedError("The data connection was closed before the end of the zlib stream")
        return self._inner.close()
