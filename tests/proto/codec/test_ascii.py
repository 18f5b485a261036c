from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.proto.codec.ascii import AsciiDecoder, AsciiEncoder
from tests.proto.cuts import cuts

OCTETS = st.lists(st.sampled_from([b"\r", b"\n", b"a", b"\0", b"\xff"]), max_size=10).map(b"".join)


def encode(*pieces: bytes) -> bytes:
    encoder = AsciiEncoder()
    return b"".join([*map(encoder.encode, pieces), encoder.finish()])


def decode(*pieces: bytes, held: bytes = b"") -> bytes:
    decoder = AsciiDecoder(held)
    return b"".join([part for piece in pieces for part in decoder.decode(piece)] + [decoder.close()])


@pytest.mark.req("S-959-ASC-1")
@pytest.mark.parametrize(
    ("file", "wire"),
    [
        (b"", b""),
        (b"a\nb\n", b"a\r\nb\r\n"),
        (b"\n\n", b"\r\n\r\n"),
        (b"x", b"x"),
        (b"\r", b"\r"),
        (b"a\rb", b"a\rb"),
        (b"a\r\nb", b"a\r\r\nb"),
        (b"\xff\0\n", b"\xff\0\r\n"),
    ],
)
def test_a_line_feed_goes_out_as_cr_lf_and_nothing_else_changes(file: bytes, wire: bytes) -> None:
    for pieces in cuts(file):
        assert encode(*pieces) == wire, pieces


@pytest.mark.req("S-959-ASC-2", "C-959-XFER-3")
@pytest.mark.parametrize(
    ("wire", "file"),
    [
        (b"", b""),
        (b"a\r\nb\r\n", b"a\nb\n"),
        (b"\r\n\r\n", b"\n\n"),
        (b"x", b"x"),
        (b"\r", b"\r"),
        (b"a\rb", b"a\rb"),
        (b"\r\r", b"\r\r"),
        (b"a\r\r\nb", b"a\r\nb"),
        (b"a\nb", b"a\nb"),
        (b"\n\r", b"\n\r"),
        (b"a\nb\rc\r\n", b"a\nb\rc\n"),
    ],
)
def test_cr_lf_becomes_a_line_feed_wherever_it_is_cut(wire: bytes, file: bytes) -> None:
    for pieces in cuts(wire):
        assert decode(*pieces) == file, pieces


@pytest.mark.req("S-959-ASC-3")
@pytest.mark.parametrize("wire", [b"\r", b"a\rb", b"a\r\r\nb", b"x", b"a\r\n", b"a\r\nb", b"\r\r\n", b""])
def test_what_is_stored_is_retrieved_identically(wire: bytes) -> None:
    assert encode(decode(wire)) == wire


@pytest.mark.req("S-959-ASC-3", "C-959-XFER-3")
@given(OCTETS)
def test_every_file_survives_the_way_there_and_back(file: bytes) -> None:
    wire = encode(file)
    for pieces in cuts(wire):
        assert decode(*pieces) == file, pieces


@given(OCTETS, st.data())
def test_a_transfer_that_goes_on_later_with_what_was_held_gives_the_same_file(wire: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(wire)))
    first = AsciiDecoder()
    before = b"".join(first.decode(wire[:at]))

    assert before + decode(wire[at:], held=first.held) == decode(wire)


def test_a_cr_at_the_end_of_a_piece_is_held() -> None:
    decoder = AsciiDecoder()

    assert decoder.decode(b"a\r") == (b"a",)
    assert decoder.held == b"\r"
    assert decoder.decode(b"") == (b"",)
    assert decoder.held == b"\r"
    assert decoder.decode(b"\nb") == (b"\nb",)
    assert decoder.held == b""


def test_the_end_is_the_end_of_the_connection_and_there_are_no_markers() -> None:
    assert not AsciiEncoder().keeps_connection
    assert not AsciiDecoder().finished
    assert AsciiDecoder().unused == b""
    assert AsciiEncoder().mark(b"1") == b""
