from __future__ import annotations

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.errors import ProtocolError, TruncatedError
from fairlead.proto.codec import Representation, decoder_for, encoder_for
from fairlead.proto.codec.deflate import LEVELS
from tests.proto.codec.ways import file, received, sent, wire
from tests.proto.cuts import cuts

IMAGE = Representation("I", mode="Z")
ASCII = Representation("A", mode="Z")
RECORDS = Representation("A", structure="R", mode="Z")


@pytest.mark.req("S-ZLIB-1", "S-ZLIB-3")
@pytest.mark.parametrize(
    ("representation", "content", "stream"),
    [
        (IMAGE, b"abc\n", b"abc\n"),
        (IMAGE, b"", b""),
        (ASCII, b"abc\n", b"abc\r\n"),
        (Representation("E", mode="Z"), b"a\n", b"\x81\x15"),
        (Representation("L", mode="Z", size=32), b"a", b"a\0\0\0"),
        (RECORDS, b"a\nb\n", b"a\xff\x01b\xff\x03"),
        (Representation("I", structure="P", mode="Z"), b"a", b"\4\0\1\1a\4\0\0\0"),
    ],
)
def test_what_stream_mode_sends_is_one_zlib_stream(
    representation: Representation, content: bytes, stream: bytes
) -> None:
    assert zlib.decompress(wire(representation, content)) == stream


@pytest.mark.req("S-ZLIB-3")
@pytest.mark.parametrize("representation", [IMAGE, ASCII, RECORDS])
def test_a_stream_can_be_cut_anywhere(representation: Representation) -> None:
    for pieces in cuts(wire(representation, b"ab\r\n\ncd")):
        assert file(representation, *pieces) == b"ab\r\n\ncd", pieces


@pytest.mark.req("S-ZLIB-2")
def test_a_higher_level_makes_it_shorter_and_level_0_not_at_all() -> None:
    content = b"".join(b"line %d of some text\n" % number for number in range(5000))
    sizes = [len(sent(encoder_for(IMAGE, level=level), content)) for level in LEVELS]

    assert sizes[0] > len(content) > sizes[1] > sizes[6] >= sizes[9]


@given(st.lists(st.binary(max_size=300), max_size=4), st.sampled_from([IMAGE, ASCII, RECORDS]))
def test_every_file_survives_the_way_there_and_back(pieces: list[bytes], representation: Representation) -> None:
    assert file(representation, wire(representation, *pieces)) == b"".join(pieces)


@pytest.mark.req("S-ZLIB-3", "S-959-CMP-7")
def test_a_long_output_of_a_short_input_comes_in_pieces() -> None:
    stream = wire(IMAGE, bytes(10_000_000))
    sizes = [len(piece) for piece in decoder_for(IMAGE).decode(stream) if isinstance(piece, bytes)]

    assert len(stream) < 20_000
    assert sum(sizes) == 10_000_000
    assert max(sizes) <= 1 << 16


@pytest.mark.req("S-ZLIB-3")
@pytest.mark.parametrize("stream", [b"no zlib stream", b"\x78\x9c\xff\xff\xff", zlib.compress(b"abc")[:-1] + b"\0"])
def test_what_is_no_zlib_stream_is_an_error(stream: bytes) -> None:
    for pieces in cuts(stream):
        with pytest.raises(ProtocolError, match="no zlib stream"):
            received(decoder_for(IMAGE), *pieces)


def test_octets_after_the_stream_are_an_error() -> None:
    stream = wire(IMAGE, b"abc")
    with pytest.raises(ProtocolError, match="after the end of the zlib stream"):
        received(decoder_for(IMAGE), stream + b"x")

    decoder = decoder_for(IMAGE)
    assert list(decoder.decode(stream)) == [b"abc"]
    assert list(decoder.decode(b"")) == []
    with pytest.raises(ProtocolError, match="after the end of the zlib stream"):
        list(decoder.decode(b"x"))


@pytest.mark.parametrize("representation", [IMAGE, RECORDS])
def test_a_connection_that_ends_before_the_stream_is_an_error(representation: Representation) -> None:
    stream = wire(representation, b"abc")
    for end in range(len(stream)):
        with pytest.raises(TruncatedError, match="before the end of the zlib stream"):
            received(decoder_for(representation), stream[:end])


def test_a_stream_that_ends_before_the_file_is_an_error() -> None:
    with pytest.raises(TruncatedError, match="before the end of file of record structure"):
        received(decoder_for(RECORDS), zlib.compress(b"abc"))


def test_the_end_of_the_stream_is_that_of_the_connection_and_there_are_no_markers() -> None:
    decoder = decoder_for(ASCII)
    assert list(decoder.decode(wire(ASCII, b"abc\r"))) == [b"abc"]

    assert (decoder.finished, decoder.unused, decoder.held, decoder.suspect) == (True, b"", b"\r", False)
    assert decoder.close() == b"\r"
    assert not encoder_for(IMAGE).keeps_connection
    assert encoder_for(IMAGE).mark(b"1") == b""
