from __future__ import annotations

import itertools
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairlead.capture.records import Records, looks_like_tls
from fairlead.capture.streams import Lost


def record(kind: int, body: bytes) -> bytes:
    return struct.pack("!BHH", kind, 0x0303, len(body)) + body


HANDSHAKE = record(22, b"\x01" + bytes(40))


@settings(deadline=None)
@given(st.lists(st.integers(0, 140), max_size=6))
def test_records_may_be_cut_anywhere(cuts: list[int]) -> None:
    octets = HANDSHAKE + record(23, bytes(60))
    records = Records()
    edges = [0, *sorted(cuts), len(octets)]
    for a, b in itertools.pairwise(edges):
        records.feed(octets[a:b])
    assert (records.began, records.protected, records.alert, records.clear) == (True, True, "", b"")


@pytest.mark.parametrize(("number", "said"), [(48, "unknown authority"), (40, "handshake failure"), (99, "alert 99")])
def test_a_fatal_alert_in_clear_is_told(number: int, said: str) -> None:
    records = Records()
    records.feed(HANDSHAKE + record(21, bytes([2, number])))
    assert records.alert == said


@pytest.mark.parametrize("alert", [bytes([1, 0]), bytes(24)])
def test_a_warning_and_an_encrypted_alert_are_not(alert: bytes) -> None:
    records = Records()
    records.feed(HANDSHAKE + record(21, alert))
    assert records.alert == ""


def test_what_comes_after_the_end_of_tls_is_clear() -> None:
    records = Records()
    records.feed(HANDSHAKE + record(23, bytes(5)))
    records.feed(b"PASV\r\n")
    assert records.clear == b"PASV\r\n"


def test_a_gap_within_a_record_does_no_harm_and_one_beyond_ends_it() -> None:
    records = Records()
    records.feed(HANDSHAKE[:20])
    records.feed(Lost(10))
    records.feed(HANDSHAKE[30:] + record(23, bytes(5)))
    assert records.protected
    assert not records.lost
    records.feed(Lost(1))
    records.feed(b"PASV\r\n")
    assert records.lost
    assert records.clear == b""


def test_tls_is_known_by_its_first_octets() -> None:
    assert looks_like_tls(HANDSHAKE)
    assert not looks_like_tls(b"USER")
    assert not looks_like_tls(b"")
