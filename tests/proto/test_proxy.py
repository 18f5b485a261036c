"""The PROXY protocol: both versions, as its specification has them, cut anywhere and malformed."""

from __future__ import annotations

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.errors import ProtocolError
from fairlead.proto.proxy import LONGEST_LINE, SIGNATURE, Ends, Proxied, ProxyReader
from tests.proto.cuts import cuts

FOUR = Ends(("192.0.2.1", 56324), ("203.0.113.7", 21))
SIX = Ends(("2001:db8::1", 56324), ("2001:db8::7", 990))


def binary(command: int, family: int, ends: Ends | None = None, more: bytes = b"") -> bytes:
    """A header of version 2; ``more`` follows the addresses."""
    body = b""
    if ends is not None:
        client, called = ends
        body = ip_address(client[0]).packed + ip_address(called[0]).packed
        body += client[1].to_bytes(2) + called[1].to_bytes(2)
    return SIGNATURE + bytes([command, family]) + len(body + more).to_bytes(2) + body + more


TLV = b"\x04\x00\x03\0\0\0\x20\x00\x01x"

HEADERS = [
    (b"PROXY TCP4 192.0.2.1 203.0.113.7 56324 21\r\n", FOUR, False),
    (b"PROXY TCP6 2001:db8::1 2001:0db8:0:0::7 56324 990\r\n", SIX, False),
    (b"PROXY TCP4 0.0.0.0 255.255.255.255 0 65535\r\n", Ends(("0.0.0.0", 0), ("255.255.255.255", 65535)), False),
    (b"PROXY TCP6 ::ffff:192.0.2.1 ::ffff:203.0.113.7 56324 21\r\n", FOUR, False),
    (b"PROXY UNKNOWN\r\n", None, False),
    (b"PROXY UNKNOWN ffff::1 ffff::2 65535 65535\r\n", None, False),
    (b"PROXY UNKNOWN " + b"x" * (LONGEST_LINE - 16) + b"\r\n", None, False),
    (binary(0x21, 0x11, FOUR), FOUR, False),
    (binary(0x21, 0x11, FOUR, TLV), FOUR, False),
    (binary(0x21, 0x21, SIX), SIX, False),
    (binary(0x21, 0x21, SIX, TLV * 5), SIX, False),
    (binary(0x20, 0x00), None, True),
    (binary(0x20, 0x11, FOUR, TLV), None, True),
    (binary(0x21, 0x00, more=TLV), None, False),
    (binary(0x21, 0x12, FOUR), None, False),
    (binary(0x21, 0x31, more=bytes(216)), None, False),
]


def read(pieces: list[bytes]) -> tuple[Proxied, bytes]:
    """The header in ``pieces``, and what follows it."""
    reader = ProxyReader()
    for number, piece in enumerate(pieces):
        if (found := reader.feed(piece)) is not None:
            return found, piece[found.size :] + b"".join(pieces[number + 1 :])
    raise AssertionError


@pytest.mark.parametrize(("header", "ends", "local"), HEADERS)
@pytest.mark.parametrize("rest", [b"", b"USER me\r\n", b"\x16\x03\x01"])
def test_a_header_cut_anywhere_is_read_and_the_rest_is_left(
    header: bytes, ends: Ends | None, local: bool, rest: bytes
) -> None:
    for pieces in cuts(header + rest):
        found, left = read(pieces)
        assert (found.ends, found.local, left) == (ends, local, rest)


@pytest.mark.parametrize("header", [header for header, _, _ in HEADERS])
def test_nothing_is_said_before_the_header_is_whole(header: bytes) -> None:
    for at in range(len(header)):
        assert ProxyReader().feed(header[:at]) is None


NO_HEADERS = [
    b"USER me\r\n", b"P\r\n", b"PROXYTCP4", b"proxy TCP4 192.0.2.1 203.0.113.7 1 2\r\n", b"\r\n\r\n\0\r\nQUIT\r\n",
    b"\x16\x03\x01", b"\0",
    b"PROXY \r\n", b"PROXY TCP4\r\n", b"PROXY TCP5 192.0.2.1 203.0.113.7 1 2\r\n",
    b"PROXY UDP4 1.2.3.4 1.2.3.4 1 2\r\n",
    b"PROXY TCP4 192.0.2.1 203.0.113.7 1\r\n", b"PROXY TCP4 192.0.2.1 203.0.113.7 1 2 3\r\n",
    b"PROXY TCP4  192.0.2.1 203.0.113.7 1 2\r\n", b"PROXY TCP4 192.0.2.1 203.0.113.7 1 2 \r\n",
    b"PROXY TCP4 192.0.2.256 203.0.113.7 1 2\r\n", b"PROXY TCP4 192.0.2.1 host 1 2\r\n",
    b"PROXY TCP4 2001:db8::1 2001:db8::7 1 2\r\n", b"PROXY TCP6 192.0.2.1 203.0.113.7 1 2\r\n",
    b"PROXY TCP6 fe80::1%eth0 2001:db8::7 1 2\r\n", b"PROXY TCP4 192.0.2.1 203.0.113.7 65536 2\r\n",
    b"PROXY TCP4 192.0.2.1 203.0.113.7 01 2\r\n", b"PROXY TCP4 192.0.2.1 203.0.113.7 1 -2\r\n",
    b"PROXY TCP4 192.0.2.1 203.0.113.7 1 \xb2\r\n", b"PROXY TCP4 192.0.2.1 203.0.113.7 1 2\n\r\n",
    b"PROXY UNKNOWN " + b"x" * LONGEST_LINE, b"PROXY UNKNOWN " + b"x" * (LONGEST_LINE - 15) + b"\r\n",
    binary(0x11, 0x11, FOUR), binary(0x22, 0x11, FOUR), binary(0x2F, 0x11, FOUR), binary(0x21, 0x13, FOUR),
    binary(0x21, 0x41, FOUR), binary(0x21, 0x21, FOUR), binary(0x21, 0x11, more=bytes(11)),
]  # fmt: skip


@pytest.mark.parametrize("data", NO_HEADERS)
def test_what_is_no_header_is_refused(data: bytes) -> None:
    for pieces in cuts(data):
        with pytest.raises(ProtocolError):
            read([*pieces, b"\r\n", bytes(100)])


@given(st.binary(max_size=200), st.sampled_from([b"", b"PROXY ", b"PROXY TCP4 ", SIGNATURE, SIGNATURE + b"\x21\x11"]))
def test_any_octets_are_a_header_or_none_or_refused(data: bytes, beginning: bytes) -> None:
    try:
        found = ProxyReader().feed(beginning + data)
    except ProtocolError:
        return
    assert found is None or 0 < found.size <= len(beginning + data)
