from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.proto.entry import Entry, Kind
from fairlead.proto.listing.dialects.eplf import parse_eplf


@pytest.mark.req("C-3659-MLS-3")
def test_a_file_and_a_directory() -> None:
    file = "+i8388621.48594,m825718503,r,s280,up644,\tdjb.html"
    directory = "+i8388621.50690,m824255907,/,\t514"

    assert parse_eplf(file) == Entry(
        "djb.html",
        Kind.FILE,
        280,
        datetime(1996, 3, 1, 22, 15, 3, tzinfo=UTC),
        permissions="rw-r--r--",
        unique="8388621.48594",
        raw=file,
    )
    assert parse_eplf(directory) == Entry(
        "514",
        Kind.DIRECTORY,
        None,
        datetime(1996, 2, 13, 23, 58, 27, tzinfo=UTC),
        unique="8388621.50690",
        raw=directory,
    )


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("+\tx", Entry("x", Kind.OTHER)),
        ("+,,\t x\ty", Entry(" x\ty", Kind.OTHER)),
        ("+r,s,m,u\tx", Entry("x")),
        ("+r,sx,m-1,ux\tx", Entry("x")),
        ("+r,s٣,m٣\tx", Entry("x")),
        ("+r,s" + "9" * 5000 + ",m" + "9" * 5000 + "\tx", Entry("x")),
        ("+/,r\tx", Entry("x", Kind.DIRECTORY)),
        ("+r,up8\tx", Entry("x")),
    ],
)
def test_facts_that_cannot_be_read_count_as_not_told(line: str, expected: Entry) -> None:
    entry = parse_eplf(line)

    assert entry is not None
    assert (entry.name, entry.kind, entry.size, entry.modified, entry.permissions) == (
        expected.name,
        expected.kind,
        None,
        None,
        None,
    )


@pytest.mark.parametrize("line", ["", "+", "+r", "+r,s5 x", "+r\t", "r\tx", " +r\tx"])
def test_other_lines_are_none(line: str) -> None:
    assert parse_eplf(line) is None


@given(
    name=st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=6),
    size=st.integers(0, 1 << 63),
    seconds=st.integers(0, 10**11 - 1),
)
def test_what_a_server_lists_is_read(name: str, size: int, seconds: int) -> None:
    entry = parse_eplf(f"+r,s{size},m{seconds},\t{name}")

    assert entry is not None
    assert (entry.name, entry.size, entry.modified) == (name, size, datetime.fromtimestamp(seconds, UTC))
