"""Restart markers: what this server says of a place in a file, and understands again (RFC 959 section 3.5)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from fairlead.errors import MismatchError, OffsetError
from fairlead.record import Record

if TYPE_CHECKING:
    from fairlead.proto.codec import Representation

PRINTABLE = rb"[!-~]+"
"""What a marker may be made of; nothing else can be told in a reply."""
EVERY = 1 << 20
"""Octets of a file after which a sender puts a marker."""

_FORM = r"([0-9]{1,18})-(A|E|I|L[0-9]{1,3})([FR])(-0D)?"


class Mark(Record):
    """A place in a file, as a codec comes by it in one type and structure.

    For a client it is opaque. It holds what going on from there needs, so that nothing has to be remembered.
    """

    position: int
    """Octets of the file before it."""
    type: str
    """With the size of logical bytes."""
    structure: str
    held: bytes = b""
    """What a decoder had taken there and not given out."""

    @classmethod
    def at(cls, position: int, representation: Representation, held: bytes = b"") -> Mark:
        """The mark of ``position`` in ``representation``."""
        return cls(position, _type(representation), representation.structure, held)

    @classmethod
    def parse(cls, text: str) -> Mark:
        """The mark that :meth:`text` made. Any other becomes one that lies beyond the end of every file."""
        found = re.fullmatch(_FORM, text)
        if found is None:
            return UNKNOWN
        return cls(int(found[1]), found[2], found[3], b"\r" if found[4] else b"")

    def text(self) -> str:
        """The mark as it travels: printable, without spaces."""
        held = f"-{self.held.hex().upper()}" if self.held else ""
        return f"{self.position}-{self.type}{self.structure}{held}"

    def check(self, path: str, representation: Representation) -> None:
        """Raise OffsetError for a marker that is none of ours, MismatchError for one of another type or structure."""
        if self is UNKNOWN:
            raise OffsetError(path, "That restart marker is none of mine")
        if (self.type, self.structure) != (_type(representation), representation.structure):
            message = f"The restart marker was made under TYPE {self.type} and STRU {self.structure}"
            raise MismatchError(message)


UNKNOWN = Mark(10**18, "", "")
"""A marker that this server did not make."""


def _type(representation: Representation) -> str:
    return f"L{representation.size}" if representation.type == "L" else representation.type
