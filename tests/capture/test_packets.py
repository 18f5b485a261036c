from __future__ import annotations

import builtins
import struct
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairlead.capture.files import Frame
from fairlead.capture.packets import ACK, PSH, SYN, Dissector, Segment, Unreachable
from fairlead.errors import CaptureError
from tests.capture.building import (
    CLIENT,
    CLIENT_6,
    ETHERNET,
    LOOPBACK,
    RAW,
    SERVER,
    SERVER_6,
    SLL,
    SLL2,
    framed,
    ip,
    tcp,
    unreachable,
)

LINKS = [ETHERNET, RAW, LOOPBACK, SLL, SLL2, 12, 108, 228]


def taken(link: int, octets: bytes) -> Segment | Unreachable | None:
    return Dissector().packet(Frame(5.0, link, octets, len(octets)))


@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize(("source", "target"), [(CLIENT, SERVER), (CLIENT_6, SERVER_6)])
def test_a_segment_is_found_on_every_link(link: int, source: tuple[str, int], target: tuple[str, int]) -> None:
    frame = framed(0 if link == 108 else link, tcp(source, target, PSH | ACK, 7, 8, b"NOOP\r\n", hops=3))
    outgoing = False if link in {SLL, SLL2} else None
    assert taken(link, frame) == Segment(5.0, source, target, PSH | ACK, 7, 8, b"NOOP\r\n", 6, 3, outgoing)


@pytest.mark.parametrize("link", [SLL, SLL2])
def test_a_cooked_capture_tells_what_was_sent_from_here(link: int) -> None:
    segment = taken(link, framed(link, tcp(CLIENT, SERVER, SYN, 7, 0), outgoing=True))
    assert isinstance(segment, Segment)
    assert segment.outgoing is True


def test_a_virtual_lan_is_looked_through() -> None:
    datagram = tcp(CLIENT, SERVER, SYN, 7, 0)
    assert taken(ETHERNET, bytes(12) + struct.pack("!HHH", 0x8100, 5, 0x0800) + datagram) is not None


def test_padding_of_short_frames_is_no_data() -> None:
    segment = taken(ETHERNET, framed(ETHERNET, tcp(CLIENT, SERVER, ACK, 7, 8)) + bytes(6))
    assert isinstance(segment, Segment)
    assert (segment.payload, segment.size) == (b"", 0)


def test_a_cut_frame_tells_how_much_it_carried() -> None:
    segment = taken(RAW, tcp(CLIENT, SERVER, ACK, 7, 8, b"x" * 100)[:60])
    assert isinstance(segment, Segment)
    assert (len(segment.payload), segment.size) == (20, 100)


def test_extension_headers_are_looked_through() -> None:
    options = b"\x00\x01\x04\x00\x00\x00\x00"  # hop by hop, padded
    content = tcp(CLIENT_6, SERVER_6, SYN, 7, 0)[40:]
    segment = taken(RAW, ip(CLIENT_6[0], SERVER_6[0], 6, content, extension=options))
    assert isinstance(segment, Segment)
    assert segment.target == SERVER_6


def test_later_fragments_are_left_out() -> None:
    datagram = bytearray(tcp(CLIENT, SERVER, ACK, 7, 8, b"x" * 100))
    datagram[6:8] = struct.pack("!H", 100)
    assert taken(RAW, bytes(datagram)) is None


@pytest.mark.parametrize(
    ("source", "target", "code", "reason", "prohibited"),
    [
        (CLIENT, SERVER, 1, "host unreachable", False),
        (CLIENT, SERVER, 13, "administratively prohibited", True),
        (CLIENT, SERVER, 2, "code 2", False),
        (CLIENT_6, SERVER_6, 0, "no route", False),
        (CLIENT_6, SERVER_6, 1, "administratively prohibited", True),
    ],
)
def test_icmp_tells_who_refused_which_segment(
    source: tuple[str, int], target: tuple[str, int], code: int, reason: str, prohibited: bool
) -> None:
    reporter = "192.0.2.1" if "." in source[0] else "2001:db8::1"
    message = unreachable(reporter, tcp(source, target, SYN, 7, 0), code=code)
    assert taken(RAW, message) == Unreachable(5.0, reporter, source, target, reason, prohibited)


def test_other_protocols_are_left_out() -> None:
    assert taken(RAW, ip(CLIENT[0], SERVER[0], 17, bytes(8))) is None
    assert taken(RAW, ip(CLIENT[0], SERVER[0], 1, bytes(40))) is None
    assert taken(RAW, unreachable("192.0.2.1", ip(CLIENT[0], SERVER[0], 17, bytes(8)))) is None
    assert taken(ETHERNET, bytes(12) + b"\x08\x06" + bytes(28)) is None


def test_an_unknown_link_is_remembered() -> None:
    dissector = Dissector()
    assert dissector.packet(Frame(0.0, 147, b"", 0)) is None
    assert dissector.strange_links == {147}


@settings(deadline=None)
@given(st.sampled_from(LINKS), st.binary(max_size=120))
def test_noise_is_no_packet_and_no_error(link: int, octets: bytes) -> None:
    taken(link, octets)


@settings(deadline=None)
@given(st.sampled_from([ETHERNET, SLL2]), st.sampled_from([CLIENT, CLIENT_6]), st.data())
def test_a_damaged_frame_is_no_error(link: int, source: tuple[str, int], data: st.DataObject) -> None:
    target = SERVER if source == CLIENT else SERVER_6
    datagram = data.draw(
        st.sampled_from(
            [tcp(source, target, ACK, 1, 2, b"data"), unreachable(source[0], tcp(source, target, SYN, 1, 0))]
        )
    )
    frame = bytearray(framed(link, datagram))
    for place in data.draw(st.lists(st.integers(0, len(frame) - 1), max_size=4)):
        frame[place] = data.draw(st.integers(0, 255))
    taken(link, bytes(frame[: data.draw(st.integers(0, len(frame)))]))


def test_without_dpkt_it_is_said_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *args: Any, **more: Any) -> Any:
        if name == "dpkt":
            raise ImportError(name)
        return real(name, *args, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(CaptureError, match=r"^reading captures needs dpkt: pip install 'fairlead\[capture\]'$"):
        Dissector()
