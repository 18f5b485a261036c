"""Listings of VMS, by MultiNet and its like: ``NAME.TXT;1  2/3  29-JAN-1996 03:33:12  [GROUP,OWNER]  (RWED,RE,,)``.

What follows the name comes in any order and may be missing; after a long name it stands on the next line.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from fairlead.proto.entry import Entry, Kind
from fairlead.proto.listing.dates import CLOCK, at, month_number

_VERSIONED = re.compile(r"([^ \t;]{1,255};[0-9]{1,5})(?:$|[ \t]+(.*))", re.DOTALL)
_PLAIN = re.compile(r"(\[[^] \t]{1,255}\]|[^ \t;/]{1,255})[ \t]+(.*)", re.DOTALL)
_CONTINUED = re.compile(r"[ \t]*([0-9]{1,10}[ /\t].*)", re.DOTALL)
_DATE = re.compile(rf"(?<![^ \t])([0-9]{{1,2}})-([^\W0-9]{{3,5}})-([0-9]{{4}})(?:[ \t]{{1,4}}({CLOCK}))?(?![^ \t])")
_OWNER = re.compile(r"\[(?:([^],]{1,64}),)?([^],]{1,64})\]")
_PROTECTION = re.compile(r"\(([RWEDC]{0,5}(?:,[RWEDC]{0,5}){3})\)", re.IGNORECASE)
_REFUSED = re.compile(r"%[A-Z]{1,16}-[A-Z]-|no privilege|protection violation", re.IGNORECASE)
_DIRECTORY = re.compile(r"(.+)\.DIR(?:;[0-9]+)?", re.IGNORECASE | re.DOTALL)


def reader(_: float, /) -> Callable[[str], Entry | None]:
    """A reader of lines; the entry comes with the last line of those that tell of it, which ``raw`` holds all.

    Names keep their version, as it takes to fetch that one and no other; those of directories are what CWD takes. VMS
    counts blocks of 512 octets, of which the last is seldom full, so no size is told.
    """
    pending: tuple[str, str] | None = None

    def read(line: str) -> Entry | None:
        nonlocal pending
        before, pending = pending, None
        if before is not None:
            match = _CONTINUED.fullmatch(line)
            if match is not None and _DATE.search(match[1]):
                return _entry(before[0], match[1], f"{before[1]}\n{line}")
        match = _VERSIONED.fullmatch(line)
        if match is not None:
            name, rest = match[1], (match[2] or "").strip()
            if not rest:
                pending = name, line
                return None
            return _entry(name, rest, line) if _DATE.search(rest) or _REFUSED.search(rest) else None
        match = _PLAIN.fullmatch(line)
        if match is not None and _DATE.search(match[2]) and (line[0] == "[" or _PROTECTION.search(match[2])):
            return _entry(match[1], match[2], line)
        return None

    return read


def _entry(name: str, rest: str, raw: str) -> Entry:
    date, owner, protection = _DATE.search(rest), _OWNER.search(rest), _PROTECTION.search(rest)
    directory = _DIRECTORY.fullmatch(name)
    return Entry(
        name=directory[1] if directory else name,
        kind=Kind.DIRECTORY if directory or name[0] == "[" else Kind.FILE,
        modified=at(int(date[3]), month_number(date[2]), int(date[1]), date[4]) if date else None,
        permissions=protection[1] if protection else None,
        owner=owner[2] if owner else None,
        group=owner[1] if owner else None,
        raw=raw,
    )
