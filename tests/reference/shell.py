"""``docs/reference/shell.md``: what can be typed at the interactive client, as it is declared."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from fairlead.cli.shell import verbs
from fairlead.cli.shell.verbs import Verb

PAGE = Path("docs/reference/shell.md")

HEAD = """\
# Commands of the interactive client

This page is generated: `make docs` writes it from the declarations in `src/fairlead/cli/shell/commands`. Change those,
not the page. [The guide](../guides/shell.md) shows how it is used.

A command may be shortened as long as it begins like no other one. `[…]` may be left out, `…` may be repeated.
"""


def _row(verb: Verb) -> str:
    names = ", ".join(f"`{name}`" for name in verb.aliases)
    usage = verb.usage.replace("|", "\\|")
    said = " ".join(verb.description.replace("|", "\\|").split())
    return f"| `{usage}` | {names} | {said} |".replace("|  |", "| |")


def page() -> str:
    """The page."""
    return "\n".join([HEAD, *_lines()])


def _lines() -> Iterator[str]:
    verbs.load()
    for group, declared in verbs.groups():
        yield from (f"## {group}", "", "| command | also | what it does |", "|---|---|---|")
        yield from map(_row, declared)
        yield ""
