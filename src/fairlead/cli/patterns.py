"""``--include`` and ``--exclude``: patterns as in a ``.gitignore``, in the order in which they stand."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence


def add_pattern_options(parser: argparse.ArgumentParser) -> None:
    """``--include`` and ``--exclude``, which may be repeated."""
    group = parser.add_argument_group("what to mirror")
    group.add_argument(
        "--exclude",
        dest="patterns",
        action="append",
        type=_excluded,
        metavar="PATTERN",
        help="leave out what matches, as in a .gitignore ('*.tmp', 'cache/', '/at-the-top'); of several patterns that "
        "match, the last one counts",
    )
    group.add_argument(
        "--include",
        dest="patterns",
        action="append",
        type=_included,
        metavar="PATTERN",
        help="take what matches after all; where this comes first, files that no pattern matches are left out",
    )


def wanted(patterns: Sequence[str]) -> Callable[[str, bool], bool]:
    """Whether a path is to be mirrored; ``patterns`` begin with ``!`` where they include.

    Raises ConfigError for what is no pattern.
    """
    from pathspec import GitIgnoreSpec

    from fairlead.errors import ConfigError

    try:
        spec = GitIgnoreSpec.from_lines(patterns)
    except ValueError as error:
        message = f"{error}; patterns are those of a .gitignore"
        raise ConfigError(message) from error
    choosy = patterns[0].startswith("!")

    def chosen(path: str, directory: bool) -> bool:
        excluded = spec.check_file(f"{path}/" if directory else path).include
        return (directory or not choosy) if excluded is None else not excluded

    return chosen


def only_included(patterns: Sequence[str]) -> bool:
    """Whether files are left out unless a pattern includes them, and directories without such files with them."""
    return bool(patterns) and patterns[0].startswith("!")


def _excluded(pattern: str) -> str:
    return f"\\{pattern}" if pattern.startswith(("!", "#")) else pattern


def _included(pattern: str) -> str:
    return f"!{pattern}"
