from __future__ import annotations

import argparse

import pytest

from fairlead.cli.patterns import add_pattern_options, only_included, wanted
from fairlead.errors import ConfigError


def patterns(*arguments: str) -> list[str]:
    parser = argparse.ArgumentParser()
    add_pattern_options(parser)
    chosen: list[str] = parser.parse_args(arguments).patterns
    return chosen


@pytest.mark.parametrize(
    ("arguments", "taken", "left_out"),
    [
        (["--exclude", "*.tmp"], ["a", "d/", "d/a.txt"], ["a.tmp", "d/a.tmp", "x.tmp/"]),
        (["--exclude", "cache/"], ["cache", "d/cache"], ["cache/", "d/cache/"]),
        (["--exclude", "/a"], ["d/a"], ["a", "a/"]),
        (["--exclude", "d/**/x"], ["x", "d/"], ["d/x", "d/e/f/x"]),
        (["--exclude", "*.tmp", "--include", "keep.tmp"], ["keep.tmp", "d/keep.tmp"], ["a.tmp"]),
        (["--include", "keep.tmp", "--exclude", "*.tmp"], [], ["keep.tmp", "a.tmp"]),
        (["--include", "*.iso"], ["a.iso", "d/", "d/a.iso"], ["a", "d/a.txt"]),
        (["--include", "docs/"], ["docs/", "docs/a", "docs/d/a", "d/"], ["a", "d/a"]),
        (["--include", "*.iso", "--exclude", "old/"], ["a.iso", "new/", "new/a.iso"], ["old/", "a.txt"]),
        (["--exclude", "!a", "--exclude", "#b"], ["a", "b"], ["!a", "#b"]),
    ],
)
def test_last_pattern_that_matches_counts(arguments: list[str], taken: list[str], left_out: list[str]) -> None:
    chosen = wanted(patterns(*arguments))
    assert [path for path in taken if not chosen(path.rstrip("/"), path.endswith("/"))] == []
    assert [path for path in left_out if chosen(path.rstrip("/"), path.endswith("/"))] == []


def test_first_pattern_says_what_becomes_of_the_rest() -> None:
    assert only_included(patterns("--include", "a", "--exclude", "b"))
    assert not only_included(patterns("--exclude", "b", "--include", "a"))
    assert not only_included([])


def test_what_is_no_pattern_is_said() -> None:
    with pytest.raises(ConfigError, match=r"those of a \.gitignore"):
        wanted(["!"])
