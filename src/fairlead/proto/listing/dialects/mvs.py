"""Listings of data sets by MVS (z/OS): volume, unit, last reference, extents, tracks, format, organisation, name."""

from __future__ import annotations

import re
from collections.abc import Callable

from fairlead.proto.entry import Entry, Kind
from fairlead.proto.listing.dates import at

_HEADING = re.compile(r" {0,4}Volume {1,4}Unit {1,8}(?:Referred|Date) .*Dsname *", re.IGNORECASE)
_NAME = r"'?[A-Za-z0-9$#@][A-Za-z0-9$#@.-]{0,43}'?"
_LINE = re.compile(
    rf"""
    \ {{0,4}} [A-Z0-9$#@*?-]{{1,6}} \ {{1,6}} [A-Z0-9?]{{1,8}} \ {{1,6}}     # volume, unit
    (?: ([0-9]{{4}})/([0-9]{{2}})/([0-9]{{2}}) | \*\*[A-Z]{{1,8}}\*\* ) \ {{1,6}}
    (?: [0-9]{{1,5}} \ {{1,8}} [0-9]{{1,8}} | [0-9]{{1,12}} ) \ {{1,6}}       # extents and tracks, which may touch
    [A-Z?]{{1,5}} \ {{1,8}} [0-9?]{{1,6}} \ {{1,8}} [0-9?]{{1,6}} \ {{1,6}}   # format, lengths of record and block
    (PO(?:-E|U)? | PS(?:-[ELU]|U)? | DAU? | ISU? | VS | VSAM | [?]{{1,4}} ) \ {{1,8}}
    ({_NAME}) \ {{0,80}}
    """,
    re.VERBOSE,
)
_VSAM = re.compile(
    rf" {{0,4}}[A-Z0-9$#@]{{1,6}} {{1,6}}[A-Za-z0-9]{{1,8}} {{1,20}}(?:VSAM|Tape|GDG|PATH) {{1,40}}({_NAME}) {{0,80}}"
)
_ABSENT = re.compile(
    rf" {{0,4}}(?:Migrated|MIGRAT|ARCH?IVE|(?:ARCIVE )?Not Direct Access Device|User catalog connector|GDG|ALIAS"
    rf"|Error determining attributes|(Pseudo Directory)) {{1,60}}({_NAME}) {{0,80}}",
    re.IGNORECASE,
)


def reader(_: float, /) -> Callable[[str], Entry | None]:
    """A reader of lines. Partitioned data sets are directories; what is used is told in tracks, so there is no size.

    What is migrated or on tape is read after a heading or another data set only, as its lines tell so little.
    """
    begun = False

    def read(line: str) -> Entry | None:
        nonlocal begun
        match = _LINE.fullmatch(line)
        if match is not None:
            begun = True
            year, month, day, organisation, name = match.groups()
            return Entry(
                name=name,
                kind=Kind.DIRECTORY if organisation.startswith("PO") else Kind.FILE,
                modified=at(int(year), int(month), int(day)) if year else None,
                raw=line,
            )
        match = _VSAM.fullmatch(line)
        if match is not None:
            begun = True
            return Entry(name=match[1], raw=line)
        match = _ABSENT.fullmatch(line) if begun else None
        if match is not None:
            return Entry(name=match[2], kind=Kind.DIRECTORY if match[1] else Kind.FILE, raw=line)
        begun = begun or _HEADING.fullmatch(line) is not None
        return None

    return read
