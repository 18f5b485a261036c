"""Listings of a partitioned data set of MVS (z/OS): its members, with the statistics of ISPF, those of a load library,
or their names alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from fairlead.proto.entry import Entry
from fairlead.proto.listing.dates import CLOCK, at

_HEADING = re.compile(r" {0,4}Name {1,12}(?:VV\.MM {1,8}Created|Size {1,8}TTR) .*", re.IGNORECASE)
_NAME = r"\ {0,4}([A-Z0-9$#@{-]{1,20})"
_STATISTICS = re.compile(
    rf"""
    {_NAME} \ {{1,12}} [0-9]{{2}}\.[0-9]{{2}} \ {{1,6}}
    ([0-9]{{4}})/([0-9]{{2}})/([0-9]{{2}}) \ {{1,6}} ([0-9]{{4}})/([0-9]{{2}})/([0-9]{{2}}) \ {{1,6}} ({CLOCK})
    (?: \ {{1,8}} [0-9]{{1,7}} ){{3}} (?: \ {{1,8}} ([^ ]{{1,8}}) )? \ {{0,80}}
    """,
    re.VERBOSE,
)
_MODULE = re.compile(rf"{_NAME} {{1,12}}[0-9A-F]{{6}} {{1,6}}[0-9A-F]{{6}} .{{0,80}}(?:ANY|24|31|64) *")
_MEMBER = re.compile(rf"{_NAME} {{0,80}}")


def reader(_: float, /) -> Callable[[str], Entry | None]:
    """A reader of lines. Sizes are told in records, so there is none. A name alone is read after a heading only."""
    begun = False

    def read(line: str) -> Entry | None:
        nonlocal begun
        match = _STATISTICS.fullmatch(line)
        if match is not None:
            created = at(int(match[2]), int(match[3]), int(match[4]))
            modified = at(int(match[5]), int(match[6]), int(match[7]), match[8])
            return Entry(name=match[1], created=created, modified=modified, owner=match[9], raw=line)
        match = _MODULE.fullmatch(line) or (_MEMBER.fullmatch(line) if begun else None)
        if match is not None:
            return Entry(name=match[1], raw=line)
        begun = begun or _HEADING.fullmatch(line) is not None
        return None

    return read
