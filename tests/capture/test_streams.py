from __future__ import annotations

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from fairlead.capture.streams import MOST_WAITING, WINDOW, Lost, Piece, Reassembly, distance

TEXT = bytes(range(256))


def fed(segments: list[tuple[int, bytes]], start: int = 0) -> list[Piece]:
    stream = Reassembly()
    stream.begin(start)
    pieces = [piece for seq, payload in segments for piece in stream.feed(seq % 2**32, payload, len(payload))]
    return pieces + stream.finish()


def joined(pieces: list[Piece]) -> bytes:
    assert not any(isinstance(piece, Lost) for piece in pieces)
    return b"".join(piece for piece in pieces if isinstance(piece, bytes))


@settings(deadline=None)
@given(
    st.lists(st.integers(1, len(TEXT) - 1), max_size=10), st.integers(0, 2**32 - 1), st.randoms(use_true_random=False)
)
def test_any_order_gives_the_octets_in_order(cuts: list[int], start: int, random: object) -> None:
    edges = sorted({0, *cuts, len(TEXT)})
    segments = [(start + a, TEXT[a:b]) for a, b in itertools.pairwise(edges)]
    random.shuffle(segments)  # type: ignore[attr-defined]
    assert joined(fed(segments, start)) == TEXT


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 255), st.integers(1, 100)), max_size=12), st.integers(0, 2**32 - 1))
def test_segments_may_overlap_and_come_again(parts: list[tuple[int, int]], start: int) -> None:
    segments = [(start + a, TEXT[a : a + size]) for a, size in parts]
    assert joined(fed([*segments, (start, TEXT)], start)) == TEXT


def test_what_never_came_is_a_gap_at_the_end() -> None:
    assert fed([(0, b"ab"), (5, b"fg")]) == [b"ab", Lost(3), b"fg"]


def test_what_the_receiver_has_acknowledged_is_not_waited_for() -> None:
    stream = Reassembly()
    stream.begin(0)
    assert stream.feed(5, b"fg", 2) == []
    assert stream.acknowledged(3) == []
    assert stream.acknowledged(7) == [Lost(5), b"fg"]


def test_what_the_capture_cut_off_is_a_gap() -> None:
    stream = Reassembly()
    assert stream.feed(0, b"ab", 10) == [b"ab", Lost(8)]
    assert stream.feed(10, b"kl", 2) == [b"kl"]


def test_memory_is_bounded() -> None:
    stream = Reassembly()
    stream.begin(0)
    large = [stream.feed(10 + number * 60000, bytes(60000), 60000) for number in range(WINDOW // 60000 + 1)]
    assert any(large)
    many = [stream.feed(10**7 + number * 2, b"x", 1) for number in range(MOST_WAITING + 2)]
    assert any(many)


def test_a_middle_begins_where_the_first_segment_does() -> None:
    stream = Reassembly()
    assert stream.feed(12345, b"ab", 2) == [b"ab"]


def test_distances_go_round() -> None:
    assert distance(2**32 - 2, 3) == 5
    assert distance(3, 2**32 - 2) == -5
