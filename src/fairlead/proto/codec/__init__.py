"""Representations and the codecs that serve them (RFC 959 section 3).

What a type makes of octets is in ``ascii``, ``ebcdic``, ``image`` and ``local``; what a structure makes of lines in
``record`` and ``page``; how a mode frames the result in ``block``, ``compressed`` and ``deflate``. Format control (N, T
and C) changes nothing: carriage control is part of the lines, stored and returned with them.
"""

from __future__ import annotations

from typing import NamedTuple

from fairlead.errors import UnsupportedError
from fairlead.proto.codec.ascii import AsciiDecoder, AsciiEncoder
from fairlead.proto.codec.base import Decoder, Encoder, Framing, StreamDecoder, Unframing
from fairlead.proto.codec.block import Blocks, Unblocks
from fairlead.proto.codec.chain import ChainDecoder, ChainEncoder, StreamShape, StreamUnshape
from fairlead.proto.codec.compressed import Compressed, Uncompressed
from fairlead.proto.codec.deflate import DEFAULT_LEVEL, DeflateDecoder, DeflateEncoder
from fairlead.proto.codec.ebcdic import EbcdicDecoder, EbcdicEncoder
from fairlead.proto.codec.image import ImageDecoder, ImageEncoder
from fairlead.proto.codec.local import LogicalEncoder, padding
from fairlead.proto.codec.page import SMALLEST, PageDecoder, PageEncoder, capacity
from fairlead.proto.codec.record import EBCDIC, PLAIN, Lines, RecordDecoder, RecordEncoder, Records

FILLERS = {"A": b" ", "E": b"\x40", "I": b"\0", "L": b"\0"}
"""The filler of compressed mode under each type."""


class Representation(NamedTuple):
    """What TYPE, STRU and MODE set; the default is that of a new session (RFC 959 section 5.1)."""

    type: str = "A"
    """``A``, ``E``, ``I`` or ``L``."""
    form: str = "N"
    """``N``, ``T`` or ``C``; means nothing under ``I`` and ``L``."""
    structure: str = "F"
    """``F``, ``R`` or ``P``."""
    mode: str = "S"
    """``S``, ``B``, ``C`` or ``Z``."""
    size: int = 8
    """Bits of a logical byte under ``L``, from 1 to 255."""


def is_identity(representation: Representation) -> bool:
    """Whether the octets of the data connection are those of the file, so that no codec is needed."""
    return (
        (representation.type == "I" or (representation.type == "L" and representation.size == 8))
        and representation.structure == "F"
        and representation.mode == "S"
    )


def check_served(representation: Representation) -> None:
    """Raise UnsupportedError for a representation that is not served."""
    kind, form, structure, mode, size = representation
    known = (
        kind in FILLERS and form in {"N", "T", "C"} and structure in {"F", "R", "P"} and mode in {"S", "B", "C", "Z"}
    )
    if known and 1 <= size <= 255 and (structure != "P" or size >= SMALLEST):
        return
    parameter = {"I": "", "L": f" {size}"}.get(kind, f" {form}")
    message = f"TYPE {kind}{parameter} with STRU {structure} and MODE {mode} is not served"
    raise UnsupportedError(message)


def encoder_for(representation: Representation, *, start: int = 0, level: int = DEFAULT_LEVEL) -> Encoder:
    """An encoder for one transfer.

    ``start`` is how many octets of the file are not sent because they were before; ``level`` is that of compression in
    mode Z. Raises UnsupportedError for a representation that is not served.
    """
    if is_identity(representation):
        return ImageEncoder()
    check_served(representation)
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


def decoder_for(representation: Representation, *, held: bytes = b"", begun: StreamDecoder | None = None) -> Decoder:
    """A decoder for one transfer.

    One that goes on where another ended gets, in stream mode and mode Z, a decoder for the same type and structure in
    stream mode that was ``begun`` with what came before; in block and compressed mode, what an earlier one ``held``
    there. Raises UnsupportedError for a representation that is not served.
    """
    if is_identity(representation):
        return ImageDecoder()
    check_served(representation)
    mode = representation.mode
    if mode in {"B", "C"}:
        unframing: Unframing = Unblocks() if mode == "B" else Uncompressed(FILLERS[representation.type])
        if representation.structure == "R":
            return ChainDecoder(unframing, Records(EBCDIC if representation.type == "E" else PLAIN))
        return ChainDecoder(unframing, StreamUnshape(stream_decoder(representation, held)))
    decoder = begun or stream_decoder(representation, held)
    return DeflateDecoder(decoder) if mode == "Z" else decoder


def stream_decoder(representation: Representation, held: bytes = b"") -> StreamDecoder:
    """A decoder for the type and structure of ``representation`` in stream mode; otherwise as :func:`decoder_for`."""
    kind, _, structure, _, size = representation
    if structure == "R":
        return RecordDecoder(EBCDIC if kind == "E" else PLAIN)
    decoder: StreamDecoder = ImageDecoder()
    if kind == "A":
        decoder = AsciiDecoder(held)
    elif kind == "E":
        decoder = EbcdicDecoder()
    return PageDecoder(decoder, size) if structure == "P" else decoder


def has_room(representation: Representation, octets: int) -> bool:
    """Whether a file of ``octets`` has no more pages than can be numbered; what type A adds is not counted."""
    return representation.structure != "P" or octets <= capacity(representation.size)


def transmitted_length(representation: Representation, octets: int) -> int | None:
    """How many octets a file of ``octets`` has on the data connection; None where that depends on what they are.

    In mode Z, before they are compressed.
    """
    kind, _, structure, mode, size = representation
    if structure != "F" or mode not in {"S", "Z"} or kind == "A":
        return None
    return octets + (padding(octets, size) if kind == "L" else 0)
