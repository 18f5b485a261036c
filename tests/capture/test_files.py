from __future__ import annotations

import gzip
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairlead.capture.files import Frame
from fairlead.errors import CaptureError
from tests.capture.building import ETHERNET, RAW, block, pcap, pcapng, read

FRAMES = [
    Frame(1000.25, ETHERNET, b"one", 3),
    Frame(1000.5, ETHERNET, b"two, cut", 60),
    Frame(1001.0, ETHERNET, b"", 0),
]


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("nanoseconds", [False, True])
def test_pcap_of_any_order_and_resolution_is_read(order: str, nanoseconds: bool) -> None:
    assert read(pcap(FRAMES, order=order, nanoseconds=nanoseconds)) == (FRAMES, "")


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("resolution", [None, 3, 9])
def test_pcapng_of_any_order_and_resolution_is_read(order: str, resolution: int | None) -> None:
    assert read(pcapng(FRAMES, order=order, resolution=resolution)) == (FRAMES, "")


def test_pcapng_may_have_several_interfaces_and_sections() -> None:
    frames = [FRAMES[0], Frame(1000.3, RAW, b"raw", 3)]
    assert read(pcapng(frames) + pcapng(FRAMES, order=">")) == ([*frames, *FRAMES], "")


def test_a_tick_may_be_a_power_of_two_and_time_may_have_an_offset() -> None:
    options = struct.pack("<HHB3xHHqHH", 9, 1, 0x8A, 14, 8, 100, 0, 0)
    interface = block(1, struct.pack("<HHI", ETHERNET, 0, 0) + options)
    packet = block(6, struct.pack("<IIIII", 0, 0, 512, 3, 3) + b"abc")
    head = pcapng([])[: -len(block(5, bytes(12)))]
    assert read(head + interface + packet) == ([Frame(100.5, ETHERNET, b"abc", 3)], "")


def test_packets_of_older_kinds_are_read() -> None:
    head = pcapng([])[: -len(block(5, bytes(12)))] + block(1, struct.pack("<HHI", ETHERNET, 0, 2))
    old = block(2, struct.pack("<HHIIII", 0, 0, 0, 1_500_000, 3, 3) + b"abc")
    simple = block(3, struct.pack("<I", 3) + b"ab")
    assert read(head + old + simple) == ([Frame(1.5, ETHERNET, b"abc", 3), Frame(0.0, ETHERNET, b"ab", 3)], "")


def test_a_file_may_be_compressed() -> None:
    assert read(gzip.compress(pcap(FRAMES))) == (FRAMES, "")


def test_a_compressed_file_that_was_cut_is_told() -> None:
    _, damage = read(gzip.compress(pcap(FRAMES))[:-9])
    assert damage == "file.pcap is cut or damaged where it is compressed; what stands before it is explained"


@pytest.mark.parametrize("made", [pcap, pcapng])
@settings(deadline=None)
@given(st.data())
def test_a_file_that_was_cut_gives_what_stands_before(made: object, data: st.DataObject) -> None:
    assert callable(made)
    whole = made(FRAMES)
    cut = data.draw(st.integers(28, len(whole) - 1))
    frames, damage = read(whole[:cut])
    assert frames == FRAMES[: len(frames)]
    assert damage == "" or (damage.startswith("file.pcap ends in the middle of") and "\n" not in damage)


@pytest.mark.parametrize("made", [pcap, pcapng])
@settings(deadline=None)
@given(st.data())
def test_a_damaged_file_gives_one_sentence_and_no_more_memory_than_it_has(made: object, data: st.DataObject) -> None:
    assert callable(made)
    octets = bytearray(made(FRAMES))
    for place in data.draw(st.lists(st.integers(4, len(octets) - 1), min_size=1, max_size=8)):
        octets[place] = data.draw(st.integers(0, 255))
    frames, damage = read(bytes(octets))
    assert sum(len(frame.octets) for frame in frames) <= len(octets)
    assert "\n" not in damage


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_what_is_no_capture_is_refused_in_one_sentence(octets: bytes) -> None:
    if octets[:4] in {
        b"\xa1\xb2\xc3\xd4",
        b"\xd4\xc3\xb2\xa1",
        b"\xa1\xb2\x3c\x4d",
        b"\x4d\x3c\xb2\xa1",
        b"\x0a\x0d\x0d\x0a",
    }:
        return
    if octets[:2] == b"\x1f\x8b":
        return
    with pytest.raises(CaptureError, match=r"^file\.pcap is (empty|no capture of tcpdump or Wireshark)") as caught:
        read(octets)
    assert "tcpdump -i any -w FILE" in str(caught.value)


@pytest.mark.parametrize(
    ("octets", "damage"),
    [
        (pcap(FRAMES[:1]) + struct.pack("<IIII", 1, 1, 1 << 30, 1 << 30), "a packet of 1073741824 octets cannot be"),
        (pcapng([]) + struct.pack("<II", 6, 13), "a block of 13 octets cannot be"),
        (pcapng([]) + block(6, bytes(20)), "a packet belongs to no interface"),
        (pcapng([]) + block(1, bytes(4)), "an interface without a type of link"),
        (b"\x0a\x0d\x0d\x0a" + bytes(8), "the heading of a section names no byte order"),
    ],
)
def test_what_cannot_be_is_told(octets: bytes, damage: str) -> None:
    _, told = read(octets)
    assert told == f"file.pcap is damaged: {damage}; what stands before it is explained"
