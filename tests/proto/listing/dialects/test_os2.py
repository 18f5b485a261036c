from __future__ import annotations

from datetime import UTC, datetime

import pytest

from fairlead.proto.entry import Entry, Kind
from fairlead.proto.listing.dialects.os2 import parse_os2


@pytest.mark.parametrize(
    ("line", "name", "kind", "size", "year"),
    [
        ("     1024           A    01-05-99   12:34  a b.txt", "a b.txt", Kind.FILE, 1024, 1999),
        ("     1024                01-05-103  12:34  x", "x", Kind.FILE, 1024, 2003),
        ("        0 DIR            01-05-2020 12:34  docs", "docs", Kind.DIRECTORY, None, 2020),
        ("        0 DIR  RHS  A    01-05-120  12:34  docs", "docs", Kind.DIRECTORY, None, 2020),
    ],
)
def test_files_and_directories(line: str, name: str, kind: Kind, size: int | None, year: int) -> None:
    assert parse_os2(line) == Entry(name, kind, size, datetime(year, 1, 5, 12, 34, tzinfo=UTC), raw=line)


@pytest.mark.parametrize("line", ["", "1024 01-05-99 12:34", "01-05-99  12:34PM  5 x", " " * 100_000, "1" * 100_000])
def test_other_lines_are_none(line: str) -> None:
    assert parse_os2(line) is None
