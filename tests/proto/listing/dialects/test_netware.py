from __future__ import annotations

from datetime import UTC, datetime

import pytest

from fairlead.proto.entry import Entry, Kind
from fairlead.proto.listing.dialects.netware import reader

read = reader(1_710_000_000.0)
MOMENT = datetime(2024, 1, 5, 12, 34, tzinfo=UTC)


def test_a_file_and_a_directory() -> None:
    file = "- [RW----F-] j_smith                    1024 Jan 05 12:34    a b.txt"
    directory = "d [RWCEAFMS] office                      512 Jan 05 12:34    docs"

    assert read(file) == Entry("a b.txt", Kind.FILE, 1024, MOMENT, permissions="RW----F-", owner="j_smith", raw=file)
    assert read(directory) == Entry(
        "docs", Kind.DIRECTORY, None, MOMENT, permissions="RWCEAFMS", owner="office", raw=directory
    )


def test_there_may_be_a_count_of_links_and_no_space_before_the_rights() -> None:
    entry = read("-[RWCEAFMS]  1 me    5 Jan  5  2020 x")

    assert entry is not None
    assert (entry.owner, entry.size, entry.name) == ("me", 5, "x")


@pytest.mark.parametrize("line", ["", "- [RW] me 5 x", "- RWCEAFMS me 5 Jan 05 12:34 x", "- [RW] 5 Jan 05 12:34"])
def test_other_lines_are_none(line: str) -> None:
    assert read(line) is None
