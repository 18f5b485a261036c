"""What codec each representation other than the identity has: type and structure, framed by the mode."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fairlead.proto.codec.ascii import AsciiDecoder, AsciiEncoder
from fairlead.proto.codec.block import Blocks, Unblocks
from fairlead.proto.codec.chain import ChainDecoder, ChainEncoder, StreamShape, StreamUnshape
from fairlead.proto.codec.compressed import Compressed, Uncompressed
from fairlead.proto.codec.deflate import DeflateDecoder, DeflateEncoder
from fairlead.proto.codec.ebcdic import EbcdicDecoder, EbcdicEncoder
from fairlead.proto.codec.image import ImageDecoder, ImageEncoder
from fairlead.proto.codec.local import LogicalEncoder
from fairlead.proto.codec.page import PageDecoder, PageEncoder
from fairlead.proto.codec.record import EBCDIC, PLAIN, Lines, RecordDecoder, RecordEncoder, Records

if TYPE_CHECKING:
    from fairlead.proto.codec import Representation
    from fairlead.proto.codec.base import Decoder, Encoder, Framing, StreamDecoder, Unframing

FILLERS = {"A": b" ", "E": b"\x40", "I": b"\0", "L": b"\0"}
"""The filler of compressed mode under each type."""


def composed_encoder(representation: Representation, start: int, level: int) -> Encoder:
    """See :func:`fairlead.proto.codec.encoder_for`."""
    mode = representation.mode
    if mode in {"B", "C"}:
        framing: Framing = Blocks() if mode == "B" else Compressed(FILLERS[representation.type])
        if representation.structure == "R":
            return ChainEncoder(Lines(EBCDIC if representation.type == "E" else PLAIN), framing)
        return ChainEncoder(StreamShape(_stream_encoder(representation, start)), framing)
    encoder = _stream_encoder(representation, start)
    return DeflateEncoder(encoder, level) if mode == "Z" else encoder


def _stream_encoder(representation: Representation, start: int) -> Encoder:
    """The type and structure of ``representation`` in stream mode."""
    kind, _, structure, _, size = representation
    if structure == "R":
        return RecordEncoder(EBCDIC if kind == "E" else PLAIN)
    encoder: Encoder = ImageEncoder()
    if kind == "A":
        encoder = AsciiEncoder()
    elif kind == "E":
        encoder = EbcdicEncoder()
    elif kind == "L" and size != 8 and structure == "F":
        encoder = LogicalEncoder(size, start)
    return PageEncoder(encoder, size) if structure == "P" else encoder


def composed_decoder(representation: Representation, held: bytes, begun: StreamDecoder | None) -> Decoder:
    """See :func:`fairlead.proto.codec.decoder_for`."""
    mode = representation.mode
    if mode in {"B", "C"}:
        unframing: Unframing = Unblocks() if mode == "B" else Uncompressed(FILLERS[representation.type])
        if representation.structure == "R":
            return ChainDecoder(unframing, Records(EBCDIC if representation.type == "E" else PLAIN))
        return ChainDecoder(unframing, StreamUnshape(composed_stream_decoder(representation, held)))
    decoder = begun or composed_stream_decoder(representation, held)
    return DeflateDecoder(decoder) if mode == "Z" else decoder


def composed_stream_decoder(representation: Representation, held: bytes) -> StreamDecoder:
    """See :func:`fairlead.proto.codec.stream_decoder`."""
    kind, _, structure, _, size = representation
    if structure == "R":
        return RecordDecoder(EBCDIC if kind == "E" else PLAIN)
    decoder: StreamDecoder = ImageDecoder()
    if kind == "A":
        decoder = AsciiDecoder(held)
    elif kind == "E":
        decoder = EbcdicDecoder()
    return PageDecoder(decoder, size) if structure == "P" else decoder
