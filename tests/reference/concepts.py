"""``docs/concepts``: how data connections are made, each page illustrated by recorded sessions.

A page is written by hand, but for what stands between ``<!-- ladder: NAME -->`` and ``<!-- /ladder -->``. Sessions are
recorded anew whenever the pages are written. Where this machine has no laboratory, the pages that need one stay.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from fairlead.ladder import svg, text
from fairlead.ladder.model import Ladder
from tests.reference.sessions import SESSIONS

FOLDER = Path("docs/concepts")
WIDTH = 100
_MARKED = re.compile(r"<!-- ladder: ([a-z-]+) -->\n.*?<!-- /ladder -->\n", re.DOTALL)


def pages(root: Path, sessions: Mapping[str, Callable[[], Ladder | None]] = SESSIONS) -> Mapping[Path, str]:
    """Every page with the sessions that it shows, and every picture; ``root`` is the directory of the project."""
    made: dict[Path, str] = {}
    for path in sorted((root / FOLDER).glob("*.md")):
        kept = path.read_text()
        drawn = {name: sessions[name]() for name in shown(kept)}
        made[FOLDER / path.name] = page(kept, drawn)
        made |= {FOLDER / f"{name}.svg": svg.draw(ladder) for name, ladder in drawn.items() if ladder is not None}
    return made


def shown(page: str) -> list[str]:
    """The sessions that a page shows."""
    return [match[1] for match in _MARKED.finditer(page)]


def page(kept: str, drawn: Mapping[str, Ladder | None]) -> str:
    """``kept`` with its drawings made anew; of a session that could not be recorded the old one stays."""

    def anew(match: re.Match[str]) -> str:
        ladder = drawn[match[1]]
        return match[0] if ladder is None else _drawn(match[1], ladder)

    return _MARKED.sub(anew, kept)


def _drawn(name: str, ladder: Ladder) -> str:
    return (
        f"<!-- ladder: {name} -->\n"
        f"![{ladder.title}]({name}.svg)\n\n"
        "<details><summary>The same as text</summary>\n\n"
        f"```text\n{text.draw(ladder, width=WIDTH)}```\n\n"
        "</details>\n"
        "<!-- /ladder -->\n"
    )
