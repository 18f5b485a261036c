from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fairlead.proto.codec.image import ImageDecoder, ImageEncoder


@given(st.lists(st.binary(max_size=10)))
def test_octets_pass_unchanged_both_ways(pieces: list[bytes]) -> None:
    encoder, decoder = ImageEncoder(), ImageDecoder()
    wire = [encoder.encode(piece) for piece in pieces] + [encoder.finish()]
    file = [part for piece in wire for part in decoder.decode(piece)] + [decoder.close()]

    assert b"".join(wire) == b"".join(file) == b"".join(pieces)


def test_the_end_is_the_end_of_the_connection() -> None:
    assert not ImageEncoder().keeps_connection
    assert not ImageDecoder().finished
    assert ImageDecoder().held == ImageDecoder().unused == b""


def test_there_are_no_markers() -> None:
    assert ImageEncoder().mark(b"1") == b""
