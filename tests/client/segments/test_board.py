"""Who fetches which part of a file."""

from __future__ import annotations

import itertools
import random

import pytest

from fairlead.client.segments.board import SMALLEST, Board, Segment


def test_file_is_divided_evenly() -> None:
    board = Board([(0, 8 * SMALLEST)], 4)
    assert len(board) == 4
    first, second = board.next(0.0), board.next(0.0)
    assert first is not None
    assert second is not None
    assert (first.position, first.end, second.position) == (0, 2 * SMALLEST, 2 * SMALLEST)


@pytest.mark.parametrize(("octets", "segments"), [(0, 0), (1, 1), (SMALLEST, 1), (3 * SMALLEST, 3), (SMALLEST + 1, 2)])
def test_no_segment_is_too_short_to_be_worth_a_command(octets: int, segments: int) -> None:
    gaps = [(0, octets)] if octets else []
    board = Board(gaps, 8)
    assert len(board) == segments
    assert board.done is not bool(octets)


def test_who_is_done_takes_half_of_what_lasts_longest() -> None:
    board = Board([(0, 16 * SMALLEST)], 2)
    first, second = board.next(0.0), board.next(0.0)
    assert first is not None
    assert second is not None
    first.position, second.position = 2 * SMALLEST, 12 * SMALLEST
    third = board.next(2.0)
    assert third is not None
    assert (first.end, third.position, third.end) == (5 * SMALLEST, 5 * SMALLEST, 8 * SMALLEST)
    assert second.end == 16 * SMALLEST


@pytest.mark.parametrize(("seconds", "worth"), [(1.0, False), (4.0, True)])
def test_nothing_is_taken_from_who_is_nearly_done(seconds: float, worth: bool) -> None:
    board = Board([(0, 8 * SMALLEST)], 1)
    first = board.next(0.0)
    assert first is not None
    first.position = 4 * SMALLEST
    assert (board.next(seconds) is not None) is worth


def test_half_of_what_does_not_move_is_taken() -> None:
    board = Board([(0, 8 * SMALLEST)], 1)
    first = board.next(0.0)
    second = board.next(0.0)
    assert first is not None
    assert second is not None
    assert first.end == second.position == 4 * SMALLEST


def test_segment_goes_on_with_what_nobody_has_behind_it() -> None:
    board = Board([(0, 2 * SMALLEST)], 2)
    first = board.next(0.0)
    assert first is not None
    first.position = first.end
    assert board.extend(first)
    assert first.end == 2 * SMALLEST
    first.position = first.end
    assert not board.extend(first)
    assert board.done


def test_what_was_given_back_is_taken_by_another() -> None:
    board = Board([(0, SMALLEST)], 1)
    first = board.next(0.0)
    assert first is not None
    first.position = 17
    assert board.next(0.0) is None
    board.give_back(first)
    assert board.next(0.0) is first


@pytest.mark.parametrize("seed", range(20))
def test_every_octet_is_fetched_once(seed: int) -> None:
    """Hands of different speed, some of which drop what they have."""
    luck = random.Random(seed)
    size = luck.randrange(40 * SMALLEST)
    gaps = [(0, size // 3), (size // 2, size)] if size > 6 else [(0, size)]
    board, hands = Board(gaps, 4), list[Segment | None]([None] * 4)
    fetched: list[tuple[int, int]] = []
    while not board.done:
        number = luck.randrange(4)
        hand = hands[number] or board.next(0.0)
        hands[number] = hand
        if hand is None:
            continue
        octets = min(hand.left, luck.randrange(1, 3 * SMALLEST))
        fetched.append((hand.position, hand.position + octets))
        hand.position += octets
        if luck.random() < 0.1:
            board.give_back(hand)
            hands[number] = None
        elif not hand.left and not board.extend(hand):
            hands[number] = None
    fetched = sorted(span for span in fetched if span[0] < span[1])
    assert sum(end - start for start, end in fetched) == sum(end - start for start, end in gaps)
    assert all(one[1] <= other[0] for one, other in itertools.pairwise(fetched))
