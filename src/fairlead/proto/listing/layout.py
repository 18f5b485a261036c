"""The lines of a listing as data: what a reader of directories that is no Python needs to write the very same ones.

A formatter says in one place of which pieces a line consists. What most lines have in common (mode, owner, rights) is
text, what differs is a slot; :func:`pack` makes octets of the pieces, which ``accelerator/listing.c``
fills. So it knows neither names of owners nor rights, but only how numbers and times are written.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from enum import IntEnum
from typing import NamedTuple, Protocol


class Slot(IntEnum):
    """What stands open in a line, with the number by which the accelerator knows it."""

    NOTHING = 0
    """Ends a text that is longer than one octet can count, and the line."""
    SIZE = 1
    """The size, in octets."""
    SIZE_COLUMN = 2
    """The size, to the right in ``SIZE_WIDTH`` columns."""
    MODIFIED = 3
    """The time of the last change, as ``YYYYMMDDHHMMSS`` in UTC."""
    DATE = 4
    """The same as ``Jan  1 12:34`` or ``Jan  1  1999``."""
    INODE = 5
    """The number of the inode, hexadecimal."""
    NAME = 6
    TARGET = 7
    """An arrow and the text of a link, where it has one that is shown."""


Pieces = Iterable[str | Slot]

SIZE_WIDTH = 12
ARROW = " -> "


class Layout(NamedTuple):
    """How the lines of one listing are made."""

    pieces: Callable[[os.stat_result], Pieces]
    """The pieces of a line; they may depend on mode, device, links, owner and group only."""
    follows: bool
    """Whether a link shows as what it leads to, so that its line is left to the formatter."""
    masks: bool
    """Whether ``?`` stands for each control character; else a name with CR or LF has no line."""
    bare: bool = False
    """Whether names are all there is to the lines, so that nobody asks for the status of each."""
    recent: range = range(0)
    """The minutes since the epoch whose dates show the time and not the year."""
    utc: bool = True
    """Whether dates are UTC, or the machine's local time."""


class Formatter(Protocol):
    """Makes the lines of a listing."""

    def lines(self, items: Iterable[tuple[str, os.stat_result, str | None]]) -> bytes:
        """The lines of names, each with its status and, of a link, its target's text."""

    def layout(self) -> Layout | None:
        """The same as data; None where there is more to it than a layout can say."""


_LONGEST = 255


def pack(pieces: Pieces) -> bytes:
    """``pieces`` as the accelerator reads them: a text's length, the text, the slot after it, and so on.

    It ends with a text before ``NOTHING`` that has not the greatest length.
    """
    packed = bytearray()
    text = b""
    for piece in pieces:
        if isinstance(piece, str):
            text += piece.encode("utf-8", "surrogateescape")
            continue
        _put(packed, text, piece)
        text = b""
    _put(packed, text, Slot.NOTHING)
    return bytes(packed)


def _put(packed: bytearray, text: bytes, slot: Slot) -> None:
    while len(text) >= _LONGEST:
        packed += bytes((_LONGEST,)) + text[:_LONGEST] + bytes((Slot.NOTHING,))
        text = text[_LONGEST:]
    packed += bytes((len(text),)) + text + bytes((slot,))
