"""Write the generated pages of ``docs``; names of servers as arguments are asked anew before, ``all`` for every one."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.reference import ask, commands, concepts, conformance, faults, reach, shell
from tests.reference.replay import DEADLINE

ROOT = Path(__file__).parents[2]


def main(names: list[str]) -> None:
    """Ask the servers of these names, then write the pages."""
    try:
        ask.record_all(list(ask.NAMES) if names == ["all"] else names)
    except pytest.skip.Exception as error:
        sys.exit(f"The servers cannot all be asked: {error}")
    reach.record()
    pages = {
        commands.PAGE: commands.page(commands.features()),
        shell.PAGE: shell.page(),
        conformance.PAGE: conformance.page(ask.read(), conformance.collected(ROOT), DEADLINE),
        faults.PAGE: faults.page(),
        **reach.pages(ROOT),
        **concepts.pages(ROOT),
    }
    for page, text in pages.items():
        (ROOT / page).parent.mkdir(parents=True, exist_ok=True)
        (ROOT / page).write_text(text)


if __name__ == "__main__":
    main(sys.argv[1:])
