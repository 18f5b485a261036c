"""Listings as the ``dir`` of DOS writes them, which IIS sends unless it is told to look like Unix."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from functools import lru_cache

from fairlead.proto.entry import Entry, Kind
from fairlead.proto.listing.dates import at, full_year, month_and_day

_DATE = r"(?:[0-9]{1,2}[-/.][0-9]{1,2}[-/.](?:[0-9]{4}|[0-9]{2})|[0-9]{4}-[0-9]{2}-[0-9]{2})"
_LINE = re.compile(
    rf"""
    ({_DATE} \ {{1,4}} [0-9]{{1,2}}:[0-9]{{2}} (?:\ ?[AP]M?)?) \ {{1,40}}
    (?: < (DIR|JUNCTION|SYMLINKD?) > \ {{1,10}} | ([0-9][0-9,.]{{0,30}}) \  )
    (.+)
    """,
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)
_PARTS = re.compile(r"([0-9]+)([-/.])([0-9]+)[-/.]([0-9]+) +([0-9]+):([0-9]+) ?([AP]?)M?", re.IGNORECASE)


def parse_dos(line: str) -> Entry | None:
    """The entry a line of ``dir`` tells of, None where it is no such line.

    A year of two digits lies from 1970 to 2069. The month comes first, but for dates with full stops, and where that is
    no month. Junctions and symbolic links are links, their target stands in brackets.
    """
    match = _LINE.fullmatch(line)
    if match is None:
        return None
    date, mark, size, name = match.groups()
    target: str | None = None
    kind = Kind.FILE
    if mark:
        kind = Kind.DIRECTORY if mark.upper() == "DIR" else Kind.LINK
        if kind is Kind.LINK and name.endswith("]") and " [" in name:
            name, _, target = name[:-1].partition(" [")
    octets = int(size.replace(",", "").replace(".", "")) if size else None
    return Entry(name, kind, octets, _date(date), None, None, None, None, target, None, line)


@lru_cache(maxsize=1024)  # the files of one directory often came at one time
def _date(text: str) -> datetime | None:
    match = _PARTS.fullmatch(text)
    assert match is not None
    first, separator, second, third, hour, minute, half = match.groups()
    hours = int(hour)
    if half:
        hours = hours % 12 + (12 if half in "Pp" else 0)
    clock = f"{hours}:{minute}"
    if len(first) == len("YYYY"):
        return at(int(first), int(second), int(third), clock)
    month, day = month_and_day(int(first), int(second), day_first=separator == ".")
    return at(full_year(third), month, day, clock)


def reader(_: float, /) -> Callable[[str], Entry | None]:
    """A reader of lines, which always tell the year and can be read one by one."""
    return parse_dos
