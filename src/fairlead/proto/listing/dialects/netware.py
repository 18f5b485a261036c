"""Listings of NetWare: ``- [RWCEAFMS] owner  214059  Oct 20 15:27  name``, with the letters of its own rights."""

from __future__ import annotations

import re
from collections.abc import Callable

from fairlead.proto.entry import Entry, Kind
from fairlead.proto.listing.dates import DATE, read_date

_LINE = re.compile(
    rf"""
    ([-d]) \ {{0,4}} \[ ([-A-Z ]{{1,12}}) \] \ {{1,8}} (?: [0-9]{{1,4}} \ {{1,8}} )?
    ([^ ]{{1,64}}) \ {{1,40}} ([0-9]{{1,20}}) \ {{1,12}} ({DATE}) \ {{1,4}} (.+)
    """,
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)


def reader(now: float, /) -> Callable[[str], Entry | None]:
    """A reader of lines. The size of a directory is not its own and is left out."""

    def read(line: str) -> Entry | None:
        match = _LINE.fullmatch(line)
        if match is None:
            return None
        letter, rights, owner, size, date, name = match.groups()
        directory = letter.lower() == "d"
        return Entry(
            name=name,
            kind=Kind.DIRECTORY if directory else Kind.FILE,
            size=None if directory else int(size),
            modified=read_date(date, now),
            permissions=rights,
            owner=owner,
            raw=line,
        )

    return read
