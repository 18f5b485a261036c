"""What all tests share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.peers.embedded import Embedded

pytest_plugins = ["tests.conformance", "tests.readers"]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--interleavings",
        type=int,
        default=0,
        metavar="NUMBER",
        help="try so many random dialogues, not the usual ones",
    )


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Embedded]:
    """Our server on an empty directory, in this process."""
    from tests.peers.embedded import embedded

    root = tmp_path / "served"
    root.mkdir()
    with embedded(root) as server:
        yield server
