"""What all tests share."""

from __future__ import annotations

import pytest

pytest_plugins = ["tests.conformance", "tests.readers"]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--interleavings",
        type=int,
        default=0,
        metavar="NUMBER",
        help="try so many random dialogues, not the usual ones",
    )
