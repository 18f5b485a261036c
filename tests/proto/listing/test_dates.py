from __future__ import annotations

from datetime import UTC, datetime

import pytest

from fairlead.proto.listing.dates import at, full_year, latest, month_and_day, month_number, read_date

NOW = datetime(2024, 3, 10, 12, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Jan  5  2020", (2020, 1, 5)),
        ("Jan 05, 2020 12:34", (2020, 1, 5, 12, 34)),
        ("Jan 05, 12:34", (2024, 1, 5, 12, 34)),
        ("26. Juli, 20:10", (2023, 7, 26, 20, 10)),
        ("2.   Okt.  2003", (2003, 10, 2)),
        ("5 janv. 12:34", (2024, 1, 5, 12, 34)),
        ("Jan  5 12:34:56 2020", (2020, 1, 5, 12, 34, 56)),
        ("2020-01-05", (2020, 1, 5)),
        ("2020/1/5 12:34", (2020, 1, 5, 12, 34)),
        ("2020-01-05 12:34:56.789 -0100", (2020, 1, 5, 13, 34, 56)),
        ("2020-01-05 12:34 +9999", None),
        ("0001-01-01 00:00 +0100", None),
        ("01-05 12:34", (2024, 1, 5, 12, 34)),
        ("01-05 2020", (2020, 1, 5)),
        ("05-01-2020 12:34", (2020, 1, 5, 12, 34)),
        ("05.01.2020 12:34", (2020, 1, 5, 12, 34)),
        ("01/05/2020 12:34", (2020, 1, 5, 12, 34)),
        ("25/01/2020 12:34", (2020, 1, 25, 12, 34)),
        ("05-jan-20", (2020, 1, 5)),
        ("05-Jan-2020 12:34", (2020, 1, 5, 12, 34)),
        (" 1月  5 12:34".strip(), (2024, 1, 5, 12, 34)),
        ("1月  5日 2020年", (2020, 1, 5)),
        ("2020年 1月 5日", (2020, 1, 5)),
        ("2020年1月 5日 12:34", (2020, 1, 5, 12, 34)),
        ("1월  5 12:34", (2024, 1, 5, 12, 34)),
        ("Jan 32 2020", None),
        ("Jan  5 24:00", None),
        ("whenever", None),
        ("", None),
    ],
)
def test_dates_come_in_many_forms(text: str, expected: tuple[int, ...] | None) -> None:
    assert read_date(text, NOW) == (None if expected is None else datetime(*expected, tzinfo=UTC))  # type: ignore[misc, arg-type]


@pytest.mark.parametrize("encoding", ["euc-jp", "shift-jis", "gbk", "big5", "utf-8"])
def test_signs_may_be_in_any_encoding(encoding: str) -> None:
    def came(text: str) -> str:
        return text.encode(encoding).decode("utf-8", "surrogateescape")

    assert read_date(came("1月 5日 2020年"), NOW) == datetime(2020, 1, 5, tzinfo=UTC)
    assert read_date(came("1月  5 12:34"), NOW) == datetime(2024, 1, 5, 12, 34, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Mar 10 12:00", datetime(2024, 3, 10, 12, tzinfo=UTC)),
        ("Mar 11 11:59", datetime(2024, 3, 11, 11, 59, tzinfo=UTC)),
        ("Mar 11 12:01", datetime(2023, 3, 11, 12, 1, tzinfo=UTC)),
        ("Dec 31 23:59", datetime(2023, 12, 31, 23, 59, tzinfo=UTC)),
        ("Feb 29 12:00", datetime(2024, 2, 29, 12, tzinfo=UTC)),
        ("Feb 30 12:00", None),
    ],
)
def test_a_year_that_is_left_out_is_the_latest_that_can_be(text: str, expected: datetime | None) -> None:
    assert read_date(text, NOW) == expected


def test_the_parts() -> None:
    assert [full_year(text) for text in ("69", "70", "99", "100", "103", "2020")] == [
        2069,
        1970,
        1999,
        2000,
        2003,
        2020,
    ]
    assert [month_number(text) for text in ("12", "DEC", "déc.", "Foo")] == [12, 12, 12, 0]
    assert month_and_day(1, 2, day_first=False) == (1, 2)
    assert month_and_day(1, 2, day_first=True) == (2, 1)
    assert month_and_day(13, 2, day_first=False) == (2, 13)
    assert month_and_day(1, 13, day_first=True) == (1, 13)
    assert at(2020, 1, 5, "1:02:03.9") == datetime(2020, 1, 5, 1, 2, 3, tzinfo=UTC)
    assert at(2020, 0, 5) is None
    assert latest(2, 29, "0:00", datetime(2027, 1, 1, tzinfo=UTC).timestamp()) == datetime(2024, 2, 29, tzinfo=UTC)
