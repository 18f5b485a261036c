from __future__ import annotations

from datetime import UTC, datetime

import pytest

from fairlead.proto.entry import Entry, Kind
from fairlead.proto.listing.dialects.netpresenz import reader

read = reader(1_710_000_000.0)
MOMENT = datetime(2020, 1, 5, tzinfo=UTC)


def test_a_file_and_a_folder() -> None:
    file = "-rw-r--r--         286      1000     1286 Jan  5  2020 Read Me"
    folder = "drwxr-xr-x               folder        3 Jan  5  2020 Stuff"

    assert read(file) == Entry("Read Me", Kind.FILE, 1000, MOMENT, permissions="rw-r--r--", raw=file)
    assert read(folder) == Entry("Stuff", Kind.DIRECTORY, None, MOMENT, permissions="rwxr-xr-x", raw=folder)


@pytest.mark.parametrize(
    "line", ["", "-rw-r--r-- 1000 100 5 Jan  5  2020 x", "-rw-r--r-- 1 me us 5 Jan  5  2020 x", "-rw-r--r-- 1 2 3 x"]
)
def test_other_lines_are_none(line: str) -> None:
    assert read(line) is None
