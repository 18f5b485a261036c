"""Every type with every structure in every mode."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairlead.errors import TruncatedError
from fairlead.proto.codec import (
    Representation,
    decoder_for,
    encoder_for,
    is_identity,
    stream_decoder,
    transmitted_length,
)
from fairlead.proto.codec.base import Marker
from tests.proto.codec.ways import file, markers, octets, received, sent, wire
from tests.proto.cuts import cuts

TYPES = [("A", "N", 8), ("A", "C", 8), ("E", "T", 8), ("I", "N", 8), ("L", "N", 7), ("L", "N", 36)]
EVERY = [
    Representation(kind, form, structure, mode, size)
    for kind, form, size in TYPES
    for structure in "FRP"
    for mode in "SBCZ"
    if structure != "P" or size >= 8
]
MARKED = [each for each in EVERY if each.mode in "BC"]
NAMES = {each: f"{each.type} {each.form}{each.size} {each.structure} {each.mode}" for each in EVERY}

FILES = st.lists(st.sampled_from([b"\n", b"\r", b"a", b"\xff", b"\0", b"    ", b"\x15", b"1"]), max_size=8).map(
    b"".join
)


def whole(representation: Representation, content: bytes) -> bytes:
    """``content`` filled up to what is a whole number of logical bytes."""
    if representation.type != "L" or representation.structure == "R":
        return content
    return wire(representation._replace(structure="F", mode="S"), content)


@pytest.mark.req("S-959-TYPE-4", "S-959-TYPE-5", "S-959-TYPE-9", "S-959-BLK-5", "C-959-XFER-4")
@pytest.mark.parametrize("representation", EVERY, ids=NAMES.get)
@settings(max_examples=15)
@given(pieces=st.lists(FILES, max_size=3))
def test_a_file_survives_the_way_there_and_back(representation: Representation, pieces: list[bytes]) -> None:
    content = whole(representation, b"".join(pieces))
    back = file(representation, wire(representation, *pieces))

    assert back.rstrip(b"\0") == content.rstrip(b"\0") if representation.structure == "P" else back == content


@pytest.mark.parametrize("representation", EVERY, ids=NAMES.get)
def test_it_can_be_cut_anywhere(representation: Representation) -> None:
    content = b"1a\n \xff\xff\n\r\n    x\r"
    for pieces in cuts(wire(representation, content)):
        assert file(representation, *pieces).rstrip(b"\0") == content, pieces


@pytest.mark.parametrize("representation", EVERY, ids=NAMES.get)
def test_the_length_is_known_beforehand_or_not_at_all(representation: Representation) -> None:
    stream = representation._replace(mode="S")
    for content in (b"", b"a\n", b"\n" * 9, bytes(1000)):
        length = transmitted_length(representation, len(content))
        assert length in {None, len(wire(stream, content))}
        if is_identity(representation):
            assert length == len(content)


ENDED = [each for each in EVERY if each.structure != "F" or each.mode != "S"]


@pytest.mark.req("S-959-STRU-6", "S-959-BLK-7")
@pytest.mark.parametrize("representation", ENDED, ids=NAMES.get)
def test_a_connection_that_ends_too_early_is_told_from_one_that_ends_in_time(representation: Representation) -> None:
    whole_file = wire(representation, b"a\nb")
    for end in range(len(whole_file)):
        if representation.mode == "C" and end == len(whole_file) - 1:
            assert file(representation, whole_file[:end]) == file(representation, whole_file)
            continue
        with pytest.raises(TruncatedError):
            file(representation, whole_file[:end])


@pytest.mark.req("S-959-RST-1")
@pytest.mark.parametrize("representation", MARKED, ids=NAMES.get)
@settings(max_examples=15)
@given(data=st.data())
def test_a_marker_that_is_sent_comes_at_its_place(representation: Representation, data: st.DataObject) -> None:
    if representation.structure == "P":
        return
    before, after = data.draw(FILES), data.draw(FILES)
    encoder = encoder_for(representation)
    framed = encoder.encode(before) + encoder.mark(b"here") + encoder.encode(after) + encoder.finish()
    decoder = decoder_for(representation)
    out = received(decoder, framed)
    place = out.index(Marker(b"here"))

    assert octets(out) == whole(representation, before + after)
    assert markers(out) == [b"here"]
    assert octets(out[:place]) in {before, before.removesuffix(b"\r")}


@pytest.mark.req("S-1123-RST-4")
@pytest.mark.parametrize("representation", [each for each in MARKED if each.structure != "P"], ids=NAMES.get)
@settings(max_examples=15)
@given(data=st.data())
def test_a_receiver_goes_on_at_a_marker_with_what_was_held_there(
    representation: Representation, data: st.DataObject
) -> None:
    before, after = data.draw(FILES), data.draw(FILES)
    encoder = encoder_for(representation)
    first = encoder.encode(before) + encoder.mark(b"here")
    decoder = decoder_for(representation)
    stored, held = b"", b""
    for piece in decoder.decode(first):
        if isinstance(piece, Marker):
            held = decoder.held
        else:
            stored += piece
    rest = sent(encoder_for(representation, start=len(before)), after)
    stored += octets(received(decoder_for(representation, held=held), rest))

    assert stored == whole(representation, before + after)


@pytest.mark.req("S-3659-REST-3")
@pytest.mark.parametrize("representation", [each for each in EVERY if each.mode in "SZ"], ids=NAMES.get)
@settings(max_examples=15)
@given(data=st.data())
def test_a_receiver_goes_on_anywhere_with_a_decoder_that_had_what_came_before(
    representation: Representation, data: st.DataObject
) -> None:
    content = data.draw(FILES)
    stream = representation._replace(mode="S")
    framed = wire(stream, content)
    at = data.draw(st.integers(0, len(framed)))
    begun = stream_decoder(stream)
    stored = octets(list(begun.decode(framed[:at])))
    rest = framed[at:]
    if representation.mode == "Z":
        rest = wire(Representation("I", mode="Z"), rest)
    stored += octets(received(decoder_for(representation, begun=begun), rest))

    assert stored.rstrip(b"\0") == whole(representation, content).rstrip(b"\0")
