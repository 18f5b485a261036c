"""Representations and the codecs that serve them (RFC 959 section 3).

What a type makes of octets is in ``ascii``, ``ebcdic``, ``image`` and ``local``; what a structure makes of lines in
``record`` and ``page``; how a mode frames the result in ``block``, ``compressed`` and ``deflate``. ``composed`` puts
them together, and is imported with all of these when a session first uses more than images. Format control (N, T and C)
changes nothing: carriage control is part of the lines, stored and returned with them.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from fairlead.errors import UnsupportedError
from fairlead.proto.codec.image import ImageDecoder, ImageEncoder

if TYPE_CHECKING:
    from fairlead.proto.codec.base import Decoder, Encoder, StreamDecoder

TYPES, FORMS, STRUCTURES, MODES = frozenset("AEIL"), frozenset("NTC"), frozenset("FRP"), frozenset("SBCZ")
MARKED: Final = frozenset("BC")
"""Modes in which the end is marked in the data, so that the connection may stay."""
SMALLEST: Final = 8
"""Bits of the smallest logical byte of which pages are made."""
DEFAULT_LEVEL: Final = 6
"""How hard mode Z compresses."""


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


@lru_cache(maxsize=64)
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
    known = kind in TYPES and form in FORMS and structure in STRUCTURES and mode in MODES
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
    from fairlead.proto.codec.composed import composed_encoder

    return composed_encoder(representation, start, level)


def decoder_for(representation: Representation, *, held: bytes = b"", begun: StreamDecoder | None = None) -> Decoder:
    """A decoder for one transfer.

    One that goes on where another ended gets, in stream mode and mode Z, a decoder for the same type and structure in
    stream mode that was ``begun`` with what came before; in block and compressed mode, what an earlier one ``held``
    there. Raises UnsupportedError for a representation that is not served.
    """
    if is_identity(representation):
        return ImageDecoder()
    check_served(representation)
    from fairlead.proto.codec.composed import composed_decoder

    return composed_decoder(representation, held, begun)


def stream_decoder(representation: Representation, held: bytes = b"") -> StreamDecoder:
    """A decoder for the type and structure of ``representation`` in stream mode; otherwise as :func:`decoder_for`."""
    from fairlead.proto.codec.composed import composed_stream_decoder

    return composed_stream_decoder(representation, held)


def has_room(representation: Representation, octets: int) -> bool:
    """Whether a file of ``octets`` has no more pages than can be numbered; what type A adds is not counted."""
    if representation.structure != "P":
        return True
    from fairlead.proto.codec.page import capacity

    return octets <= capacity(representation.size)


def transmitted_length(representation: Representation, octets: int) -> int | None:
    """How many octets a file of ``octets`` has on the data connection; None where that depends on what they are.

    In mode Z, before they are compressed.
    """
    kind, _, structure, mode, size = representation
    if structure != "F" or mode not in {"S", "Z"} or kind == "A":
        return None
    if kind != "L":
        return octets
    from fairlead.proto.codec.local import padding

    return octets + padding(octets, size)
