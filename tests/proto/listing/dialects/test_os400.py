from __future__ import annotations

from datetime import UTC, datetime

import pytest

from fairlead.proto.entry import Entry, Kind
from fairlead.proto.listing.dialects.os400 import parse_os400


@pytest.mark.parametrize(
    ("rest", "name", "kind"),
    [
        ("*DIR       docs/", "docs", Kind.DIRECTORY),
        ("*DIR       docs", "docs", Kind.DIRECTORY),
        ("*STMF      a b.txt", "a b.txt", Kind.FILE),
        ("*FILE      DATA.FILE", "DATA.FILE", Kind.FILE),
        ("*FILE      DATA.FILE/", "DATA.FILE", Kind.DIRECTORY),
        ("*MEM       DATA.FILE/JAN.MBR", "DATA.FILE/JAN.MBR", Kind.FILE),
        ("*SYMLNK    now", "now", Kind.LINK),
        ("*DIR       /", "/", Kind.DIRECTORY),
    ],
)
def test_objects(rest: str, name: str, kind: Kind) -> None:
    line = f"SMITH            8192 01/05/20 12:34:56 {rest}"
    entry = parse_os400(line)

    assert entry is not None
    assert (entry.name, entry.size, entry.owner, entry.raw) == (name, 8192, "SMITH", line)
    assert entry.kind is kind or name == "/"
    assert entry.modified == datetime(2020, 1, 5, 12, 34, 56, tzinfo=UTC)


@pytest.mark.parametrize("date", ["01/25/20", "25/01/20", "25.01.20", "99/01/25", "2020-01-25", "25-01-2020"])
def test_dates_are_in_the_form_of_the_job(date: str) -> None:
    entry = parse_os400(f"SMITH  8192 {date} 12.34.56 *STMF  x")

    assert entry is not None
    assert entry.modified == datetime(1999 if date.startswith("99") else 2020, 1, 25, 12, 34, 56, tzinfo=UTC)


def test_a_date_that_does_not_exist_spoils_only_itself() -> None:
    entry = parse_os400("SMITH  8192 13/32/20 12:34:56 *STMF  x")

    assert entry is not None
    assert (entry.name, entry.modified) == ("x", None)


def test_a_member_may_have_neither_size_nor_date() -> None:
    line = "SMITH                                 *MEM       DATA.FILE/JAN.MBR"

    assert parse_os400(line) == Entry("DATA.FILE/JAN.MBR", owner="SMITH", raw=line)


@pytest.mark.parametrize(
    "line", ["", "SMITH 8192 01/05/20 12:34:56 x", "SMITH *DIR", "a" * 100_000, "a" + " " * 100_000]
)
def test_other_lines_are_none(line: str) -> None:
    assert parse_os400(line) is None
