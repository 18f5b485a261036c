from __future__ import annotations

import pytest

from fairlead.errors import ArgumentError
from fairlead.proto.hashes import HashReply, parse_checksum_reply, parse_hash_feature, parse_hash_reply

pytestmark = pytest.mark.req("C-HASH-1")


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("SHA-256 0-49 6162AF a b  c.txt", HashReply("SHA-256", 0, 49, "6162af", "a b  c.txt")),
        ("sha-1 5-18446744073709551615 00 x", HashReply("SHA-1", 5, 2**64 - 1, "00", "x")),
        ("MD5 0-0 ff", HashReply("MD5", 0, 0, "ff", "")),
    ],
)
def test_hash_reply(text: str, parts: HashReply) -> None:
    assert parse_hash_reply(text) == parts


@pytest.mark.parametrize("text", ["", "SHA-256", "SHA-256 0-49", "SHA-256 49 aa f", "SHA-256 0-49 xyz f", "0-49 aa f"])
def test_what_is_no_hash_reply(text: str) -> None:
    with pytest.raises(ArgumentError, match="no hash"):
        parse_hash_reply(text)


@pytest.mark.parametrize(
    ("parameters", "names", "current"),
    [
        ("SHA-256*;SHA-512;SHA-1;", ("SHA-256", "SHA-512", "SHA-1"), "SHA-256"),
        ("CRC32;MD5;sha-1*", ("CRC32", "MD5", "SHA-1"), "SHA-1"),
        ("MD5", ("MD5",), None),
        ("", (), None),
    ],
)
def test_star_marks_the_current_algorithm(parameters: str, names: tuple[str, ...], current: str | None) -> None:
    assert parse_hash_feature(parameters) == (names, current)


@pytest.mark.parametrize(
    ("text", "digits", "digest"),
    [
        ("00AB12FF", 8, "00ab12ff"),
        ("AB12FF", 8, "00ab12ff"),
        ("XCRC 00ab12ff", 8, "00ab12ff"),
        ('"/f" ' + "A" * 32, 32, "a" * 32),
    ],
)
def test_checksum_reply(text: str, digits: int, digest: str) -> None:
    assert parse_checksum_reply(text, digits) == digest


@pytest.mark.parametrize(("text", "digits"), [("", 8), ("done", 8), ("abc def", 8), ("abc", 32), ("123456789", 8)])
def test_what_is_no_checksum_reply(text: str, digits: int) -> None:
    with pytest.raises(ArgumentError, match="no checksum"):
        parse_checksum_reply(text, digits)
