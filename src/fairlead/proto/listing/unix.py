"""Listings as ``/bin/ls -l`` writes them, which our LIST sends.

No standard defines them; clients have read these columns since 4.2BSD: mode, links, owner, group, size, date, name.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from stat import filemode

from fairlead.proto.listing.layout import ARROW, SIZE_WIDTH, Layout, Pieces, Slot

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
"""Month names of the C locale, whatever the server's own is."""

RECENT = 180 * 86400
"""Seconds for which a date shows its time; an older one shows its year."""

CLOCK_SKEW = 60
"""Seconds by which a file may be younger than now before its date counts as one in the future."""

_CONTROLS = bytes((*range(0x20), 0x7F))
HIDE_CONTROLS = dict.fromkeys(_CONTROLS, "?")
"""What control characters show as, so that a name never makes a line of its own."""
_REMEMBERED = 4096


class UnixFormatter:
    """Writes the lines of LIST and of STAT with a path.

    ``now`` is in seconds since the epoch; ``owner`` and ``group`` give the name of a numeric id (an empty answer leaves
    the number, blanks become ``_``). Dates are UTC, or the machine's local time where ``utc`` is false. What was worked
    out for a minute or an owner is remembered, so a formatter should serve one listing only.
    """

    def __init__(
        self, *, now: float, owner: Callable[[int], str], group: Callable[[int], str], utc: bool = True
    ) -> None:
        self._owner = owner
        self._group = group
        self._dates = _Dates(now, utc=utc)
        self._heads: dict[tuple[int, tuple[int, ...]], str] = {}

    def lines(self, items: Iterable[tuple[str, os.stat_result, str | None]]) -> bytes:
        """A line for each name, its own status and, of a link, its target; each line ends with CR LF.

        Control characters in names show as ``?``, so that a name never makes a line of its own. Names that are not
        UTF-8 go out as the octets they are.
        """
        lines: list[str] = []
        heads = self._heads
        dates = self._dates
        for name, status, target in items:
            key = status[0], status[3:6]
            head = heads.get(key) or self._head(*key)
            size = str(status[6]).rjust(SIZE_WIDTH)
            if target is None:
                lines.append(f"{head}{size} {dates[status[8] // 60]} {name}\r\n")
            else:
                lines.append(f"{head}{size} {dates[status[8] // 60]} {name}{ARROW}{target}\r\n")
        data = "".join(lines).encode("utf-8", "surrogateescape")
        if len(data) - len(data.translate(None, _CONTROLS)) != len("\r\n") * len(lines):
            data = b"".join(
                line[:-2].translate(HIDE_CONTROLS).encode("utf-8", "surrogateescape") + b"\r\n" for line in lines
            )
        return data

    def layout(self) -> Layout:
        """The same lines as data."""
        return Layout(self._pieces, follows=False, masks=True, recent=self._dates.recent, utc=self._dates.utc)

    def _pieces(self, status: os.stat_result) -> Pieces:
        head = self._head(status[0], status[3:6]).translate(HIDE_CONTROLS)
        return head, Slot.SIZE_COLUMN, " ", Slot.DATE, " ", Slot.NAME, Slot.TARGET, "\r\n"

    def _head(self, mode: int, links_and_ids: tuple[int, ...]) -> str:
        if len(self._heads) >= _REMEMBERED:
            self._heads.clear()
        links, uid, gid = links_and_ids
        owner = token(self._owner(uid), uid)
        group = token(self._group(gid), gid)
        head = self._heads[mode, links_and_ids] = f"{filemode(mode)} {links:>3} {owner:<8} {group:<8} "
        return head


def token(name: str, number: int) -> str:
    """``name`` as one word of a listing; the number where there is no name."""
    return "_".join(name.split()) or str(number)


class _Dates(dict[float, str]):
    """The date column for a minute since the epoch, worked out on first use."""

    def __init__(self, now: float, *, utc: bool) -> None:
        super().__init__()
        self.recent = range(int(now - RECENT) // 60 + 1, int(now + CLOCK_SKEW) // 60 + 1)
        self.utc = utc
        self._days: dict[int, str] = {}

    def __missing__(self, minute: float) -> str:
        if len(self) >= _REMEMBERED:
            self.clear()
            self._days.clear()
        if self.utc and minute in self.recent:
            # A day of UTC has 1,440 minutes, always: one calendar look-up serves them all
            day, rest = divmod(int(minute), len(_CLOCKS))
            days = self._days
            text = self[minute] = (days.get(day) or self._day(day)) + _CLOCKS[rest]
            return text
        try:
            broken_down = time.gmtime if self.utc else time.localtime
            year, month, day, hours, minutes = broken_down(minute * 60)[:5]
        except (OverflowError, ValueError, OSError):  # a date that no calendar of this machine reaches
            year, month, day, hours, minutes = 9999, 12, 31, 0, 0
        text = self[minute] = (
            f"{MONTHS[month - 1]} {_DAYS[day]} {_TWO_DIGITS[hours]}:{_TWO_DIGITS[minutes]}"
            if minute in self.recent
            else f"{MONTHS[month - 1]} {_DAYS[day]} {year:>5}"
        )
        return text

    def _day(self, day: int) -> str:
        _, month, number = time.gmtime(day * len(_CLOCKS) * 60)[:3]
        text = self._days[day] = f"{MONTHS[month - 1]} {_DAYS[number]} "
        return text


_DAYS = tuple(f"{day:>2}" for day in range(32))
_TWO_DIGITS = tuple(f"{number:02}" for number in range(60))
_CLOCKS = tuple(f"{hours}:{minutes}" for hours in _TWO_DIGITS[:24] for minutes in _TWO_DIGITS)
