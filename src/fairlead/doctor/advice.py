"""From an examination to one sentence of verdict, and to who should change what."""

from __future__ import annotations

from fairlead.doctor.examine import Examination


def verdict(found: Examination) -> str:
    """One sentence."""
    return ""


def advice(found: Examination) -> tuple[()]:
    """Whom to ask for what."""
    return ()
