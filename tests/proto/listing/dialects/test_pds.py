from __future__ import annotations

from datetime import UTC, datetime

import pytest

from fairlead.proto.entry import Entry, Kind
from fairlead.proto.listing.dialects.pds import reader as reader_at

HEADING = " Name     VV.MM   Created       Changed      Size  Init   Mod   Id"
MODULES = " Name      Size     TTR   Alias-of AC --------- Attributes --------- Amode Rmode"


def test_a_member_with_statistics() -> None:
    line = "PAYROLL   01.02 2019/12/30 2020/01/05 12:34    40    38     0 SMITH"

    assert reader_at(0)(line) == Entry(
        "PAYROLL",
        Kind.FILE,
        None,
        datetime(2020, 1, 5, 12, 34, tzinfo=UTC),
        datetime(2019, 12, 30, tzinfo=UTC),
        owner="SMITH",
        raw=line,
    )


def test_a_module() -> None:
    line = " PAYROLL   0000B0   00001A          00 FO     RN RU         31    ANY"

    assert reader_at(0)(line) == Entry("PAYROLL", raw=line)


@pytest.mark.parametrize("heading", [HEADING, MODULES])
def test_a_name_alone_is_read_after_a_heading_only(heading: str) -> None:
    reader = reader_at(0)

    assert reader("PAYROLL") is None
    assert reader(heading) is None
    assert reader("PAYROLL  ") == Entry("PAYROLL", raw="PAYROLL  ")


@pytest.mark.parametrize("line", ["", "payroll.txt", "TWO WORDS", "A" * 100_000])
def test_other_lines_are_none(line: str) -> None:
    reader = reader_at(0)
    reader(HEADING)

    assert reader(line) is None
