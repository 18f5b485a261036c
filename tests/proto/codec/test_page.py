from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.errors import MismatchError, PageTypeError, ProtocolError, TruncatedError, UnsupportedError
from fairlead.proto.codec import Representation, decoder_for, encoder_for
from fairlead.proto.codec.page import capacity
from tests.proto.codec.ways import file, received, wire
from tests.proto.cuts import cuts

IMAGE = Representation("I", structure="P")
SIZES = [8, 9, 12, 16, 31, 32, 36, 64, 255]


def paged(size: int) -> Representation:
    return Representation("L", structure="P", size=size)


@pytest.mark.req("S-959-STRU-8")
@pytest.mark.parametrize(
    ("representation", "content", "octets"),
    [
        (IMAGE, b"", "04 00 00 00"),
        (IMAGE, b"abc", "04 00 03 01 616263  04 00 00 00"),
        (Representation("A", structure="P"), b"a\n", "04 00 03 01 610D0A  04 00 00 00"),
        (Representation("E", structure="P"), b"a\n", "04 00 02 01 8115  04 00 00 00"),
        (paged(16), b"abcd", "0004 0000 0002 0001 61626364  0004 0000 0000 0000"),
        (
            paged(36),
            b"8 bits and",
            "000000004000000000000000003000000001 38206269747320616E640000000 000000004000000000000000000000000000 0",
        ),
        (paged(12), b"ab", "004 000 002 001 616 200 004 000 000 000"),
        (paged(12), b"ab\x60", "004 000 002 001 616 260 004 000 000 000"),
        (paged(12), b"a\x60", "004 000 001 001 616 004 000 000 000 0"),
    ],
)  # fmt: skip
def test_a_file_is_a_page_and_a_last_one(representation: Representation, content: bytes, octets: str) -> None:
    for pieces in cuts(content):
        assert wire(representation, *pieces) == bytes.fromhex(octets.replace(" ", "")), pieces


@pytest.mark.req("S-959-STRU-8")
def test_pages_are_numbered() -> None:
    content = b"".join(bytes((number,)) * 248 for number in range(9)) + b"rest"
    pages = b"".join(bytes((4, number, 248, 1)) + bytes((number,)) * 248 for number in range(9))

    assert wire(IMAGE, content) == pages + bytes((4, 9, 4, 1)) + b"rest" + bytes((4, 0, 0, 0))


@pytest.mark.req("S-959-STRU-8")
@given(st.sampled_from(SIZES), st.data())
def test_whole_logical_bytes_come_back_as_they_were(size: int, data: st.DataObject) -> None:
    logical = data.draw(st.integers(0, 1200))
    number = data.draw(st.integers(0, (1 << logical * size) - 1))
    pad = -logical * size % 8
    content = (number << pad).to_bytes((logical * size + pad) // 8)

    sent = wire(paged(size), content)
    assert file(paged(size), sent) == content
    assert wire(paged(size), file(paged(size), sent)) == sent


@pytest.mark.req("S-959-STRU-8")
@pytest.mark.parametrize("kind", ["A", "E", "I"])
@given(st.lists(st.binary(max_size=300), max_size=4), st.integers(1, 50))
def test_every_file_survives_the_way_there_and_back(kind: str, pieces: list[bytes], step: int) -> None:
    representation = Representation(kind, structure="P")
    sent = wire(representation, *pieces)

    assert file(representation, *(sent[at : at + step] for at in range(0, len(sent), step))) == b"".join(pieces)


@given(st.sampled_from(SIZES), st.binary(max_size=40))
def test_of_what_is_no_whole_number_of_logical_bytes_nothing_is_lost(size: int, content: bytes) -> None:
    back = file(paged(size), wire(paged(size), content))

    assert back.rstrip(b"\0") == content.rstrip(b"\0")
    assert len(back) < len(content) + size


@pytest.mark.req("S-959-STRU-8")
@pytest.mark.parametrize("size", [8, 12, 36])
def test_pages_can_be_cut_anywhere(size: int) -> None:
    content = bytes(range(1, 46))
    for pieces in cuts(wire(paged(size), content)):
        assert file(paged(size), *pieces) == content, pieces


@pytest.mark.req("S-959-STRU-8")
@pytest.mark.parametrize(
    ("octets", "content"),
    [
        ("04 00 02 01 6162  04 01 01 01 63  04 00 00 00", b"abc"),
        ("04 00 00 01  04 01 01 01 63  04 FF 00 00", b"c"),
        ("05 00 02 03 99 6162  04 00 00 00", b"ab"),
        ("04 00 02 02 9999  04 00 01 01 61  04 00 00 00", b"a"),
        ("06 07 00 02 9999  04 00 01 01 61  04 00 00 00", b"a"),
        ("04 00 01 01 61  05 01 01 03 99 62  04 00 00 00", b"ab"),
    ],
)
def test_pages_of_any_length_and_those_with_more_to_say_are_taken(octets: str, content: bytes) -> None:
    for pieces in cuts(bytes.fromhex(octets)):
        assert file(IMAGE, *pieces) == content, pieces


@pytest.mark.parametrize(
    ("octets", "said"),
    [
        ("03 00 00 00", "No page of type 0 has a header of 3 bytes"),
        ("05 00 00 00 00", "No page of type 0 has a header of 5 bytes"),
        ("04 00 01 00 61", "No page of type 0 has a header of 4 bytes and 1 of data"),
        ("05 00 01 01 61 61", "No page of type 1 has a header of 5 bytes"),
        ("04 00 01 03 61", "No page of type 3 has a header of 4 bytes"),
        ("03 00 01 02 61", "No page of type 2 has a header of 3 bytes"),
        ("04 01 01 01 61", "Page 0 is missing before page 1"),
        ("04 00 01 01 61  04 02 01 01 61", "Page 1 is missing before page 2"),
        ("04 00 01 01 61  04 00 01 01 61", "Page 1 is missing before page 0"),
        ("04 00 00 00 00", "octets after the last page"),
    ],
)
def test_a_page_that_cannot_be_is_an_error(octets: str, said: str) -> None:
    for pieces in cuts(bytes.fromhex(octets)):
        decoder = decoder_for(IMAGE)
        with pytest.raises(ProtocolError, match=said):
            _ = [list(decoder.decode(data)) for data in pieces]


@pytest.mark.req("S-959-DC-4")
def test_a_page_of_an_unknown_type_is_an_error_of_its_own() -> None:
    with pytest.raises(PageTypeError, match="type 4"):
        file(IMAGE, bytes.fromhex("04 00 01 04 61"))


@pytest.mark.parametrize("octets", ["", "04", "04 00 03 01 6162", "04 00 02 01 6162", "04 00 02 01 6162 04 00 00"])
def test_an_end_of_the_connection_without_the_last_page_is_an_error(octets: str) -> None:
    with pytest.raises(TruncatedError, match="before the last page"):
        file(IMAGE, bytes.fromhex(octets))


def test_a_file_has_as_many_pages_as_can_be_numbered() -> None:
    content = b"x" * capacity(8)

    assert len(content) == 62 << 10
    assert file(IMAGE, wire(IMAGE, content)) == content
    with pytest.raises(MismatchError, match="more than 256 pages"):
        wire(IMAGE, content + b"x")


def test_a_long_page_is_given_out_as_it_comes() -> None:
    decoder = decoder_for(paged(32))
    head = bytes.fromhex("00000004 00000000 FFFFFFFF 00000001")
    given = [piece for data in (head, b"a" * 1000, b"b" * 3) for piece in decoder.decode(data)]

    assert given == [b"a" * 1000, b"b" * 3]


def test_the_end_of_the_connection_is_marked_and_there_are_no_markers() -> None:
    decoder = decoder_for(IMAGE)
    received(decoder, wire(IMAGE, b"abc"))

    assert decoder.finished
    assert decoder.unused == decoder.held == b""
    assert not encoder_for(IMAGE).keeps_connection
    assert encoder_for(IMAGE).mark(b"1") == b""


@pytest.mark.parametrize("size", [1, 7])
def test_logical_bytes_that_cannot_hold_a_header_are_not_served(size: int) -> None:
    with pytest.raises(UnsupportedError, match=f"TYPE L {size} with STRU P"):
        encoder_for(paged(size))
