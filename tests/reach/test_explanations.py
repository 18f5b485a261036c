"""Every cause is explained, and pages and advice can be derived."""

from __future__ import annotations

import pytest

from fairlead.reach.cause import Cause
from fairlead.reach.explanations import EXPLANATIONS


@pytest.mark.parametrize("cause", list(Cause))
def test_every_cause_is_one_sentence_and_a_hint(cause: Cause) -> None:
    explained = EXPLANATIONS[cause]

    for text in (explained.sentence, explained.hint):
        assert text.endswith(".")
        assert text[0].isupper()
        assert ". " not in text


def test_nothing_else_is_explained() -> None:
    assert list(EXPLANATIONS) == list(Cause)
