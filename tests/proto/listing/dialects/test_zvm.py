from __future__ import annotations

from datetime import UTC, datetime

import pytest

from fairlead.proto.entry import Entry, Kind
from fairlead.proto.listing.dialects.zvm import parse_zvm

MOMENT = datetime(2020, 1, 5, 12, 34, 56, tzinfo=UTC)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("PROFILE  EXEC     V         72          9          1 2020-01-05 12:34:56 SMI191", Entry("PROFILE.EXEC")),
        (
            "PROFILE  DATA     F         80          9          1 2020/01/05 12:34:56 SMI191",
            Entry("PROFILE.DATA", size=720),
        ),
        ("PROFILE  DATA     F         80          9          1 1/05/20 12:34:56", Entry("PROFILE.DATA", size=720)),
        ("DOCS     DIR        -          -          -          - 2020-01-05 12:34:56 -", Entry("DOCS", Kind.DIRECTORY)),
    ],
)
def test_files_and_directories(line: str, expected: Entry) -> None:
    assert parse_zvm(line) == Entry(expected.name, expected.kind, expected.size, MOMENT, raw=line)


@pytest.mark.parametrize(
    "line", ["", "A B F 80 9 1", "A B X 80 9 1 2020-01-05 12:34:56", "A B F 80 9 1 2020-01-05 12:34:56 a b"]
)
def test_other_lines_are_none(line: str) -> None:
    assert parse_zvm(line) is None
