from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.proto.listing.layout import Pieces, Slot, pack

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=600)
slots = st.sampled_from([slot for slot in Slot if slot is not Slot.NOTHING])


def unpack(packed: bytes) -> list[str | Slot]:
    """The pieces again, texts that follow one another as one."""
    pieces: list[str | Slot] = []
    text = b""
    at = 0
    while at < len(packed):
        length = packed[at]
        text += packed[at + 1 : at + 1 + length]
        slot = Slot(packed[at + 1 + length])
        at += length + 2
        if slot is not Slot.NOTHING or length < 255:
            pieces += [text.decode("utf-8", "surrogateescape")] if text else []
            pieces += [slot]
            text = b""
    assert pieces.pop() is Slot.NOTHING
    return pieces


def merged(pieces: Pieces) -> list[str | Slot]:
    found: list[str | Slot] = []
    for piece in pieces:
        if isinstance(piece, str) and found and not isinstance(found[-1], Slot):
            found[-1] += piece
        elif piece != "":
            found.append(piece)
    return found


@given(st.lists(texts | slots, max_size=8))
def test_what_was_packed_is_found_again(pieces: list[str | Slot]) -> None:
    assert unpack(pack(pieces)) == merged(pieces)


def test_a_text_is_packed_behind_its_length_and_before_its_slot() -> None:
    assert pack(["size=", Slot.SIZE, "; ", Slot.NAME, "\r\n"]) == b"\x05size=\x01\x02; \x06\x02\r\n\x00"


@pytest.mark.parametrize("length", [254, 255, 256, 510, 511])
def test_long_texts_are_cut_where_an_octet_no_longer_counts_them(length: int) -> None:
    text = os.urandom(length).decode("latin-1").replace("\0", "x")[:length]
    assert unpack(pack([text, Slot.NAME])) == [text, Slot.NAME]


def test_octets_that_are_no_utf_8_stay_as_they_are() -> None:
    assert pack(["\udcff"]) == b"\x01\xff\x00"
