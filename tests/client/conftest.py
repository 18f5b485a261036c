"""The clients under test: both faces, driven the same way; and a server of our own to drive them against."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.peers.embedded import Embedded, embedded
from tests.peers.faces import connect

__all__ = ["connect"]


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Embedded]:
    """Our server on an empty directory."""
    root = tmp_path / "served"
    root.mkdir()
    with embedded(root) as server:
        yield server
