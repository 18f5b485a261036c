from __future__ import annotations

from datetime import UTC, datetime

import pytest

from fairlead.proto.entry import Entry, Kind
from fairlead.proto.listing.dialects.vshell import parse_vshell

MOMENT = datetime(2020, 1, 5, 12, 34, 56, tzinfo=UTC)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("1024  Jan 05, 2020 12:34:56 a b.txt", Entry("a b.txt", size=1024)),
        ("0  Jan 05, 2020 12:34:56 docs/", Entry("docs", Kind.DIRECTORY)),
        ("0  Jan 05, 2020 12:34:56 /", Entry("/", size=0)),
    ],
)
def test_files_and_directories(line: str, expected: Entry) -> None:
    assert parse_vshell(line) == Entry(expected.name, expected.kind, expected.size, MOMENT, raw=line)


@pytest.mark.parametrize(
    "line", ["", "1024", "a 5 x", "-rw-r--r-- 1 me us 5 Jan  5  2020 x", "1 " * 50_000, " " * 100_000]
)
def test_other_lines_are_none(line: str) -> None:
    assert parse_vshell(line) is None
