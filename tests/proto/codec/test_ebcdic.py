from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.proto.codec import Representation
from fairlead.proto.codec.ebcdic import FROM_EBCDIC, TO_EBCDIC, EbcdicDecoder, EbcdicEncoder
from tests.proto.codec.ways import file, wire

EBCDIC = Representation("E")


@pytest.mark.req("S-959-TYPE-5", "R-12")
def test_every_octet_has_one_of_its_own() -> None:
    assert sorted(TO_EBCDIC) == sorted(FROM_EBCDIC) == list(range(256))
    assert all(FROM_EBCDIC[TO_EBCDIC[octet]] == octet for octet in range(256))


@pytest.mark.req("S-959-TYPE-5", "R-12")
@pytest.mark.parametrize(
    ("text", "octets"),
    [
        (b"Hello, World.\n", "C8 85 93 93 96 6B 40 E6 96 99 93 84 4B 15"),
        (b"0123456789", "F0 F1 F2 F3 F4 F5 F6 F7 F8 F9"),
        (b"AIJRSZaijrsz", "C1 C9 D1 D9 E2 E9 81 89 91 99 A2 A9"),
        (b"\0\t\r\x1b", "00 05 0D 27"),
        (b"\n\x85", "15 25"),
        (b"\xff", "DF"),
    ],
)
def test_text_is_code_page_037_with_nl_at_the_end_of_a_line(text: bytes, octets: str) -> None:
    assert wire(EBCDIC, text) == bytes.fromhex(octets)
    assert file(EBCDIC, bytes.fromhex(octets)) == text


@pytest.mark.req("S-959-TYPE-5")
@given(st.lists(st.binary()))
def test_every_file_survives_the_way_there_and_back(pieces: list[bytes]) -> None:
    assert file(EBCDIC, wire(EBCDIC, *pieces)) == b"".join(pieces)


@pytest.mark.req("S-959-TYPE-5", "S-959-TYPE-4")
@pytest.mark.parametrize("form", "NTC")
def test_the_format_changes_nothing(form: str) -> None:
    text = b"1new page\n next line\n0after a blank one\n+over it\n"

    assert wire(Representation("E", form), text) == wire(EBCDIC, text)


def test_the_end_is_the_end_of_the_connection_and_there_are_no_markers() -> None:
    assert not EbcdicEncoder().keeps_connection
    assert EbcdicEncoder().mark(b"1") == b""
    assert (EbcdicDecoder().finished, EbcdicDecoder().unused, EbcdicDecoder().held) == (False, b"", b"")
