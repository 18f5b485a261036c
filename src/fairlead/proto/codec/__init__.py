"""Representations and the codecs that serve them (RFC 959 section 3)."""

from __future__ import annotations

from typing import NamedTuple

from fairlead.errors import UnsupportedError
from fairlead.proto.codec.ascii import AsciiDecoder, AsciiEncoder
from fairlead.proto.codec.base import Decoder, Encoder
from fairlead.proto.codec.image import ImageDecoder, ImageEncoder


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
    """Bits of a logical byte under ``L``."""


def is_identity(representation: Representation) -> bool:
    """Whether the octets of the data connection are those of the file, so that no codec is needed."""
    return (
        (representation.type == "I" or (representation.type == "L" and representation.size == 8))
        and representation.structure == "F"
        and representation.mode == "S"
    )


def encoder_for(representation: Representation) -> Encoder:
    """An encoder for one transfer. Raises UnsupportedError for a representation that is not served."""
    if is_identity(representation):
        return ImageEncoder()
    if _is_text(representation):
        return AsciiEncoder()
    raise _unsupported(representation)


def decoder_for(representation: Representation, *, held: bytes = b"") -> Decoder:
    """A decoder for one transfer; ``held`` is what an earlier one held back at the place where this one goes on.

    Raises UnsupportedError for a representation that is not served.
    """
    if is_identity(representation):
        return ImageDecoder()
    if _is_text(representation):
        return AsciiDecoder(held)
    raise _unsupported(representation)


def _is_text(representation: Representation) -> bool:
    """Whether it is non-print or Telnet-formatted ASCII, which are one here (RFC 1123 section 4.1.2.2)."""
    return (
        representation.type == "A"
        and representation.form in ("N", "T")
        and representation.structure == "F"
        and representation.mode == "S"
    )


def _unsupported(representation: Representation) -> UnsupportedError:
    kind, form, structure, mode, size = representation
    parameter = {"I": "", "L": f" {size}"}.get(kind, f" {form}")
    return UnsupportedError(f"TYPE {kind}{parameter} with STRU {structure} and MODE {mode} is not served")
