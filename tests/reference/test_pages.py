"""What the pages say of this repository: their links, paths and targets are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted(str(page.relative_to(ROOT)) for page in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")))
LINK = re.compile(r"\]\((?!https?:)([^)#\s]+)")
PATH = re.compile(r"`((?:[a-z_0-9]+/)+[a-z_0-9]+\.(?:py|c|h|toml))`")
TARGET = re.compile(r"^([a-z-]+):.*## ", re.MULTILINE)


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    place = ROOT / page
    assert [link for link in LINK.findall(place.read_text("utf-8")) if not (place.parent / link).exists()] == []


def test_every_page_is_in_the_index_or_in_that_of_its_folder() -> None:
    docs = ROOT / "docs"
    linked = {
        (index.parent / link).resolve()
        for index in docs.rglob("README.md")
        for link in LINK.findall(index.read_text("utf-8"))
    }
    assert set(docs.rglob("*.md")) - linked == {docs / "README.md"}


def test_architecture_names_what_is_there() -> None:
    roots = (ROOT, ROOT / "src/fairlead")
    named = PATH.findall((ROOT / "ARCHITECTURE.md").read_text("utf-8"))
    assert [path for path in named if not any((root / path).exists() for root in roots)] == []
    assert len(named) > 100


def test_every_folder_of_the_package_is_in_the_architecture() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
    folders = [path.parent.name for path in (ROOT / "src/fairlead").glob("*/__init__.py")]
    assert [name for name in folders if f"| `{name}/` |" not in text] == []


def test_contributing_lists_every_target_of_make() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    targets = TARGET.findall((ROOT / "Makefile").read_text("utf-8"))
    assert [target for target in targets if f"| `make {target}` |" not in text] == []
