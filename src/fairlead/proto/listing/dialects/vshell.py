"""Listings of VShell before it wrote those of Unix: ``206876  Apr 04, 2000 21:06 name``, a slash after directories."""

from __future__ import annotations

import re
from collections.abc import Callable

from fairlead.proto.entry import Entry, Kind
from fairlead.proto.listing.dates import CLOCK, at, month_number

_LINE = re.compile(
    rf"\ {{0,20}}([0-9]{{1,20}}) {{1,4}}([A-Z]{{3}}) ([0-9]{{1,2}}), ([0-9]{{4}}) ({CLOCK}) (.+)",
    re.IGNORECASE | re.DOTALL,
)


def parse_vshell(line: str) -> Entry | None:
    """The entry a line tells of, None where it tells of none."""
    match = _LINE.fullmatch(line)
    if match is None:
        return None
    size, month, day, year, clock, text = match.groups()
    name = text.rstrip("/") or text
    directory = name != text
    return Entry(
        name=name,
        kind=Kind.DIRECTORY if directory else Kind.FILE,
        size=None if directory else int(size),
        modified=at(int(year), month_number(month), int(day), clock),
        raw=line,
    )


def reader(_: float, /) -> Callable[[str], Entry | None]:
    """A reader of lines, which always tell the year and can be read one by one."""
    return parse_vshell
