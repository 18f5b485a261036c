"""The answers that the published comparison has for our server are those it gives."""

from __future__ import annotations

from tests.reference.ask import OWN, ask, read
from tests.reference.script import SCRIPT


def test_our_column_of_the_comparison_is_what_our_server_answers() -> None:
    recorded = read()[OWN]["answers"]

    today = ask(OWN)

    groups = zip(SCRIPT, recorded, today, strict=True)
    assert [
        (group.title, step.send[:40], tuple(old), tuple(new))
        for group, before, now in groups
        for step, old, new in zip([each for each in group.steps if not each.hidden], before, now, strict=True)
        if tuple(old) != tuple(new)
    ] == []
