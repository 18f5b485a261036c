from __future__ import annotations

from datetime import UTC, datetime

import pytest

from fairlead.proto.entry import Entry, Kind
from fairlead.proto.listing.dialects.guardian import parse_guardian


@pytest.mark.parametrize(
    ("line", "size", "owner", "permissions"),
    [
        ('DATA          101             2048  5-Jan-20 12:34:56  20,  7 "NUNU"', 2048, "20,7", "NUNU"),
        ('DATA       O  700+               0 05-Jan-2020 12:34:56 255,255 "----"', 0, "255,255", "----"),
    ],
)
def test_files(line: str, size: int, owner: str, permissions: str) -> None:
    assert parse_guardian(line) == Entry(
        "DATA",
        Kind.FILE,
        size,
        datetime(2020, 1, 5, 12, 34, 56, tzinfo=UTC),
        permissions=permissions,
        owner=owner,
        group=owner.partition(",")[0],
        raw=line,
    )


@pytest.mark.parametrize(
    "line",
    ["", "File         Code             EOF  Last Modification    Owner  RWEP", "DATA 101 5 5-Jan-20 12:34:56 20,7"],
)
def test_other_lines_are_none(line: str) -> None:
    assert parse_guardian(line) is None
