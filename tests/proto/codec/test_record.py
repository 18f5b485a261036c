from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.errors import ProtocolError, TruncatedError
from fairlead.proto.codec import Representation, decoder_for, encoder_for
from tests.proto.codec.ways import file, wire
from tests.proto.cuts import cuts

TYPES = ["A", "E", "I", "L"]
FILES = st.lists(st.sampled_from([b"\n", b"\r", b"a", b"\xff", b"\x01", b"\x02", b"\x15"]), max_size=9).map(b"".join)


def records(kind: str = "A") -> Representation:
    return Representation(kind, structure="R")


CODES = [
    (b"", "FF02"),
    (b"a\nb\n", "61 FF01 62 FF03"),
    (b"a\nb", "61 FF01 62 FF02"),
    (b"a", "61 FF02"),
    (b"\n", "FF03"),
    (b"\n\n", "FF01 FF03"),
    (b"\xff", "FFFF FF02"),
    (b"\xff\n", "FFFF FF03"),
    (b"\xff\x01\n\xff\xff\n", "FFFF 01 FF01 FFFF FFFF FF03"),
    (b"a\r\n", "61 0D FF03"),
]


@pytest.mark.req("S-959-STRU-3", "S-959-STRU-4", "S-1123-STRU-5", "R-13")
@pytest.mark.parametrize("kind", ["A", "I", "L"])
@pytest.mark.parametrize(("content", "octets"), CODES)
def test_ends_of_records_and_of_the_file_are_control_codes(kind: str, content: bytes, octets: str) -> None:
    for pieces in cuts(content):
        assert wire(records(kind), *pieces) == bytes.fromhex(octets), pieces
    for pieces in cuts(bytes.fromhex(octets)):
        assert file(records(kind), *pieces) == content, pieces


@pytest.mark.req("S-959-STRU-3", "S-959-TYPE-5")
def test_records_of_ebcdic_have_no_nl() -> None:
    assert wire(records("E"), b"a\n\x9f") == bytes.fromhex("81 FF01 FFFF FF02")
    assert file(records("E"), bytes.fromhex("81 FF01 FFFF FF02")) == b"a\n\x9f"


@pytest.mark.req("S-1123-STRU-5")
@pytest.mark.parametrize("kind", TYPES)
@given(pieces=st.lists(FILES, max_size=4))
def test_every_file_survives_the_way_there_and_back(kind: str, pieces: list[bytes]) -> None:
    sent = wire(records(kind), *pieces)
    for data in cuts(sent):
        assert file(records(kind), *data) == b"".join(pieces), data


@pytest.mark.req("S-1123-STRU-5")
@pytest.mark.parametrize("kind", TYPES)
@given(st.lists(st.binary(max_size=4).filter(lambda record: b"\n" not in record and b"\x15" not in record)))
def test_records_without_line_ends_in_them_come_back_as_they_were(kind: str, content: list[bytes]) -> None:
    escaped = [record.replace(b"\xff", b"\xff\xff") for record in content]
    sent = b"\xff\x01".join(escaped) + (b"\xff\x03" if escaped else b"\xff\x02")

    assert wire(records(kind), file(records(kind), sent)) == sent


@pytest.mark.req("S-959-STRU-3")
@pytest.mark.parametrize("octets", ["61 FF01 FF02", "61 FF03"])
def test_the_last_ends_may_come_apart_or_as_one(octets: str) -> None:
    for pieces in cuts(bytes.fromhex(octets)):
        assert file(records(), *pieces) == b"a\n", pieces


@pytest.mark.req("S-959-STRU-6")
@pytest.mark.parametrize("octets", ["", "61", "61 FF01", "61 FF", "FFFF", "61 FF01 FF"])
def test_an_end_of_the_connection_without_that_of_the_file_is_an_error(octets: str) -> None:
    for pieces in cuts(bytes.fromhex(octets)):
        with pytest.raises(TruncatedError, match="before the end of file"):
            file(records(), *pieces)


@pytest.mark.req("S-959-STRU-7")
@pytest.mark.parametrize("code", [0, 4, 5, 0x10, 0x61, 0x7F, 0x80, 0xFE])
@pytest.mark.parametrize("before", [b"", b"a", b"\xff\xff", b"\xff\x01", b"\xff\xff\xff\xff"])
def test_any_other_control_code_is_an_error(code: int, before: bytes) -> None:
    for pieces in cuts(before + bytes((0xFF, code, 0x61))):
        with pytest.raises(ProtocolError, match=f"FF {code:02X} is no control code"):
            file(records(), *pieces)


@pytest.mark.parametrize("rest", [b"a", b"\xff", b"\xff\x02"])
def test_octets_after_the_end_are_an_error(rest: bytes) -> None:
    decoder = decoder_for(records())
    with pytest.raises(ProtocolError, match="after the end"):
        list(decoder.decode(b"\xff\x02" + rest))

    decoder = decoder_for(records())
    assert list(decoder.decode(b"\xff\x02")) == [b""]
    assert list(decoder.decode(b"")) == [b""]
    with pytest.raises(ProtocolError, match="after the end"):
        list(decoder.decode(rest))


def test_the_connection_ends_with_the_file_and_there_are_no_markers() -> None:
    assert not encoder_for(records()).keeps_connection
    assert encoder_for(records()).mark(b"1") == b""
