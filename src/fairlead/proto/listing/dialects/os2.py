"""Listings of OS/2: ``1123 DIR  A  10-05-100  23:38  name``; some of its servers count the years from 1900."""

from __future__ import annotations

import re
from collections.abc import Callable

from fairlead.proto.entry import Entry, Kind
from fairlead.proto.listing.dates import CLOCK, at, full_year, month_and_day

_LINE = re.compile(
    rf"""
    \ {{0,20}} ([0-9]{{1,20}}) \ {{1,20}} ( (?: (?:DIR|[ARHS]{{1,4}}) \ {{1,16}} ){{0,3}} )
    ([0-9]{{1,2}})-([0-9]{{1,2}})-([0-9]{{2,4}}) \ {{1,4}} ({CLOCK}) \ {{1,2}} (.+)
    """,
    re.VERBOSE | re.DOTALL,
)


def parse_os2(line: str) -> Entry | None:
    """The entry a line tells of, None where it tells of none."""
    match = _LINE.fullmatch(line)
    if match is None:
        return None
    size, marks, first, second, year, clock, name = match.groups()
    directory = "DIR" in marks.split()
    month, day = month_and_day(int(first), int(second), day_first=False)
    return Entry(
        name=name,
        kind=Kind.DIRECTORY if directory else Kind.FILE,
        size=None if directory else int(size),
        modified=at(full_year(year), month, day, clock),
        raw=line,
    )


def reader(_: float, /) -> Callable[[str], Entry | None]:
    """A reader of lines, which always tell the year and can be read one by one."""
    return parse_os2
