"""The names under which mirrors keep files that are not whole yet.

A part lies beside the file that it becomes, as ``NAME.<hash>.part``. The hash is of the name and of the size and time
of the original: nobody goes on from the part of another version, and no file of the tree has such a name by chance.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from fairlead.client.mirror.tree import Item, parent

_PART = re.compile(r"(.+)\.[0-9a-f]{12}\.part", re.DOTALL)
_LONGEST = 200
"""Octets of the name that are repeated in that of the part: file systems want no more than 255 in all."""


class Parts:
    """The parts at the target: those that earlier mirrors left there, and those that this one began."""

    def __init__(self, found: Iterable[str] = ()) -> None:
        self._found = set(found)
        self._begun: set[str] = set()

    def __contains__(self, part: str) -> bool:
        return part in self._begun or part in self._found

    def begin(self, part: str) -> None:
        """It will be there from now on."""
        self._begun.add(part)

    def end(self, part: str) -> None:
        """It has the name of the whole now, or is gone."""
        self._begun.discard(part)
        self._found.discard(part)

    def outdated(self, original: Item) -> list[str]:
        """Those of other versions of ``original``."""
        return [part for part in self._found if is_outdated(part, original)]


def part_of(original: Item) -> str:
    """The path of the part of a copy of ``original``."""
    from hashlib import blake2b  # noqa: PLC0415 - with all of OpenSSL, and a mirror that copies nothing needs none

    directory, slash, name = original.path.rpartition("/")
    octets = name.encode("utf-8", "surrogateescape")
    moment = "" if original.modified is None else f"{original.modified.first}-{original.modified.last}"
    version = f"{original.size} {moment}".encode()
    digest = blake2b(octets + b"\0" + version, digest_size=6).hexdigest()
    return f"{directory}{slash}{_stem(octets)}.{digest}.part"


def is_part(name: str) -> bool:
    """Whether ``name``, without a directory, is that of a part."""
    return name.endswith(".part") and _PART.fullmatch(name) is not None


def is_outdated(part: str, original: Item) -> bool:
    """Whether ``part`` is that of another version of ``original``."""
    match = _PART.fullmatch(part.rpartition("/")[2])
    name = original.path.rpartition("/")[2].encode("utf-8", "surrogateescape")
    same_place = match is not None and parent(part) == parent(original.path) and match[1] == _stem(name)
    return same_place and len(name) <= _LONGEST and part != part_of(original)


def _stem(name: bytes) -> str:
    return name[:_LONGEST].decode("utf-8", "surrogateescape")
