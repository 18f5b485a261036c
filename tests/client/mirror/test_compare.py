from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from fairlead.client.mirror.compare import Reason, difference
from fairlead.client.mirror.tree import Item, Span, exactly, span_of
from fairlead.proto.entry import Kind

NOON = datetime(2026, 3, 1, 12, 0, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)


def item(size: int | None, modified: datetime | None, *, exact: bool = True) -> Item:
    return Item("f", Kind.FILE, size, span_of(modified, exact=exact))


@pytest.mark.parametrize(
    ("source", "target", "reason"),
    [
        ((5, NOON), (5, NOON), None),
        ((5, NOON), (6, NOON), Reason.SIZE),
        ((5, NOON + HOUR), (5, NOON), Reason.NEWER),
        ((5, NOON), (5, NOON + HOUR), Reason.OLDER),
        ((5, None), (5, NOON), None),
        ((5, NOON), (5, None), None),
        ((5, None), (6, None), Reason.SIZE),
        ((None, NOON), (5, NOON), None),
        ((None, NOON + HOUR), (5, NOON), Reason.NEWER),
        ((None, None), (5, NOON), Reason.UNKNOWN),
        ((5, NOON + timedelta(microseconds=999)), (5, NOON), None),
    ],
)
def test_size_and_time_decide(
    source: tuple[int | None, datetime | None], target: tuple[int | None, datetime | None], reason: Reason | None
) -> None:
    assert difference(item(*source), item(*target)) == reason


@pytest.mark.parametrize(
    ("source", "target", "reason"),
    [
        ((5, NOON), (6, NOON), None),
        ((5, NOON + HOUR), (6, NOON), Reason.NEWER),
        ((5, NOON), (5, NOON + HOUR), None),
        ((5, None), (6, NOON), None),
    ],
)
def test_only_newer_files_count(
    source: tuple[int, datetime | None], target: tuple[int, datetime], reason: Reason | None
) -> None:
    assert difference(item(*source), item(*target), only_newer=True) == reason


def test_copies_that_could_not_be_dated_may_be_later() -> None:
    assert difference(item(5, NOON), item(5, NOON + HOUR), dated=False) is None
    assert difference(item(5, NOON + HOUR), item(5, NOON), dated=False) is Reason.NEWER


@pytest.mark.parametrize("second", [0, 1, 59])
def test_listing_without_seconds_means_any_of_them(second: int) -> None:
    listed = item(5, NOON.replace(second=0), exact=False)
    assert difference(listed, item(5, NOON.replace(second=second))) is None
    assert difference(listed, item(5, NOON.replace(minute=1, second=second))) is Reason.OLDER
    assert difference(listed, item(5, NOON.replace(hour=11, minute=59, second=second))) is Reason.NEWER


@pytest.mark.parametrize("zone", [-12, 0, 14])
@pytest.mark.parametrize("second", [0, 86_399])
def test_listing_without_a_time_of_day_means_that_day_in_any_zone(zone: int, second: int) -> None:
    day = datetime(2020, 1, 2, tzinfo=UTC)
    changed = day + timedelta(seconds=second) - timedelta(hours=zone)
    listed = item(5, day, exact=False)
    assert difference(listed, item(5, changed)) is None
    assert difference(listed, item(5, changed + timedelta(days=3))) is Reason.OLDER


def test_exact_listing_may_show_midnight() -> None:
    midnight = datetime(2020, 1, 2, tzinfo=UTC)
    assert span_of(midnight, exact=True) == exactly(midnight.timestamp())


def test_spans_meet_where_they_share_a_second() -> None:
    assert Span(1, 5).meets(Span(5, 9))
    assert not Span(1, 4).meets(Span(5, 9))
    assert Span(5, 9).after(Span(1, 4))
    assert not Span(5, 9).after(Span(1, 5))
