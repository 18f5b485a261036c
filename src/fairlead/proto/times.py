"""Times in commands, replies and facts: ``YYYYMMDDHHMMSS[.fraction]`` in UTC (RFC 3659 section 2.3).

In Fairlead a time is a whole number of nanoseconds since 1970-01-01 00:00 UTC.
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

from fairlead.errors import ArgumentError

if TYPE_CHECKING:
    from datetime import datetime

SECOND = 1_000_000_000
"""Nanoseconds in a second."""

_FIRST = -62_135_596_800
_LAST = 253_402_300_799
"""The seconds from the year 1 to the year 9999, which four digits can tell."""

_TIME = r"([0-9]{4})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})(?:\.([0-9]+))?"
_YEAR_19100 = r"191([0-9]{2})([0-9]{10}(?:\.[0-9]+)?)"
_LEAP_SECOND = 60


def format_time(ns: int, *, fraction: bool = False) -> str:
    """The time ``ns`` as text; with ``fraction``, and where there is one, with as many decimals as it needs.

    A year that four digits cannot tell becomes the nearest that they can.
    """
    seconds, rest = divmod(ns, SECOND)
    text = "{:04}{:02}{:02}{:02}{:02}{:02}".format(*time.gmtime(min(max(seconds, _FIRST), _LAST))[:6])
    return f"{text}.{rest:09d}".rstrip("0") if fraction and rest else text


def parse_time(text: str) -> int:
    """Nanoseconds since the epoch; digits beyond the nanosecond are dropped, second 60 is the minute's end.

    Raises ArgumentError on another form and on a date that does not exist.
    """
    from datetime import UTC, datetime, timedelta  # noqa: PLC0415 - large, and few sessions tell a time

    match = re.fullmatch(_TIME, text)
    if match is None:
        raise ArgumentError(f"{text[:40]!r} is no time; write YYYYMMDDHHMMSS in UTC")
    year, month, day, hour, minute, second = (int(field) for field in match.groups()[:6])
    leap = second == _LEAP_SECOND
    try:
        moment = datetime(year, month, day, hour, minute, second - leap, tzinfo=UTC)
    except ValueError:
        raise ArgumentError(f"{text[:40]!r} is a time that does not exist") from None
    return ((moment - datetime.fromtimestamp(0, UTC)) // timedelta(seconds=1) + leap) * SECOND + int(
        (match[7] or "")[:9].ljust(9, "0")
    )


def parse_server_time(text: str) -> int:
    """As :func:`parse_time`, and reads the year of servers that write 19100 for 2000. Raises ArgumentError."""
    match = re.fullmatch(_YEAR_19100, text)
    return parse_time(f"20{match[1]}{match[2]}" if match else text)


def moment(ns: int) -> datetime:
    """The time ``ns`` as an aware datetime in UTC; what lies below the microsecond is dropped."""
    from datetime import UTC, datetime, timedelta  # noqa: PLC0415 - as above

    return datetime.fromtimestamp(0, UTC) + timedelta(microseconds=ns // 1000)
