from __future__ import annotations

import pytest

from fairlead.proto.listing.headings import is_heading


@pytest.mark.parametrize(
    "line",
    [
        "", "  ", "total 0", "total 12K", "total     24", "insgesamt 1.234", "итого 8", "总用量 4", "i alt 3",
        "合計 12", "--------       ------", "Directory DISK$USER:[SMITH]", "DISK$USER:[SMITH.SUB]",
        "Total of 1 file, 2/6 blocks.", "Grand total of 2 directories, 3 files.", "3 spool files",
        "type=cdir;modify=20200101000000; /",
    ],
)  # fmt: skip
def test_headings(line: str) -> None:
    assert is_heading(line)


@pytest.mark.parametrize(
    "line",
    [
        "README 1234",
        "total",
        "total.txt",
        "--",
        "Directory",
        "ls: x: Permission denied",
        "12 files",
        "copy[1]",
        "x" * 100_000,
    ],
)
def test_what_may_be_an_entry_is_none(line: str) -> None:
    assert not is_heading(line)
