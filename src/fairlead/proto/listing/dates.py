"""Dates as people read them, in the columns of listings: in several orders and languages, with or without a year."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from fairlead.proto.listing.months import MONTHS_BY_NAME

CLOCK = r"[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]{1,9})?)?"
"""A time of day."""
_M = r"(?P<month>[^\x00-\x40\x5b-\x60\x7b-\x7f]{2,9})"  # to name the letters would take long to compile
_MONTH_THEN = rf"{_M}[.,]?\ {{1,3}}"
_DAY = r"(?P<day>[0-9]{1,2})"
_YEAR = r"(?P<year>[0-9]{4})"
_REST = rf"(?:(?P<clock>{CLOCK})(?:\ {{1,2}}(?P<year>[0-9]{{4}})(?=\ |$))?|(?P<only_year>[0-9]{{4}}))"
# Chinese, Japanese and Korean signs may be in any encoding; the last octet of that for years may be an N or a tilde
_SIGN = r"[^\x00-\x7f]{1,3}"
_SIGNED_YEAR = rf"{_YEAR}(?:{_SIGN}[N~]?)?"
_SIGNED_DAY = rf"(?P<month>[0-9]{{1,2}}){_SIGN}\ {{0,3}}{_DAY}(?:{_SIGN})?"
_FORMS = (
    rf"{_MONTH_THEN}{_DAY},\ {{1,2}}{_YEAR}\ {{1,2}}(?P<clock>{CLOCK})",
    rf"{_MONTH_THEN}{_DAY}[.,]{{0,2}}\ {{1,3}}{_REST}",
    rf"{_DAY}\.?\ {{1,3}}{_M}[.,]{{0,2}}\ {{1,3}}{_REST}",
    rf"{_YEAR}[-/](?P<month>[0-9]{{1,2}})[-/]{_DAY}(?:\ {{1,2}}(?P<clock>{CLOCK})(?:\ (?P<zone>[-+][0-9]{{4}}))?|\ ?)",
    rf"(?P<month>[0-9]{{2}})-{_DAY}\ {{1,2}}(?:(?P<clock>{CLOCK})|{_YEAR})",
    rf"(?P<first>[0-9]{{1,2}})(?P<separator>[-./])(?P<second>[0-9]{{1,2}})[-./]{_YEAR}\ {{1,2}}(?P<clock>{CLOCK})",
    rf"{_DAY}-{_M}-(?P<year>[0-9]{{4}}|[0-9]{{2}})(?:\ {{1,2}}(?P<clock>{CLOCK}))?",
    rf"{_SIGNED_DAY}\ {{1,3}}(?:(?P<clock>{CLOCK})|{_SIGNED_YEAR})",
    rf"{_SIGNED_YEAR}\ {{0,3}}{_SIGNED_DAY}(?:\ {{1,3}}(?P<clock>{CLOCK}))?",
)
_PATTERNS = tuple(re.compile(form) for form in _FORMS)
DATE = "|".join(re.sub(r"\?P<[a-z_]+>", "?:", form) for form in _FORMS)
"""Alternatives of a pattern for any date that :func:`read_date` knows, with any word for a month.

No repetition in it is without a bound."""

_CENTURY_TURNS = 70
_MONTHS_IN_YEAR = 12
_YEARS_BETWEEN_LEAP_DAYS = 9


@lru_cache(maxsize=4096)  # the files of one directory often came at one time
def read_date(text: str, now: float) -> datetime | None:
    """The time that ``text`` tells, taken as UTC; None where it tells none, or one that does not exist.

    ``now``, in seconds since the epoch, supplies a year that is left out, see :func:`latest`.
    """
    field = _fields(text)
    return None if field is None else _told(field, now)


@lru_cache(maxsize=4096)
def is_date(text: str) -> bool:
    """Whether ``text``, which matches :data:`DATE`, has the name of a month where one is due."""
    month = (_fields(text) or {}).get("month")
    return month is None or month.isdecimal() or month_number(month) > 0


def _fields(text: str) -> dict[str, str | None] | None:
    match = next(filter(None, (pattern.fullmatch(text) for pattern in _PATTERNS)), None)
    return None if match is None else match.groupdict()


def _told(field: dict[str, str | None], now: float) -> datetime | None:
    if first := field.get("first"):
        second = field["second"] or ""
        month, day = month_and_day(int(first), int(second), day_first=field["separator"] != "/")
    else:
        month, day = month_number(field["month"] or ""), int(field["day"] or "")
    year, clock = field.get("year") or field.get("only_year"), field.get("clock")
    if year is None:
        return latest(month, day, clock or "", now)
    moment = at(full_year(year), month, day, clock)
    zone = field.get("zone")
    if zone is None or moment is None:
        return moment
    try:
        return moment.replace(tzinfo=datetime.strptime(zone, "%z").tzinfo).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def month_number(text: str) -> int:
    """1 to 12 for a month's name or digits; 0 for what is none."""
    if text.isdecimal():
        return int(text)
    return MONTHS_BY_NAME.get(text.lower().rstrip("."), 0)


def month_and_day(first: int, second: int, *, day_first: bool) -> tuple[int, int]:
    """Which of two numbers is the month; ``day_first`` tells it where either could be."""
    if first > _MONTHS_IN_YEAR or (day_first and second <= _MONTHS_IN_YEAR):
        return second, first
    return first, second


def full_year(digits: str) -> int:
    """The year: two digits mean 1970 to 2069, three count from 1900, as programs did that never expected to."""
    year = int(digits)
    if len(digits) == len("YY"):
        return year + (1900 if year >= _CENTURY_TURNS else 2000)
    return year + 1900 if len(digits) == len("103") else year


def at(year: int, month: int, day: int, clock: str | None = None) -> datetime | None:
    """The time in UTC; ``clock`` is hours, minutes and perhaps seconds (a fraction of one is dropped) or None.

    None where there is no such time.
    """
    hour, minute, second = (*map(_whole, (clock or "0:0").split(":")), 0)[:3]
    try:
        return datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None


def _whole(text: str) -> int:
    return int(text[:2])


def latest(month: int, day: int, clock: str, now: float) -> datetime | None:
    """The latest such time that does not lie after ``now``, a day allowed for the server's time zone."""
    limit = datetime.fromtimestamp(now, UTC) + timedelta(days=1)
    for year in range(limit.year, limit.year - _YEARS_BETWEEN_LEAP_DAYS, -1):
        moment = at(year, month, day, clock)  # none on the 29th of February of most years
        if moment is not None and moment <= limit:
            return moment
    return None
