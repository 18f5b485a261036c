"""Listings of VxWorks, as routers and printers have it: ``2048  Feb-28-1998  05:23:30  name  <DIR>``."""

from __future__ import annotations

import re
from collections.abc import Callable

from fairlead.proto.entry import Entry, Kind
from fairlead.proto.listing.dates import CLOCK, at, month_number

_LINE = re.compile(
    rf"\ {{0,20}}([0-9]{{1,20}}) {{1,12}}([A-Z]{{3}})-([0-9]{{1,2}})-([0-9]{{4}}) {{1,8}}({CLOCK}) {{1,8}}([^ ].*)",
    re.IGNORECASE | re.DOTALL,
)
_MARK = "<DIR>"


def parse_vxworks(line: str) -> Entry | None:
    """The entry a line tells of, None where it tells of none."""
    match = _LINE.fullmatch(line)
    if match is None:
        return None
    size, month, day, year, clock, text = match.groups()
    name = text.removesuffix(_MARK).rstrip(" ") or text
    directory = name != text and text.endswith(_MARK)
    return Entry(
        name=name if directory else text,
        kind=Kind.DIRECTORY if directory else Kind.FILE,
        size=None if directory else int(size),
        modified=at(int(year), month_number(month), int(day), clock),
        raw=line,
    )


def reader(_: float, /) -> Callable[[str], Entry | None]:
    """A reader of lines, which always tell the year and can be read one by one."""
    return parse_vxworks
