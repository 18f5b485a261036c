"""Two stages as one codec: what a block or compressed mode needs that knows records and markers."""

from __future__ import annotations

from collections.abc import Iterator

from fairlead.proto.codec.base import (
    RECORD,
    Encoder,
    Framing,
    Marker,
    Piece,
    Shape,
    Shaped,
    StreamDecoder,
    Unframing,
    Unshape,
)

PIECE = 1 << 16
"""About how many octets a receiver gives out at once; records are often short."""


class ChainEncoder:
    """A shape and a framing."""

    def __init__(self, shape: Shape, framing: Framing) -> None:
        self._shape = shape
        self._framing = framing
        self.keeps_connection = framing.keeps_connection

    def encode(self, data: bytes) -> bytes:
        """What is to be sent for ``data``."""
        return self._framing.frame(self._shape.shape(data))

    def mark(self, text: bytes) -> bytes:
        """See :meth:`Framing.mark`."""
        return self._framing.mark(text)

    def finish(self) -> bytes:
        """The end of the file in either stage."""
        return self._framing.frame(self._shape.finish()) + self._framing.finish()


class ChainDecoder:
    """An unframing and an unshape."""

    def __init__(self, unframing: Unframing, unshape: Unshape) -> None:
        self._unframing = unframing
        self._unshape = unshape

    @property
    def finished(self) -> bool:
        """Whether the unframing met the end."""
        return self._unframing.finished

    @property
    def unused(self) -> bytes:
        """What came after it."""
        return self._unframing.unused

    @property
    def suspect(self) -> bool:
        """Whether the unframing met suspect data."""
        return self._unframing.suspect

    @property
    def held(self) -> bytes:
        """What the unshape holds."""
        return self._unshape.held

    def decode(self, data: bytes) -> Iterator[Piece]:
        """The octets of the file and the markers."""
        pieces: list[bytes] = []
        size = 0
        for shaped in self._unframing.unframe(data):
            if not isinstance(shaped, Marker):
                pieces.append(self._unshape.unshape(shaped))
                size += len(pieces[-1])
                if size < PIECE:
                    continue
            if size:
                yield b"".join(pieces)
                pieces, size = [], 0
            if isinstance(shaped, Marker):
                yield shaped
        if size:
            yield b"".join(pieces)

    def close(self) -> bytes:
        """What either stage held back."""
        last = b"".join([self._unshape.unshape(shaped) for shaped in self._unframing.close()])
        return last + self._unshape.close()


class StreamShape:
    """What stream mode would send, as a shape without records."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder

    def shape(self, data: bytes) -> tuple[Shaped]:
        """The octets of stream mode."""
        return (self._encoder.encode(data),)

    def finish(self) -> tuple[Shaped]:
        """The last octets of stream mode."""
        return (self._encoder.finish(),)


class StreamUnshape:
    """What stream mode would receive; the ends of records mean nothing in another structure."""

    def __init__(self, decoder: StreamDecoder) -> None:
        self._decoder = decoder

    @property
    def held(self) -> bytes:
        """What the decoder holds."""
        return self._decoder.held

    def unshape(self, shaped: Shaped) -> bytes:
        """The octets of the file."""
        return b"" if shaped is RECORD else b"".join(self._decoder.decode(shaped))

    def close(self) -> bytes:
        """The last octets of the file."""
        return self._decoder.close()
