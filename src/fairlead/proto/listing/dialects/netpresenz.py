"""Listings of NetPresenz, a server of the Macintosh: as Unix, but with the forks of a file in place of its owner.

``-rw-r--r--  326  1391972  1392298 Nov 22  1995 name`` is a file with a resource fork of 326 octets, a data fork, and
the sum of both; ``drwxrwxr-x  folder  2 May 10  1996 name`` is a folder with two things in it.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from fairlead.proto.entry import Entry, Kind
from fairlead.proto.listing.dates import DATE, read_date

_LINE = re.compile(
    rf"""
    ([-d]) ([-rwx]{{9}}) \ {{1,24}}
    (?: folder \ {{1,12}} [0-9]{{1,9}} | ([0-9]{{1,12}}) \ {{1,12}} ([0-9]{{1,12}}) \ {{1,12}} ([0-9]{{1,13}}) )
    \ {{1,6}} ({DATE}) \ (.+)
    """,
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)


def reader(now: float, /) -> Callable[[str], Entry | None]:
    """A reader of lines. The size is that of the data fork, which is what RETR sends.

    Three numbers that are no sum are a count of links or ids, and the line one of Unix.
    """

    def read(line: str) -> Entry | None:
        match = _LINE.fullmatch(line)
        if match is None:
            return None
        letter, permissions, resource, data, both, date, name = match.groups()
        if resource is not None and int(resource) + int(data) != int(both):
            return None
        return Entry(
            name=name,
            kind=Kind.DIRECTORY if letter.lower() == "d" else Kind.FILE,
            size=None if resource is None else int(data),
            modified=read_date(date, now),
            permissions=permissions,
            raw=line,
        )

    return read
