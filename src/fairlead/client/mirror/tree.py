"""What two ends of a mirror have: files and directories, as far as they are needed to be held against each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import NamedTuple, TypeAlias

from fairlead.proto.entry import Kind

Wanted: TypeAlias = Callable[[str, bool], bool]
"""Whether a path (relative to the top, with ``/``) is to be mirrored; the flag says that it is a directory's."""

_MINUTE, _HOUR = 60, 3600
_EASTMOST, _WESTMOST = 14 * _HOUR, 12 * _HOUR
"""How far local times are from UTC at most."""


class Span(NamedTuple):
    """When a file was changed, in seconds since the epoch: between these two, both included."""

    first: int
    last: int

    def __contains__(self, other: object) -> bool:
        raise TypeError("a span is held against another one by meets and after")

    def meets(self, other: Span) -> bool:
        """Whether both may be the same moment."""
        return self.first <= other.last and other.first <= self.last

    def after(self, other: Span) -> bool:
        """Whether this one is later for sure."""
        return self.first > other.last


def exactly(seconds: float) -> Span:
    """The second that ``seconds`` since the epoch lie in: what servers can tell and be told."""
    return Span(int(seconds // 1), int(seconds // 1))


def span_of(modified: datetime | None, *, exact: bool) -> Span | None:
    """What the time that a listing shows says of the moment; ``exact`` listings (MLSD) have seconds.

    LIST leaves out seconds, of older files the time of day as well, and the day is that of the server's zone then.
    """
    if modified is None:
        return None
    second = int(modified.timestamp() // 1)
    if exact or modified.second:
        return Span(second, second)
    if modified.hour or modified.minute:
        return Span(second, second + _MINUTE - 1)
    return Span(second - _EASTMOST, second + 24 * _HOUR + _WESTMOST - 1)


class Item(NamedTuple):
    """A file, a directory, or what is neither."""

    path: str
    """Relative to the top of the tree, with ``/`` between names."""
    kind: Kind
    size: int | None = None
    modified: Span | None = None


class Trouble(NamedTuple):
    """What could not be done, or will not be, and why, in a sentence."""

    path: str
    why: str


class Tree:
    """All that was found below one directory, and what of it could not be found out."""

    def __init__(self, *, exists: bool = True) -> None:
        self.items: dict[str, Item] = {}
        self.troubles: list[Trouble] = []
        """Directories that could not be listed, names that nobody may have: there may be more than ``items``."""
        self.left_out: set[str] = set()
        """Directories that hold what is not to be mirrored, and so are never removed."""
        self.parts: dict[str, int] = {}
        """The octets that earlier mirrors left of files that were not whole yet, by the path of the part."""
        self.exists = exists
        """Whether there is a directory at all."""

    @property
    def complete(self) -> bool:
        """Whether nothing can be there but ``items`` and what is left out."""
        return not self.troubles

    def add(self, item: Item) -> None:
        """Take in what was found."""
        self.items[item.path] = item


def parent(path: str) -> str:
    """The directory that ``path`` is in; empty for the top."""
    return path.rpartition("/")[0]


def above(path: str) -> Iterator[str]:
    """Every directory that ``path`` is below of, the nearest one first, without the top."""
    while path := parent(path):
        yield path
