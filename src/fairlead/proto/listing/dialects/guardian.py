"""Listings of HP NonStop (Guardian): name, code, octets, last change, owner, who may read, write, execute, purge."""

from __future__ import annotations

import re
from collections.abc import Callable

from fairlead.proto.entry import Entry
from fairlead.proto.listing.dates import CLOCK, at, full_year, month_number

_LINE = re.compile(
    rf"""
    \ {{0,4}} ([A-Z0-9$#]{{1,8}}) \ {{1,16}} (?: O \ {{1,4}} )? [0-9]{{1,5}} [A-Z+*]{{0,2}} \ {{1,20}} ([0-9]{{1,20}})
    \ {{1,8}}
    ([0-9]{{1,2}})-([A-Z]{{3}})-([0-9]{{4}}|[0-9]{{2}}) \ {{1,4}} ({CLOCK}) \ {{1,4}}
    ([0-9]{{1,3}}),\ {{0,3}}([0-9]{{1,3}}) \ {{1,4}} "([^"]{{1,8}})" \ {{0,80}}
    """,
    re.VERBOSE | re.IGNORECASE,
)


def parse_guardian(line: str) -> Entry | None:
    """The file a line tells of, None where it tells of none. Its owner is written group,user, as the system does."""
    match = _LINE.fullmatch(line)
    if match is None:
        return None
    name, size, day, month, year, clock, group, user, permissions = match.groups()
    return Entry(
        name=name,
        size=int(size),
        modified=at(full_year(year), month_number(month), int(day), clock),
        permissions=permissions,
        owner=f"{group},{user}",
        group=group,
        raw=line,
    )


def reader(_: float, /) -> Callable[[str], Entry | None]:
    """A reader of lines, which always tell the year and can be read one by one."""
    return parse_guardian
