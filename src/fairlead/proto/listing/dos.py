"""Listings as the ``dir`` of DOS writes them, which IIS sends unless it is told to look like Unix."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from fairlead.proto.entry import Entry, Kind

_LINE = re.compile(
    r"""
    (?: (?P<month>[0-9]{1,2}) [-/] (?P<day>[0-9]{1,2}) [-/] (?P<year>[0-9]{4}|[0-9]{2})
      | (?P<iso>[0-9]{4}-[0-9]{2}-[0-9]{2}) ) \ {1,4}
    (?P<hour>[0-9]{1,2}) : (?P<minute>[0-9]{2}) \ ? (?P<half>[AP]M?)? \ {1,40}
    (?: < (?P<mark>DIR|JUNCTION|SYMLINKD?) > \ {1,10} | (?P<size>[0-9][0-9,.]{0,30}) \  )
    (?P<name>.+)
    """,
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)
_CENTURY_TURNS = 70


def parse_dos(line: str) -> Entry | None:
    """The entry a line of ``dir`` tells of, None where it is no such line.

    A year of two digits lies from 1970 to 2069. Junctions and symbolic links are links, their target
    stands in brackets.
    """
    match = _LINE.fullmatch(line)
    if match is None:
        return None
    mark = (match["mark"] or "").upper()
    name: str = match["name"]
    target: str | None = None
    kind = Kind.DIRECTORY if mark == "DIR" else Kind.LINK if mark else Kind.FILE
    if kind is Kind.LINK and name.endswith("]") and " [" in name:
        name, _, target = name[:-1].partition(" [")
    return Entry(
        name=name,
        kind=kind,
        size=int(re.sub("[,.]", "", match["size"])) if match["size"] else None,
        modified=_date(match),
        target=target,
        raw=line,
    )


def _date(match: re.Match[str]) -> datetime | None:
    hour = int(match["hour"])
    if match["half"]:
        hour = hour % 12 + (12 if match["half"].upper().startswith("P") else 0)
    try:
        if match["iso"]:
            year, month, day = map(int, match["iso"].split("-"))
        else:
            year, month, day = int(match["year"]), int(match["month"]), int(match["day"])
        if len(match["year"] or "") == len("YY"):
            year += 1900 if year >= _CENTURY_TURNS else 2000
        return datetime(year, month, day, hour, int(match["minute"]), tzinfo=UTC)
    except ValueError:
        return None
