"""Listings that begin with the name: ``name  1014196  06/03/04  Thur.  10:20:03``, of WFTPD and of routers."""

from __future__ import annotations

import re
from collections.abc import Callable

from fairlead.proto.entry import Entry, Kind
from fairlead.proto.listing.dates import CLOCK, at, full_year, month_and_day

_LINE = re.compile(
    rf"""
    ([^ ].{{0,254}}?) \ {{1,60}} (?: ([0-9]{{1,20}}) | <DIR> ) \ {{1,12}}
    ([0-9]{{1,2}})/([0-9]{{1,2}})/([0-9]{{4}}|[0-9]{{2}}) \ {{1,8}} [A-Z]{{2,9}}\.? \ {{1,8}} ({CLOCK})\.? \ {{0,80}}
    """,
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)


def parse_wftpd(line: str) -> Entry | None:
    """The entry a line tells of, None where it tells of none."""
    match = _LINE.fullmatch(line)
    if match is None:
        return None
    name, size, first, second, year, clock = match.groups()
    month, day = month_and_day(int(first), int(second), day_first=False)
    return Entry(
        name=name,
        kind=Kind.DIRECTORY if size is None else Kind.FILE,
        size=None if size is None else int(size),
        modified=at(full_year(year), month, day, clock),
        raw=line,
    )


def reader(_: float, /) -> Callable[[str], Entry | None]:
    """A reader of lines, which always tell the year and can be read one by one."""
    return parse_wftpd
