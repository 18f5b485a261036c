from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.errors import ProtocolError, TruncatedError
from fairlead.proto.codec import Representation, decoder_for, encoder_for
from fairlead.proto.codec.base import Marker
from fairlead.proto.codec.block import BLOCK
from tests.proto.codec.ways import file, markers, octets, received, sent, wire
from tests.proto.cuts import cuts

IMAGE = Representation("I", mode="B")
ASCII = Representation("A", mode="B")
RECORDS = Representation("A", structure="R", mode="B")


@pytest.mark.req("S-959-BLK-1", "S-959-BLK-2", "S-959-BLK-3", "S-959-BLK-5")
@pytest.mark.parametrize(
    ("representation", "content", "blocks"),
    [
        (IMAGE, b"", "40 0000"),
        (IMAGE, b"abc", "40 0003 616263"),
        (ASCII, b"a\n", "40 0003 610D0A"),
        (Representation("E", mode="B"), b"a\n", "40 0002 8115"),
        (Representation("L", mode="B", size=16), b"a", "00 0001 61  40 0001 00"),
        (RECORDS, b"", "40 0000"),
        (RECORDS, b"a\nb\n", "80 0001 61  C0 0001 62"),
        (RECORDS, b"a\nb", "80 0001 61  40 0001 62"),
        (RECORDS, b"a\n\n", "80 0001 61  C0 0000"),
        (RECORDS, b"\n\na\n", "80 0000  80 0000  C0 0001 61"),
        (RECORDS, b"\xff\n", "C0 0001 FF"),
        (Representation("E", structure="R", mode="B"), b"a\n", "C0 0001 81"),
        (Representation("I", structure="R", mode="B"), b"a\n", "C0 0001 61"),
    ],
)
def test_each_block_has_a_descriptor_and_a_count(representation: Representation, content: bytes, blocks: str) -> None:
    assert wire(representation, content) == bytes.fromhex(blocks)


@pytest.mark.req("S-959-BLK-1")
def test_long_data_are_cut_into_blocks() -> None:
    content = bytes(range(256)) * (BLOCK // 128)
    first, second = content[:BLOCK], content[BLOCK:]

    assert wire(IMAGE, content) == b"\0\x80\0" + first + b"\x40\x80\0" + second
    assert wire(IMAGE, content + b"x") == b"\0\x80\0" + first + b"\0\x80\0" + second + b"\x40\0\1x"


@pytest.mark.req("S-959-BLK-2", "S-959-BLK-3", "S-959-BLK-4", "S-959-BLK-5", "S-959-BLK-8")
@pytest.mark.parametrize(
    ("representation", "blocks", "content"),
    [
        (IMAGE, "40 0000", b""),
        (IMAGE, "00 0003 616263  40 0000", b"abc"),
        (IMAGE, "00 0002 6162  40 0001 63", b"abc"),
        (IMAGE, "00 0000  00 0001 61  00 0000  40 0000", b"a"),
        (IMAGE, "20 0002 6162  60 0001 63", b"abc"),
        (IMAGE, "80 0001 61  C0 0001 62", b"ab"),
        (ASCII, "00 0002 610D  00 0001 0A  40 0001 0D", b"a\n\r"),
        (RECORDS, "00 0001 61  80 0001 62  C0 0000", b"ab\n\n"),
        (RECORDS, "80 0002 FFFF  40 0001 62", b"\xff\xff\nb"),
        (RECORDS, "00 0001 61  80 0000  40 0000", b"a\n"),
        (RECORDS, "A0 0001 61  40 0000", b"a\n"),
    ],
)
def test_all_ways_to_cut_a_file_into_blocks_are_taken(
    representation: Representation, blocks: str, content: bytes
) -> None:
    for pieces in cuts(bytes.fromhex(blocks)):
        assert file(representation, *pieces) == content, pieces


@pytest.mark.req("S-959-BLK-4")
@pytest.mark.parametrize("size", [0, 1, 65534, 65535])
def test_blocks_of_every_length_are_taken(size: int) -> None:
    content = bytes(range(256)) * 256
    wire = b"\0" + size.to_bytes(2) + content[:size] + b"\x40\0\0"

    assert file(IMAGE, *(wire[at : at + 777] for at in range(0, len(wire), 777))) == content[:size]


@pytest.mark.req("S-959-BLK-8")
@pytest.mark.parametrize(("descriptor", "suspect"), [("00", False), ("20", True), ("A0", True), ("80", False)])
def test_suspect_data_are_remembered(descriptor: str, suspect: bool) -> None:
    decoder = decoder_for(IMAGE)
    received(decoder, bytes.fromhex(f"{descriptor} 0001 61  40 0000"))

    assert decoder.suspect is suspect


@pytest.mark.req("S-959-BLK-6")
def test_the_end_is_marked_and_what_follows_belongs_to_the_next_transfer() -> None:
    assert encoder_for(IMAGE).keeps_connection
    for pieces in cuts(bytes.fromhex("40 0001 61  00 00")):
        decoder = decoder_for(IMAGE)
        out = [piece for data in pieces for piece in decoder.decode(data)]
        assert (octets(out), decoder.finished, decoder.unused) == (b"a", True, b"\0\0"), pieces


@pytest.mark.req("S-959-BLK-7")
@pytest.mark.parametrize("blocks", ["", "00", "00 0001", "00 0001 61", "40 0002 61", "40 00", "10 0001 31", "80 0000"])
def test_a_connection_that_ends_before_the_last_block_is_an_error(blocks: str) -> None:
    for pieces in cuts(bytes.fromhex(blocks)):
        with pytest.raises(TruncatedError, match="before the end of file"):
            file(IMAGE, *pieces)


@pytest.mark.parametrize("descriptor", ["01", "0F", "48", "61"])
def test_a_descriptor_with_a_bit_that_means_nothing_is_an_error(descriptor: str) -> None:
    with pytest.raises(ProtocolError, match=f"0x{descriptor.lower()}"):
        file(IMAGE, bytes.fromhex(f"{descriptor} 0001 61"))


@pytest.mark.req("S-959-RST-1")
@pytest.mark.parametrize(
    ("blocks", "content", "texts"),
    [
        ("00 0001 61  10 0002 3132  40 0001 62", b"ab", [b"12"]),
        ("10 0001 31  10 0001 32  40 0000", b"", [b"1", b"2"]),
        ("00 0001 61  50 0001 31", b"a", [b"1"]),
        ("10 0000  40 0000", b"", [b""]),
    ],
)
def test_markers_are_no_part_of_the_file(blocks: str, content: bytes, texts: list[bytes]) -> None:
    for pieces in cuts(bytes.fromhex(blocks)):
        out = received(decoder_for(IMAGE), *pieces)
        assert (octets(out), markers(out)) == (content, texts), pieces


def test_a_marker_stands_at_its_place_and_what_is_held_there_is_known() -> None:
    for pieces in cuts(bytes.fromhex("00 0002 610D  10 0001 6D  00 0001 0A  10 0001 6E  40 0000")):
        decoder = decoder_for(ASCII)
        came = b""
        seen = []
        for data in pieces:
            for piece in decoder.decode(data):
                if isinstance(piece, Marker):
                    seen.append((piece.text, came, decoder.held))
                else:
                    came += piece
        assert seen == [(b"m", b"a", b"\r"), (b"n", b"a\n", b"")], pieces


def test_a_marker_that_is_sent_stands_between_blocks() -> None:
    encoder = encoder_for(RECORDS)
    sent_so_far = encoder.encode(b"a\n") + encoder.mark(b"2") + encoder.encode(b"b") + encoder.finish()

    assert sent_so_far == bytes.fromhex("80 0001 61  10 0001 32  40 0001 62")
    assert encoder_for(IMAGE).mark(b"0") == bytes.fromhex("10 0001 30")


def test_a_marker_that_is_too_long_is_an_error_before_it_is_all_there() -> None:
    out = received(decoder_for(IMAGE), b"\x10\0\xff" + b"1" * 255 + b"\x40\0\0")
    assert markers(out) == [b"1" * 255]
    with pytest.raises(ProtocolError, match="256 octets"):
        list(decoder_for(IMAGE).decode(b"\x10\1\0"))


@pytest.mark.parametrize("structure", ["F", "R"])
@given(pieces=st.lists(st.lists(st.sampled_from([b"\n", b"a", b"\r", b"\xff"]), max_size=5).map(b"".join), max_size=4))
def test_every_file_survives_the_way_there_and_back(structure: str, pieces: list[bytes]) -> None:
    representation = Representation("A", structure=structure, mode="B")
    blocks = sent(encoder_for(representation), *pieces)
    for data in cuts(blocks):
        assert file(representation, *data) == b"".join(pieces), data


def test_many_short_records_come_in_few_pieces() -> None:
    content = b"short\n" * 50_000
    pieces = [
        len(piece) for piece in received(decoder_for(RECORDS), wire(RECORDS, content)) if isinstance(piece, bytes)
    ]

    assert sum(pieces) == len(content)
    assert len(pieces) < 10
    assert max(pieces) < 70_000
