from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.proto.entry import Entry, Kind
from fairlead.proto.listing.dialects.dos import parse_dos


@pytest.mark.req("C-3659-MLS-3")
def test_a_file_and_a_directory() -> None:
    file = "01-05-24  12:34PM                 1024 a b.txt"
    directory = "01-05-2024  01:02AM       <DIR>          docs"

    assert parse_dos(file) == Entry("a b.txt", Kind.FILE, 1024, datetime(2024, 1, 5, 12, 34, tzinfo=UTC), raw=file)
    assert parse_dos(directory) == Entry(
        "docs", Kind.DIRECTORY, None, datetime(2024, 1, 5, 1, 2, tzinfo=UTC), raw=directory
    )


@pytest.mark.req("C-3659-MLS-3")
@pytest.mark.parametrize(
    ("date", "moment"),
    [
        ("01-05-24  12:34AM", datetime(2024, 1, 5, 0, 34, tzinfo=UTC)),
        ("01-05-24  01:34PM", datetime(2024, 1, 5, 13, 34, tzinfo=UTC)),
        ("01-05-24  1:34 pm", datetime(2024, 1, 5, 13, 34, tzinfo=UTC)),
        ("01-05-24  01:34p", datetime(2024, 1, 5, 13, 34, tzinfo=UTC)),
        ("1/5/2024  13:34", datetime(2024, 1, 5, 13, 34, tzinfo=UTC)),
        ("2024-01-05  13:34", datetime(2024, 1, 5, 13, 34, tzinfo=UTC)),
        ("01-05-69  00:00", datetime(2069, 1, 5, tzinfo=UTC)),
        ("01-05-70  00:00", datetime(1970, 1, 5, tzinfo=UTC)),
        ("02-30-24  12:34PM", None),
        ("13-01-24  12:34PM", datetime(2024, 1, 13, 12, 34, tzinfo=UTC)),
        ("05.01.2024  13:34", datetime(2024, 1, 5, 13, 34, tzinfo=UTC)),
        ("13-13-24  12:34PM", None),
        ("2024-13-01  12:34", None),
        ("01-05-24  25:34", None),
    ],
)
def test_dates(date: str, moment: datetime | None) -> None:
    entry = parse_dos(f"{date}       <DIR>          x")

    assert entry is not None
    assert (entry.name, entry.modified) == ("x", moment)


@pytest.mark.parametrize(
    ("rest", "name", "kind", "size", "target"),
    [
        ("               1,024 x", "x", Kind.FILE, 1024, None),
        ("               1.024 x", "x", Kind.FILE, 1024, None),
        ("                   0  x ", " x ", Kind.FILE, 0, None),
        ("      <DIR> x", "x", Kind.DIRECTORY, None, None),
        ("      <DIR>           x", " x", Kind.DIRECTORY, None, None),
        ("      <JUNCTION>     x [C:\\y]", "x", Kind.LINK, None, "C:\\y"),
        ("      <SYMLINKD>     x [..\\y [z]]", "x", Kind.LINK, None, "..\\y [z]"),
        ("      <SYMLINK>      x", "x", Kind.LINK, None, None),
        ("                   7 x [y]", "x [y]", Kind.FILE, 7, None),
    ],
)
def test_marks_sizes_and_names(rest: str, name: str, kind: Kind, size: int | None, target: str | None) -> None:
    entry = parse_dos(f"01-05-24  12:34PM {rest}")

    assert entry is not None
    assert (entry.name, entry.kind, entry.size, entry.target) == (name, kind, size, target)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "01-05-24  12:34PM",
        "01-05-24  12:34PM       <DIR>",
        "01-05-24  12:34PM       <XYZ>          x",
        "01-05-24  12:34PM       x",
        "-rw-r--r-- 1 me us 5 Jan  5  2020 x",
        "     2 File(s)    1024 bytes",
        "01-05-24  12:34PM " + " " * 100_000,
        "01-05-24  12:34PM " + "1" * 100_000,
        "01-05-24  12:34PM <SYMLINK>",
    ],
)
def test_other_lines_are_none(line: str) -> None:
    assert parse_dos(line) is None


@given(
    name=st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=6),
    size=st.none() | st.integers(0, 10**15),
    moment=st.datetimes(datetime(1970, 1, 1), datetime(2069, 12, 31)),  # noqa: DTZ001 - Hypothesis wants them naive
)
def test_what_iis_lists_is_read(name: str, size: int | None, moment: datetime) -> None:
    shown = f"{'<DIR>':<14}" if size is None else f"{size:>14}"
    entry = parse_dos(f"{moment:%m-%d-%y  %I:%M%p}       {shown} {name}")

    assert entry is not None
    assert (entry.name, entry.size) == (name, size)
    assert entry.modified == moment.replace(second=0, microsecond=0, tzinfo=UTC)
