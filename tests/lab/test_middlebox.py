"""Packets changed on their way: lengths, addresses and checksums."""

from __future__ import annotations

import socket
import struct

import pytest

from lab.middlebox import checksum, rewritten, translator

CLIENT, SERVER = "2001:db8:c::10", "64:ff9b::cb00:7115"


def _segment(payload: bytes) -> bytes:
    return struct.pack("!HHIIBBHHH", 21, 40000, 1, 2, 0x50, 0x18, 512, 0, 0) + payload


def _v4(source: str, target: str, payload: bytes) -> bytes:
    segment = _segment(payload)
    a, b = socket.inet_aton(source), socket.inet_aton(target)
    header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(segment), 0, 0x4000, 64, 6, 0) + a + b
    header = header[:10] + struct.pack("!H", checksum(header)) + header[12:]
    return header + _summed(a, b, segment)


def _v6(source: str, target: str, payload: bytes) -> bytes:
    segment = _segment(payload)
    a, b = (socket.inet_pton(socket.AF_INET6, address) for address in (source, target))
    return struct.pack("!IHBB", 6 << 28, len(segment), 6, 64) + a + b + _summed(a, b, segment)


def _summed(a: bytes, b: bytes, segment: bytes) -> bytes:
    return segment[:16] + struct.pack("!H", checksum(_pseudo(a, b, segment) + segment)) + segment[18:]


def _pseudo(a: bytes, b: bytes, segment: bytes) -> bytes:
    return a + b + struct.pack("!IHBB", len(segment), 0, 0, 6)


def _holds(packet: bytes) -> bool:
    """Whether the checksums are right: a sum over what includes them is 0."""
    if packet[0] >> 4 == 4:
        a, b, segment = packet[12:16], packet[16:20], packet[20:]
        return not checksum(packet[:20]) and not checksum(_pseudo(a, b, segment) + segment)
    a, b, segment = packet[8:24], packet[24:40], packet[40:]
    return not checksum(_pseudo(a, b, segment) + segment)


@pytest.mark.parametrize(
    ("sent", "arrives"),
    [
        (
            b"227 Entering Passive Mode (10,1,1,21,195,85).\r\n",
            b"227 Entering Passive Mode (10,1,1,21,193,85).\r\n",
        ),
        (b"229 Extended (|||50003|)\r\n", b"229 Extended (|||30003|)\r\n"),
        (b"200 Fine.\r\n229 Extended (|||50003|)\r\n", b"200 Fine.\r\n229 Extended (|||30003|)\r\n"),
        (b"226 Transfer complete (|||50003|).\r\n", b"226 Transfer complete (|||50003|).\r\n"),
    ],
)
def test_the_rewriter_changes_the_port_of_227_and_229_and_nothing_else(sent: bytes, arrives: bytes) -> None:
    for packet in (_v4("203.0.113.21", "198.51.100.10", sent), _v6("2001:db8:5::21", CLIENT, sent)):
        changed = rewritten(packet)
        assert changed.endswith(arrives)
        assert len(changed) == len(packet)
        assert _holds(changed)


def test_the_rewriter_leaves_alone_what_is_no_tcp() -> None:
    packet = bytearray(_v4("203.0.113.21", "198.51.100.10", b"227 (1,2,3,4,5,6)\r\n"))
    packet[9] = socket.IPPROTO_UDP
    assert rewritten(bytes(packet)) == bytes(packet)


def test_the_translator_carries_a_segment_to_ipv4_and_back() -> None:
    translate = translator(CLIENT, "192.0.2.64")
    there = translate(_v6(CLIENT, SERVER, b"EPSV\r\n"))
    assert (there[12:16], there[16:20]) == (socket.inet_aton("192.0.2.64"), socket.inet_aton("203.0.113.21"))
    assert there.endswith(b"EPSV\r\n")
    assert _holds(there)
    back = translate(_v4("203.0.113.21", "192.0.2.64", b"229 (|||50003|)\r\n"))
    assert back[8:24] == socket.inet_pton(socket.AF_INET6, SERVER)
    assert back.endswith(b"229 (|||50003|)\r\n")
    assert _holds(back)


@pytest.mark.parametrize(
    "packet",
    [_v6("2001:db8:c::11", SERVER, b""), _v6(CLIENT, "2001:db8:5::21", b""), _v4("1.2.3.4", "192.0.2.65", b"")],
)
def test_the_translator_carries_nobody_elses_packets(packet: bytes) -> None:
    assert translator(CLIENT, "192.0.2.64")(packet) == b""
