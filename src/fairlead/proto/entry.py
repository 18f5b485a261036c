"""One file's facts, as a listing tells them and as the server and the client share them."""

from __future__ import annotations

import re
import stat
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from datetime import datetime

SIZE_DIGITS = 20
"""The most digits of a size in octets that can be meant; more than that is no number but an attack."""
_MODE = re.compile("[0-7]{1,6}")


class Kind(StrEnum):
    """What an entry is."""

    FILE = "file"
    DIRECTORY = "directory"
    LINK = "link"
    OTHER = "other"


class Entry(NamedTuple):
    """One entry of a listing; None stands for what the listing did not tell.

    It is a tuple, for nothing else is made as quickly, and a listing may have a million of them.
    """

    name: str
    kind: Kind = Kind.FILE
    size: int | None = None
    """Octets of a file."""
    modified: datetime | None = None
    """Aware, in UTC. Where a listing shows another zone's time, and nobody told which, it is that, taken as UTC."""
    created: datetime | None = None
    permissions: str | None = None
    """``rwxr-xr-x``; where a listing tells no mode, the letters of its perm fact (``adfrw``) or of its own system."""
    owner: str | None = None
    group: str | None = None
    target: str | None = None
    """Where a link points, as text."""
    unique: str | None = None
    """Equal for two names of one file (RFC 3659 section 7.5.2)."""
    raw: str = ""
    """The line as it came; of an entry on two lines both, with a line feed between them."""
    confidence: float = 1.0
    """From 0 to 1, how sure it is that the line was understood: 1 where its form leaves no doubt, less where little can
    be checked, half of that where the line is not of the dialect of its listing. Entries that differ in that
    alone are equal."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Entry) and self[:-1] == other[:-1]

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(self[:-1])


def parse_size(text: str) -> int | None:
    """A size in octets; None where the text is no such number."""
    return int(text) if text.isdecimal() and text.isascii() and len(text) <= SIZE_DIGITS else None


@lru_cache(maxsize=1024)
def letters_of_mode(octal: str) -> str | None:
    """Permission bits in octal as ``rwxr-xr-x``; None where the text is no such number."""
    if not _MODE.fullmatch(octal):
        return None
    return stat.filemode(int(octal, 8))[1:]
