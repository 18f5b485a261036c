from __future__ import annotations

from datetime import UTC, datetime

import pytest

from fairlead.proto.entry import Entry, Kind
from fairlead.proto.listing.dialects.mvs import reader as reader_at

HEADING = "Volume Unit    Referred Ext Used Recfm Lrecl BlkSz Dsorg Dsname"
LINE = "USR001 3390   2020/01/05  1   15  FB      80 27920  PS  SMITH.DATA"


@pytest.mark.parametrize(
    ("line", "name", "kind", "day"),
    [
        (LINE, "SMITH.DATA", Kind.FILE, 5),
        (LINE.replace("PS  ", "PO  "), "SMITH.DATA", Kind.DIRECTORY, 5),
        (LINE.replace("PS  ", "PO-E  "), "SMITH.DATA", Kind.DIRECTORY, 5),
        (LINE.replace("2020/01/05", "**NONE**"), "SMITH.DATA", Kind.FILE, None),
        (LINE.replace(" 1   15", "12345678"), "SMITH.DATA", Kind.FILE, 5),
        (LINE.replace("SMITH.DATA", "'SYS1.MACLIB'"), "'SYS1.MACLIB'", Kind.FILE, 5),
        (LINE.replace("01/05", "13/05"), "SMITH.DATA", Kind.FILE, None),
        ("USR001 3390   VSAM SMITH.KSDS", "SMITH.KSDS", Kind.FILE, None),
        ("USR001 Tape          Tape SMITH.OLD", "SMITH.OLD", Kind.FILE, None),
    ],
)
def test_data_sets(line: str, name: str, kind: Kind, day: int | None) -> None:
    modified = None if day is None else datetime(2020, 1, day, tzinfo=UTC)

    assert reader_at(0)(line) == Entry(name, kind, None, modified, raw=line)


@pytest.mark.parametrize("before", [HEADING, LINE, "USR001 3390   VSAM SMITH.KSDS"])
@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Migrated", Kind.FILE),
        ("ARCIVE Not Direct Access Device", Kind.FILE),
        ("Not Direct Access Device", Kind.FILE),
        ("Error determining attributes", Kind.FILE),
        ("Pseudo Directory", Kind.DIRECTORY),
    ],
)
def test_what_is_elsewhere_is_read_among_data_sets_only(before: str, text: str, kind: Kind) -> None:
    line = f"{text}                      SMITH.OLD"
    reader = reader_at(0)

    assert reader(line) is None
    reader(before)
    assert reader(line) == Entry("SMITH.OLD", kind, raw=line)


@pytest.mark.parametrize(
    "line", ["", HEADING, "USR001 3390", LINE + " X", "x" * 100_000, HEADING + " Dsname" * 20_000 + "x"]
)
def test_other_lines_are_none(line: str) -> None:
    assert reader_at(0)(line) is None
