from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.proto.codec import Representation, encoder_for, transmitted_length
from fairlead.proto.codec.image import ImageEncoder
from fairlead.proto.codec.local import LogicalEncoder
from tests.proto.codec.ways import file, sent, wire

SIZES = st.integers(1, 255)


def local(size: int) -> Representation:
    return Representation("L", size=size)


@pytest.mark.req("S-959-TYPE-9")
@pytest.mark.parametrize(
    ("size", "content", "zeros"),
    [
        (36, b"9 octets.", 0),  # two bytes of 36 bits
        (36, b"5 oct", 0),  # one, and 4 bits of padding
        (36, b"10 octets.", 4),  # 8 bits of a third one, which takes 36 of 14 * 8 bits
        (16, b"5 oct", 1),
        (32, b"5 oct", 3),
        (64, b"x", 7),
        (255, b"x", 31),
        (7, b"any number", 0),
        (1, b"any number", 0),
        (8, b"any number", 0),
        (9, b"ab", 0),  # 9 bits, and 7 of padding
        (9, b"x", 1),
        (36, b"", 0),
    ],
)
def test_the_last_logical_byte_is_filled_up_with_zeros(size: int, content: bytes, zeros: int) -> None:
    assert wire(local(size), content) == content + bytes(zeros)


@pytest.mark.req("S-959-TYPE-9")
@given(SIZES, st.binary(max_size=70))
def test_what_is_sent_is_whole_logical_bytes_and_less_than_an_octet_of_padding(size: int, content: bytes) -> None:
    bits = len(wire(local(size), content)) * 8

    assert bits % size < 8
    assert bits - len(content) * 8 < size + 8


@pytest.mark.req("S-959-TYPE-9")
@given(SIZES, st.integers(0, 70), st.data())
def test_what_is_stored_is_retrieved_identically(size: int, logical: int, data: st.DataObject) -> None:
    octets = (logical * size + 7) // 8
    content = data.draw(st.binary(min_size=octets, max_size=octets))

    assert wire(local(size), file(local(size), content)) == content


@given(SIZES, st.lists(st.binary(max_size=9), max_size=9))
def test_the_length_is_known_beforehand_and_does_not_depend_on_the_pieces(size: int, pieces: list[bytes]) -> None:
    content = b"".join(pieces)

    assert wire(local(size), *pieces) == wire(local(size), content)
    assert transmitted_length(local(size), len(content)) == len(wire(local(size), content))


@given(SIZES, st.binary(max_size=70), st.data())
def test_a_transfer_that_goes_on_later_ends_like_a_whole_one(size: int, content: bytes, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(content)))

    assert sent(encoder_for(local(size), start=start), content[start:]) == wire(local(size), content)[start:]


@pytest.mark.req("S-1123-TYPE-2")
def test_logical_bytes_of_eight_bits_are_octets() -> None:
    assert isinstance(encoder_for(local(8)), ImageEncoder)


def test_the_end_is_the_end_of_the_connection_and_there_are_no_markers() -> None:
    assert not LogicalEncoder(7).keeps_connection
    assert LogicalEncoder(7).mark(b"1") == b""
