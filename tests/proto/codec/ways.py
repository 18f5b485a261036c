"""Files on their way through a codec."""

from __future__ import annotations

from fairlead.proto.codec import Representation, decoder_for, encoder_for
from fairlead.proto.codec.base import Decoder, Encoder, Marker, Piece


def sent(encoder: Encoder, *pieces: bytes) -> bytes:
    """What goes over the connection for a file in ``pieces``."""
    return b"".join([*map(encoder.encode, pieces), encoder.finish()])


def received(decoder: Decoder, *pieces: bytes) -> list[Piece]:
    """What comes out of a connection that brings ``pieces`` and ends, or marks the end."""
    out: list[Piece] = []
    for data in pieces:
        out += decoder.decode(data)
        if decoder.finished:
            break
    return [*out, decoder.close()]


def octets(pieces: list[Piece]) -> bytes:
    """The file in what came out."""
    return b"".join(piece for piece in pieces if isinstance(piece, bytes))


def markers(pieces: list[Piece]) -> list[bytes]:
    """The texts of the markers in what came out."""
    return [piece.text for piece in pieces if isinstance(piece, Marker)]


def wire(representation: Representation, *pieces: bytes) -> bytes:
    """A file in ``pieces`` as it is sent."""
    return sent(encoder_for(representation), *pieces)


def file(representation: Representation, *pieces: bytes) -> bytes:
    """The file that comes in ``pieces``."""
    return octets(received(decoder_for(representation), *pieces))
