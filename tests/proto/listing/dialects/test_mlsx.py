from __future__ import annotations

import time

import pytest

from fairlead.proto.listing.dialects.mlsx import bare, is_heading, reader


@pytest.mark.parametrize("line", ["type=cdir; /", "Size=5;TYPE=PDIR;modify=20200101000000; ..", "type=cdir /"])
def test_headings_are_no_entries(line: str) -> None:
    assert is_heading(line)
    assert reader(0)(line) is None


@pytest.mark.parametrize("line", ["type=dir; type=cdir;", " type=cdir; /", "xtype=cdir; /", "", "a;" * 100_000])
def test_other_lines_are_no_headings(line: str) -> None:
    begun = time.process_time()

    assert not is_heading(line)
    assert time.process_time() - begun < 1


def test_a_line_without_facts_is_read_where_it_is_asked_for() -> None:
    entry = bare(" a b")

    assert entry is not None
    assert entry.name == "a b"
    assert reader(0)(" a b") is None
