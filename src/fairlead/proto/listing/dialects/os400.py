"""Listings of OS/400 (IBM i): ``OWNER  77824 02/23/00 15:09:55 *DIR  name/``; the date is in the form of the job."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime

from fairlead.proto.entry import Entry, Kind
from fairlead.proto.listing.dates import at, full_year, month_and_day

_LINE = re.compile(
    r"""
    ([^ ]{1,20}) \ {1,60}
    (?: ([0-9]{1,20}) \ {1,12} ([0-9]{4}|[0-9]{2}) ([-/.,]) ([0-9]{2}) [-/.,] ([0-9]{4}|[0-9]{2})
        \ {1,4} ([0-9]{2}[:.,][0-9]{2}[:.,][0-9]{2}) \ {1,12} )?
    \*([A-Z0-9]{2,10}) \ {1,20} ([^ ].*)
    """,
    re.VERBOSE | re.DOTALL,
)
_KINDS = {
    "DIR": Kind.DIRECTORY,
    "DDIR": Kind.DIRECTORY,
    "LIB": Kind.DIRECTORY,
    "FLR": Kind.DIRECTORY,
    "SYMLNK": Kind.LINK,
}
_DAYS_IN_MONTH = 31


def parse_os400(line: str) -> Entry | None:
    """The entry a line tells of, None where it tells of none. A slash after the name tells of a directory, too."""
    match = _LINE.fullmatch(line)
    if match is None:
        return None
    owner, size, first, separator, second, third, clock, kind, text = match.groups()
    name = text.rstrip("/") or text
    return Entry(
        name=name,
        kind=Kind.DIRECTORY if name != text else _KINDS.get(kind, Kind.FILE),
        size=int(size) if size else None,
        modified=None if first is None else _date(first, separator, second, third, re.sub("[.,]", ":", clock)),
        owner=owner,
        raw=line,
    )


def _date(first: str, separator: str, second: str, third: str, clock: str) -> datetime | None:
    if len(first) == len("YYYY") or int(first) > _DAYS_IN_MONTH:
        return at(full_year(first), int(second), int(third[:2]), clock)
    month, day = month_and_day(int(first), int(second), day_first=separator == ".")
    return at(full_year(third), month, day, clock)


def reader(_: float, /) -> Callable[[str], Entry | None]:
    """A reader of lines, which always tell the year and can be read one by one."""
    return parse_os400
