"""What is recorded for the pages of causes is what the sessions are now: ``make docs`` records them."""

from __future__ import annotations

import pytest

from fairlead.ladder import jsonl
from fairlead.reach.cause import Cause
from tests.reference.causes import SESSIONS
from tests.reference.reach import LADDERS

HERE = sorted(SESSIONS.keys() - {Cause.CONTROL_UNRESOLVED})
"""Tests ask no name servers."""


@pytest.mark.parametrize("cause", HERE)
def test_recorded_session_is_what_it_is_now(cause: Cause) -> None:
    ladder = SESSIONS[cause].session()
    assert ladder is not None

    assert jsonl.dump(ladder) == (LADDERS / f"{cause}.jsonl").read_text(), "make docs"
    assert {step.cause for step in ladder.steps} == {"", cause}


def test_every_cause_has_a_ladder() -> None:
    assert {path.stem for path in LADDERS.glob("*.jsonl")} == set(Cause)
