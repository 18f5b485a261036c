from __future__ import annotations

from datetime import UTC, datetime

import pytest

from fairlead.proto.entry import Entry, Kind
from fairlead.proto.listing.dialects.vms import reader as reader_at

MOMENT = datetime(2020, 1, 5, 12, 34, 56, tzinfo=UTC)


def read(line: str) -> Entry | None:
    return reader_at(0)(line)


def test_a_file_keeps_its_version_and_a_directory_does_not() -> None:
    file = "NOTES.TXT;12       3/4       5-JAN-2020 12:34:56.78  [STAFF,SMITH]  (RWED,RWED,RE,)"
    directory = "NOTES.DIR;1          1       5-JAN-2020 12:34:56     [SMITH]        (RWE,RWE,RE,E)"

    assert read(file) == Entry(
        "NOTES.TXT;12", Kind.FILE, None, MOMENT, permissions="RWED,RWED,RE,", owner="SMITH", group="STAFF", raw=file
    )
    assert read(directory) == Entry(
        "NOTES", Kind.DIRECTORY, None, MOMENT, permissions="RWE,RWE,RE,E", owner="SMITH", raw=directory
    )


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("A.B;1  3  5-JAN-2020 12:34:56", Entry("A.B;1", modified=MOMENT)),
        ("A.B;1\t3\t5-JAN-2020", Entry("A.B;1", modified=datetime(2020, 1, 5, tzinfo=UTC))),
        ("A.B;1  [SMITH]  3/4  5-JAN-2020 12:34:56  (RWE,RE,,)", Entry("A.B;1", modified=MOMENT)),
        ("A.B;1  3  35-JAN-2020", Entry("A.B;1")),
        ("A.B;1  3  5-XYZ-2020", Entry("A.B;1")),
        ("A.B;1  %RMS-E-PRV, insufficient privilege or file protection violation", Entry("A.B;1")),
        ("A.B;1  No privilege for attempted operation", Entry("A.B;1")),
        ("A.B  3  5-JAN-2020 12:34:56  [SMITH]  (RWED,RWED,RE,)", Entry("A.B", modified=MOMENT)),
        ("[SMITH.DOCS]  1  5-JAN-2020 12:34:56", Entry("[SMITH.DOCS]", Kind.DIRECTORY, modified=MOMENT)),
        (".;1  0  5-JAN-2020 12:34:56", Entry(".;1", modified=MOMENT)),
    ],
)
def test_columns_may_be_missing_or_in_another_order(line: str, expected: Entry) -> None:
    entry = read(line)

    assert entry is not None
    assert (entry.name, entry.kind, entry.modified) == (expected.name, expected.kind, expected.modified)


@pytest.mark.parametrize("indent", ["", "                    ", "\t"])
def test_what_does_not_fit_stands_on_the_next_line(indent: str) -> None:
    reader = reader_at(0)
    first, second = "A_VERY_LONG_NAME_OF_A_FILE.TEXT;3", f"{indent}170774/170775  5-JAN-2020 12:34:56  (RWED,RWED,RE,)"

    assert reader(first) is None
    assert reader(second) == Entry(
        first, Kind.FILE, None, MOMENT, permissions="RWED,RWED,RE,", raw=f"{first}\n{second}"
    )
    assert reader(second) is None


def test_a_name_whose_second_line_never_came_costs_no_other_entry() -> None:
    reader = reader_at(0)

    assert reader("LONG.TEXT;3") is None
    assert reader("A.B;1  3  5-JAN-2020") is not None
    assert reader("LONG.TEXT;3") is None
    assert reader("   17/18  gone") is None
    assert reader("   17/18  5-JAN-2020") is None


@pytest.mark.parametrize(
    "line",
    [
        "",
        "Directory DISK$USER:[SMITH]",
        "Total of 2 files, 2/6 blocks.",
        "A.B  3  5-JAN-2020",
        "A.B;1  and so on",
        "A.B;1x  3  5-JAN-2020",
        "x" * 100_000 + ";1",
        "A.B;1 " + "5-JAN-" * 20_000,
        "A.B;1 5-JAN-2020x",
    ],
)
def test_other_lines_are_none(line: str) -> None:
    assert read(line) is None
