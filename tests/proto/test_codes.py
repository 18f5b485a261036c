from __future__ import annotations

import pytest

from fairlead.proto.codes import TEXTS, reply
from fairlead.proto.reply import Reply
from fairlead.proto.sequences import MARKER, SEQUENCES


def test_a_code_has_its_default_text() -> None:
    assert reply(530) == Reply(530, "Not logged in.")


def test_a_code_without_a_text_is_no_reply() -> None:
    with pytest.raises(KeyError):
        reply(299)


def test_every_code_that_may_be_sent_has_a_text() -> None:
    sent = frozenset().union(*(codes for sequence in SEQUENCES.values() for codes in sequence)) | {MARKER}

    assert sent - TEXTS.keys() == frozenset()


def test_every_text_fits_one_line() -> None:
    assert [code for code, text in TEXTS.items() if not (text.isascii() and text.isprintable())] == []
