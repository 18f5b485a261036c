from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.proto.telnet import LineReader, LineTooLong
from tests.proto.cuts import cuts


def read(*pieces: bytes, limit: int = 100) -> list[bytes | LineTooLong]:
    reader = LineReader(limit)
    return [line for piece in pieces for line in reader.feed(piece)]


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        (b"", []),
        (b"ab\r\n", [b"ab"]),
        (b"ab\n", [b"ab"]),
        (b"\r\n\n", [b"", b""]),
        (b"a\r\nb\r\nc", [b"a", b"b"]),
        (b"a\rb\r\n", [b"a\rb"]),
        (b"a\r\r\n", [b"a\r"]),
        (b"a\r\0b\r\n", [b"a\rb"]),
        (b"a\r\0\r\n", [b"a\r"]),
        (b"a\r\0\nb\r\n", [b"a\r\nb"]),
        (b"a\r\0\n\nb\r\n", [b"a\r\n", b"b"]),
        (b"a\r\0\0\r\n", [b"a\r\0"]),
        (b"a\0b\r\n", [b"a\0b"]),
        (b"\0\r\n", [b"\0"]),
        (b"a\xff\xffb\r\n", [b"a\xffb"]),
        (b"\xff\xff\r\n", [b"\xff"]),
        (b"\xff\xff\xff\xff\r\n", [b"\xff\xff"]),
        (b"\xff\xf1a\r\n", [b"a"]),
        (b"a\xff\xf1b\r\n", [b"ab"]),
        (b"\xff\xfb\x01a\xff\xfc\x01b\xff\xfd\x01c\xff\xfe\x01d\r\n", [b"abcd"]),
        (b"\xff\xfd\nab\r\n", [b"ab"]),
        (b"\xff\xfd\xffab\r\n", [b"ab"]),
        (b"\xff\xfa\x18\x00\r\n\xff\xf0ab\r\n", [b"ab"]),
        (b"\xff\xfa\x18\xff\xff\xf0\xff\xf0ab\r\n", [b"ab"]),
        (b"a\r\xff\xf1\nb\n", [b"a", b"b"]),
        (b"\xffab\r\n", [b"ab"]),
        (b"ab\xffcd\r\n", [b"ab\xffcd"]),
        (b"a\xff\r\nb\r\n", [b"a\xff", b"b"]),
        (b"a\xff\r\0b\r\n", [b"a\xff\rb"]),
        (b"\xff\r\nb\r\n", [b"", b"b"]),
        (b"a\xff\n", [b"a\xff"]),
        (b"a\xff\0\n", [b"a\xff\0"]),
    ],
)
def test_lines_are_the_same_however_the_octets_arrive(data: bytes, lines: list[bytes]) -> None:
    for pieces in cuts(data):
        assert read(*pieces) == lines, pieces


@pytest.mark.req("S-1123-TEL-1")
def test_every_option_is_refused_and_nothing_else_is_answered() -> None:
    reader = LineReader(100)
    reader.feed(b"\xff\xfb\x01\xff\xfc\x02\xff\xfd\x03\xff\xfe\x04\xff\xfa\x18\x01\xff\xf0\xff\xf6NOOP\r\n")

    assert reader.take_answers() == b"\xff\xfe\x01\xff\xfc\x03"
    assert reader.take_answers() == b""


def test_a_line_of_just_the_limit_passes() -> None:
    for pieces in cuts(b"12345\r\n67890\n"):
        assert read(*pieces, limit=5) == [b"12345", b"67890"]


def test_a_longer_line_is_reported_once_with_its_length_and_reading_goes_on_after_it() -> None:
    for pieces in cuts(b"123456\r\nab\r\n\xff\xff23456789\ncd\r\n"):
        assert read(*pieces, limit=5) == [LineTooLong(6), b"ab", LineTooLong(9), b"cd"], pieces


def test_the_cr_of_a_line_end_does_not_count_but_any_other_does() -> None:
    for pieces in cuts(b"1234\r\r\n12345\r\r\n12345\r\0\r\n"):
        assert read(*pieces, limit=5) == [b"1234\r", LineTooLong(6), LineTooLong(6)]


@pytest.mark.req("S-SEC-7")
def test_a_line_without_end_takes_no_more_memory_than_the_limit() -> None:
    reader = LineReader(1000)
    for _ in range(10):
        reader.feed(b"x" * 1000)
        reader.feed(b"\xff\xff" * 1000)

    assert len(reader._line) <= 1001
    assert reader.feed(b"\n") == [LineTooLong(20_000)]


def test_it_is_idle_only_between_lines_and_outside_of_telnet_commands() -> None:
    reader = LineReader(100)
    assert reader.idle
    for octets in (b"a", b"\xff", b"\xfd", b"\x01", b"\r", b"\0"):
        reader.feed(octets)
        assert not reader.idle, octets
    reader.feed(b"\r\n")
    assert reader.idle


@given(st.lists(st.binary(max_size=12).filter(lambda line: b"\n" not in line), max_size=6))
def test_what_is_encoded_as_telnet_demands_is_read_as_it_was(lines: list[bytes]) -> None:
    data = b"".join(line.replace(b"\r", b"\r\0").replace(b"\xff", b"\xff\xff") + b"\r\n" for line in lines)
    for pieces in cuts(data):
        assert read(*pieces) == lines, pieces


@given(
    st.lists(
        st.sampled_from([b"\r", b"\n", b"\0", b"\xff", b"\xfa", b"\xf0", b"\xf1", b"\xfb", b"\xfd", b"a"]), max_size=12
    )
)
def test_any_octets_are_read_the_same_however_they_arrive(octets: list[bytes]) -> None:
    data = b"".join(octets)
    expected = read(data, limit=3)
    for pieces in cuts(data):
        assert read(*pieces, limit=3) == expected, pieces
