"""The counts that were taken last, and whether new ones are worse."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import NamedTuple

FILE = Path(__file__).with_name("reference.json")
SAME, OTHER = 0.10, 0.25
"""By how much a count may grow unnoticed: under the build of Python that the reference was taken with, and others."""


class Reference(NamedTuple):
    """Counts, and the build of Python that they were taken with."""

    python: str
    counts: dict[str, dict[str, float]]

    @property
    def tolerance(self) -> float:
        """What growth is let pass here."""
        return SAME if self.python == sys.version else OTHER


def read_reference() -> Reference:
    """What the file has."""
    return Reference(**json.loads(FILE.read_text()))


def write_reference(counts: dict[str, dict[str, float]]) -> None:
    """Make ``counts`` the reference."""
    rounded = {way: {name: round(value, 2) for name, value in each.items()} for way, each in counts.items()}
    FILE.write_text(json.dumps(Reference(sys.version, rounded)._asdict(), indent=2) + "\n")


def growth(reference: Reference, counts: dict[str, dict[str, float]]) -> dict[tuple[str, str], float]:
    """How each count compares with the reference: 1.1 is a tenth more. A dialogue on one side only is left out."""
    return {
        (way, name): value / reference.counts[way][name]
        for way, each in counts.items()
        for name, value in each.items()
        if name in reference.counts.get(way, {})
    }


def worse(reference: Reference, counts: dict[str, dict[str, float]]) -> list[str]:
    """A sentence for each dialogue that takes more instructions than the reference lets pass."""
    return [
        f"{name} ({way}) takes {ratio:.3f} times the instructions of the reference;"
        " if that is meant: make instructions ARGS=--write"
        for (way, name), ratio in growth(reference, counts).items()
        if ratio > 1 + reference.tolerance
    ]
