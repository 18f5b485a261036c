"""One thing that was looked at, and how good it is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How good a finding is."""

    RIGHT = "right"
    DOUBTFUL = "doubtful"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    subject: str
    """What it is about: listen, passive-ports, announce, firewall, certificate, active, descriptors."""
    state: State
    text: str
    advice: str = ""
    """What to do about it; empty where nothing need be done."""
