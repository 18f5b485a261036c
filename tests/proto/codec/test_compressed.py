from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.errors import ProtocolError, TruncatedError
from fairlead.proto.codec import Representation, decoder_for, encoder_for
from tests.proto.codec.ways import file, markers, octets, received, wire
from tests.proto.cuts import cuts

IMAGE = Representation("I", mode="C")
ASCII = Representation("A", mode="C")
EBCDIC = Representation("E", mode="C")
RECORDS = Representation("A", structure="R", mode="C")

RUNS = st.lists(st.tuples(st.sampled_from(b"\0 @a\n"), st.integers(1, 140))).map(
    lambda runs: b"".join(bytes((octet,)) * length for octet, length in runs)
)


@pytest.mark.req("S-959-CMP-1", "S-959-CMP-2", "S-959-CMP-3", "S-959-CMP-4", "S-959-CMP-5", "R-9")
@pytest.mark.parametrize(
    ("representation", "content", "strings"),
    [
        (IMAGE, b"", "00 40 C0"),
        (RECORDS, b"", "00 40 C0"),
        (IMAGE, b"z", "01 7A 00 40 C0"),
        (IMAGE, b"abc", "03 616263 00 40 C0"),
        (IMAGE, b"AAAAA", "85 41 00 40 C0"),
        (IMAGE, b"AAA", "03 414141 00 40 C0"),
        (IMAGE, b"\0\0\0", "C3 00 40 C0"),
        (IMAGE, b"\0\0", "02 0000 00 40 C0"),
        (ASCII, b"a    b", "01 61 C4 01 62 00 40 C0"),
        (EBCDIC, b"a    b", "01 81 C4 01 82 00 40 C0"),
        (Representation("L", mode="C", size=36), b"\0" * 5, "C5 00 40 C0"),
        (IMAGE, b"    ", "84 20 00 40 C0"),
        (ASCII, b"\0\0\0\0", "84 00 00 40 C0"),
        (IMAGE, b"x" * 63, "BF 78 00 40 C0"),
        (IMAGE, b"x" * 64, "BF 78 81 78 00 40 C0"),
        (IMAGE, b"x" * 127, "BF 78 BF 78 81 78 00 40 C0"),
        (IMAGE, b"\0" * 64, "FF C1 00 40 C0"),
        (IMAGE, bytes(range(1, 128)), "7F" + bytes(range(1, 128)).hex() + "00 40 C0"),
        (IMAGE, bytes(range(1, 129)), "7F" + bytes(range(1, 128)).hex() + "01 80 00 40 C0"),
        (RECORDS, b"a\nb\n", "00 80 01 61 00 80 01 62 00 40 C0"),
        (RECORDS, b"a\nb", "00 80 01 61 01 62 00 40 C0"),
        (RECORDS, b"\n\n", "00 80 C0 00 80 C0 00 40 C0"),
        (RECORDS, b"xxxxx\n", "00 80 85 78 00 40 C0"),
    ],
)
def test_files_are_strings_and_runs(representation: Representation, content: bytes, strings: str) -> None:
    assert wire(representation, content) == bytes.fromhex(strings)


@pytest.mark.req("S-959-CMP-1", "S-959-CMP-2", "S-959-CMP-3", "S-959-CMP-4", "S-959-CMP-5", "R-9")
@pytest.mark.parametrize(
    ("representation", "strings", "content"),
    [
        (IMAGE, "03 616263 00 40", b"abc"),
        (IMAGE, "00 40 01 7A", b"z"),
        (IMAGE, "03 616263 00 40 C0", b"abc"),
        (IMAGE, "03 616263 00 40 80 99", b"abc"),
        (IMAGE, "00 40", b""),
        (IMAGE, "00 40 C0", b""),
        (IMAGE, "00 40 80 20", b""),
        (IMAGE, "80 41 C0 82 41 00 40 01 7A", b"AAz"),
        (IMAGE, "C3 00 40 C1", b"\0\0\0\0"),
        (ASCII, "C3 00 40 C1", b"    "),
        (EBCDIC, "C2 00 40 01 15", b"  \n"),
        (IMAGE, "00 20 01 61 00 60 01 62", b"ab"),
        (IMAGE, "00 80 01 61 00 C0 01 62", b"ab"),
        (IMAGE, "00 00 01 61 00 40 C0", b"a"),
        (RECORDS, "01 61 00 80 01 62 00 40 C0", b"ab\n"),
        (RECORDS, "01 61 00 80 C0 00 C0 C0", b"a\n\n"),
        (RECORDS, "00 80 00 40 01 61", b"a\n"),
        (RECORDS, "01 61 00 C0", b"a\n"),
        (RECORDS, "01 61 00 80 00 40", b"a\n"),
    ],
)
def test_all_ways_to_say_a_file_are_taken(representation: Representation, strings: str, content: bytes) -> None:
    for pieces in cuts(bytes.fromhex(strings)):
        assert file(representation, *pieces) == content, pieces


@pytest.mark.req("S-959-CMP-1", "S-959-CMP-2", "S-959-CMP-3")
@pytest.mark.parametrize("kind", ["A", "E", "I", "L"])
@pytest.mark.parametrize("structure", ["F", "R"])
@given(content=RUNS)
def test_every_file_survives_the_way_there_and_back(kind: str, structure: str, content: bytes) -> None:
    representation = Representation(kind, structure=structure, mode="C")
    strings = wire(representation, content)

    assert file(representation, strings) == content
    assert file(representation, *(bytes((octet,)) for octet in strings)) == content


@given(RUNS)
def test_no_file_becomes_much_longer(content: bytes) -> None:
    assert len(wire(IMAGE, content)) <= len(content) + len(content) // 127 + 5


def test_runs_become_short() -> None:
    assert len(wire(IMAGE, b"\0" * 63_000)) == 1000 + 3
    assert len(wire(IMAGE, b"x" * 63_000)) == 2000 + 3


@pytest.mark.req("S-959-CMP-7")
def test_runs_expand_piece_by_piece() -> None:
    sizes = [len(piece) for piece in decoder_for(IMAGE).decode(b"\xff" * 100_000) if isinstance(piece, bytes)]

    assert sum(sizes) == 6_300_000
    assert max(sizes) < 70_000


@pytest.mark.req("S-959-CMP-4")
@pytest.mark.parametrize("after", ["", "01", "C0"])
def test_the_end_is_marked_and_what_follows_belongs_to_the_next_transfer(after: str) -> None:
    assert encoder_for(IMAGE).keeps_connection
    for pieces in cuts(bytes.fromhex("00 40 01 7A" + after)):
        decoder = decoder_for(IMAGE)
        out = [piece for data in pieces for piece in decoder.decode(data)]
        assert (octets(out), decoder.finished, decoder.unused) == (b"z", True, bytes.fromhex(after)), pieces
        assert decoder.close() == b""


@pytest.mark.parametrize(
    "strings", ["", "01", "01 61", "02 61", "81", "00", "01 61 00", "00 40 01", "00 40 81", "00 80"]
)
def test_a_connection_that_ends_before_the_last_string_is_an_error(strings: str) -> None:
    for pieces in cuts(bytes.fromhex(strings)):
        with pytest.raises(TruncatedError, match="before the end of file"):
            file(IMAGE, *pieces)


@pytest.mark.parametrize("descriptor", ["01", "0F", "41"])
def test_a_descriptor_with_a_bit_that_means_nothing_is_an_error(descriptor: str) -> None:
    with pytest.raises(ProtocolError, match=f"0x{descriptor.lower()}"):
        file(IMAGE, bytes.fromhex(f"00 {descriptor} 01 61"))


@pytest.mark.parametrize(("strings", "suspect"), [("00 20 01 61 00 40 C0", True), ("01 61 00 40 C0", False)])
def test_suspect_data_are_remembered(strings: str, suspect: bool) -> None:
    decoder = decoder_for(IMAGE)
    received(decoder, bytes.fromhex(strings))

    assert decoder.suspect is suspect


@pytest.mark.req("S-959-CMP-6", "S-959-RST-1")
@pytest.mark.parametrize(
    ("strings", "content", "texts"),
    [
        ("01 61 00 10 02 3132 00 40 01 62", b"ab", [b"12"]),
        ("00 10 01 31 00 10 84 32 00 40 C0", b"", [b"1", b"2222"]),
        ("01 61 00 50 01 31", b"a", [b"1"]),
    ],
)
def test_markers_are_no_part_of_the_file(strings: str, content: bytes, texts: list[bytes]) -> None:
    for pieces in cuts(bytes.fromhex(strings)):
        out = received(decoder_for(IMAGE), *pieces)
        assert (octets(out), markers(out)) == (content, texts), pieces


@pytest.mark.req("S-959-CMP-6")
def test_a_marker_that_is_sent_stands_between_strings() -> None:
    encoder = encoder_for(RECORDS)
    sent = encoder.encode(b"a\n") + encoder.mark(b"2") + encoder.encode(b"b") + encoder.finish()

    assert sent == bytes.fromhex("00 80 01 61  00 10 01 32  01 62  00 40 C0")
    assert encoder_for(IMAGE).mark(b"0") == bytes.fromhex("00 10 01 30")
