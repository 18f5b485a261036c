"""Listings of z/VM (CMS): ``NAME TYPE F 80 16 1 2003-09-16 10:20:30 LABEL``: format, length and number of records."""

from __future__ import annotations

import re
from collections.abc import Callable

from fairlead.proto.entry import Entry, Kind
from fairlead.proto.listing.dates import CLOCK, at, full_year

_LINE = re.compile(
    rf"""
    ([^ ]{{1,8}}) \ {{1,12}}
    (?: (?P<type>[^ ]{{1,8}}) \ {{1,12}} (?P<format>[FV]) \ {{1,12}} (?P<length>[0-9]{{1,10}}) \ {{1,12}}
        (?P<records>[0-9]{{1,10}}) \ {{1,12}} [0-9]{{1,10}}
      | DIR (?: \ {{1,12}} - ){{3,4}} )
    \ {{1,12}} (?: (?P<year>[0-9]{{4}})[-/](?P<month>[0-9]{{1,2}})[-/](?P<day>[0-9]{{1,2}})
      | (?P<us_month>[0-9]{{1,2}})/(?P<us_day>[0-9]{{1,2}})/(?P<us_year>[0-9]{{2}}) )
    \ {{1,6}} (?P<clock>{CLOCK}) (?: \ {{1,12}} (?P<label>[^ ]{{1,8}}) )? \ {{0,80}}
    """,
    re.VERBOSE,
)


def parse_zvm(line: str) -> Entry | None:
    """The entry a line tells of, None where it tells of none. A file is called NAME.TYPE.

    The size is told for records of fixed length only (``F``): that of the others depends on what is in them.
    """
    match = _LINE.fullmatch(line)
    if match is None:
        return None
    year, month, day = (
        match.group("year", "month", "day") if match["year"] else match.group("us_year", "us_month", "us_day")
    )
    modified = at(full_year(year), int(month), int(day), match["clock"])
    if match["type"] is None:
        return Entry(name=match[1], kind=Kind.DIRECTORY, modified=modified, raw=line)
    size = int(match["length"]) * int(match["records"]) if match["format"] == "F" else None
    return Entry(name=f"{match[1]}.{match['type']}", size=size, modified=modified, raw=line)


def reader(_: float, /) -> Callable[[str], Entry | None]:
    """A reader of lines, which always tell the year and can be read one by one."""
    return parse_zvm
