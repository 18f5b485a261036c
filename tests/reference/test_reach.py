"""The pages in docs/reach are those that explanations, advice and ladders make, with what is written by hand."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from fairlead.ladder import jsonl
from fairlead.reach.cause import Cause
from fairlead.reach.explanations import EXPLANATIONS
from tests.reference import reach

ROOT = Path(__file__).parents[2]
PARTS = re.compile(r"<!-- generated: (\w+) -->")


def test_every_page_is_what_its_sources_make() -> None:
    made = reach.pages(ROOT)

    assert {path: (ROOT / path).read_text() for path in made} == made, "make docs"


def test_there_is_a_page_for_each_cause_and_no_other() -> None:
    assert {path.stem for path in (ROOT / reach.FOLDER).glob("*.md")} == {"README", *Cause}


@pytest.mark.parametrize("cause", list(Cause))
def test_a_page_says_what_is_known_and_something_by_hand(cause: Cause) -> None:
    page = (ROOT / reach.FOLDER / f"{cause}.md").read_text()

    assert PARTS.findall(page) == ["summary", "ladder", "settings"]
    assert EXPLANATIONS[cause].sentence in page
    by_hand = re.sub(r"<!-- generated.*?<!-- /generated -->", "", page, flags=re.DOTALL)
    assert len(by_hand) > 100


@pytest.mark.parametrize("path", sorted(reach.LADDERS.glob("*.jsonl")), ids=lambda path: path.stem)
def test_a_ladder_that_was_recorded_shows_its_cause(path: Path) -> None:
    ladder = jsonl.load(path.read_text())

    shown = {step.cause for step in ladder.steps} - {""}
    assert path.stem in shown or not shown
    assert path.stem in list(Cause)


def test_pages_link_to_pages_that_exist() -> None:
    for path in (ROOT / reach.FOLDER).glob("*.md"):
        for target in re.findall(r"\]\(([\w-]+\.md)\)", path.read_text()):
            assert (path.parent / target).exists(), f"{path.name} links to {target}"
