"""Progress bars: of each file, and of all of them."""

from __future__ import annotations

import argparse
import io
from collections.abc import Iterator

import pytest
from rich.console import Console
from rich.progress import Progress

from fairlead.cli.progress import Files, files, progress


@pytest.fixture
def bars() -> Iterator[Progress]:
    with Progress(console=Console(file=io.StringIO()), auto_refresh=False) as shown:
        yield shown


def shown(bars: Progress) -> list[tuple[str, float, float | None]]:
    return [(task.description, task.completed, task.total) for task in bars.tasks]


def test_a_single_file_has_one_bar_which_stays(bars: Progress) -> None:
    with Files(bars, 1, 6).bar("a") as update:
        assert update is not None
        update(4, 6)
    assert shown(bars) == [("a", 4, 6)]


def test_several_files_have_a_bar_for_all_of_them_too(bars: Progress) -> None:
    all_of_them = Files(bars, 2, 10)
    with all_of_them.bar("a") as one, all_of_them.bar("b") as other:
        assert one is not None
        assert other is not None
        one(3, 6)
        other(4, 4)
        one(6, 6)
        assert shown(bars) == [("0 of 2 files", 10, 10), ("a", 6, 6), ("b", 4, 4)]
    assert shown(bars) == [("2 of 2 files", 10, 10)]


def test_file_that_begins_anew_counts_once(bars: Progress) -> None:
    all_of_them = Files(bars, 2, None)
    with all_of_them.bar("a") as update:
        assert update is not None
        update(6, 6)
        update(2, 6)
        assert shown(bars)[0] == ("0 of 2 files", 2, None)


def test_names_move_no_cursor(bars: Progress) -> None:
    with Files(bars, 1, None).bar("a\x1b[2J"):
        assert "\x1b" not in bars.tasks[0].description


@pytest.mark.parametrize("debug", [True, False])
def test_where_nobody_would_see_them_there_are_none(debug: bool) -> None:
    args = argparse.Namespace(debug=debug)
    with progress(args, "a") as update:
        assert update is None
    with files(args, [1, None]) as none, none.bar("a") as update:
        assert update is None
