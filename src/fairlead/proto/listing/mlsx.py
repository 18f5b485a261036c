"""Machine listings, which our MLSD and MLST send (RFC 3659 section 7); ``dialects/mlsx`` reads them."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Collection, Iterable

from fairlead.proto.facts import FACTS
from fairlead.proto.listing.layout import Layout, Pieces, Slot
from fairlead.proto.listing.unix import token
from fairlead.proto.times import SECOND, format_time

_SPECIAL = {
    stat.S_IFLNK: "slink",
    stat.S_IFCHR: "chr",
    stat.S_IFBLK: "blk",
    stat.S_IFIFO: "fifo",
    stat.S_IFSOCK: "sock",
}
_REMEMBERED = 4096


class MlsxFormatter:
    """Writes the lines of MLSD and MLST.

    ``facts`` are those to send. ``perm`` gives the letters of the perm fact for a status; its answer may depend on the
    mode, the owner and the group only, and is remembered, as are the names that ``owner`` and ``group`` give.
    ``follow`` gives the status of what the link of a name leads to, None where it leads nowhere; such a link, and every
    one where there is no ``follow``, shows as a link.
    """

    def __init__(
        self,
        *,
        facts: Collection[str],
        perm: Callable[[os.stat_result], str],
        owner: Callable[[int], str],
        group: Callable[[int], str],
        follow: Callable[[str], os.stat_result | None] = lambda _: None,
    ) -> None:
        self._facts = frozenset(facts)
        self._follow = follow
        self._perm = perm
        self._owner = owner
        self._group = group
        self._minutes = _Minutes()
        self._frames: dict[tuple[int, tuple[int, ...]], str] = {}

    def lines(self, items: Iterable[tuple[str, os.stat_result, str | None]]) -> bytes:
        """A line for each name, its status and, of a link, its target; each ends with CR LF.

        A name that holds CR or LF has no line, as none could carry it (RFC 3659 section 6).
        """
        frames = self._frames
        minutes = self._minutes
        lines: list[str] = []
        for name, status, target in items:
            if target is not None and (led_to := self._follow(name)) is not None:
                status, target = led_to, None  # noqa: PLW2901 - from here on it is what it leads to
            key = status[0], status[2:6]
            frame = frames.get(key) if target is None else None
            if frame is None:
                frame = self._frame(status, target)
            modified = status[8]
            lines.append(frame % (status[6], minutes[modified // 60], _SECONDS[modified % 60], status[1], name))
        data = "".join(lines).encode("utf-8", "surrogateescape")
        if data.count(b"\n") != len(lines) or data.count(b"\r") != len(lines):
            whole = [line for line in lines if "\n" not in line[:-2] and "\r" not in line[:-2]]
            data = "".join(whole).encode("utf-8", "surrogateescape")
        return data

    def line(self, path: str, status: os.stat_result, target: str | None = None, kind: str | None = None) -> str:
        """The line of one object without its line end: its facts, a space, ``path``.

        ``kind`` replaces the type fact's value: ``cdir`` for the directory a listing is of.
        """
        frame = self._frame(status, target, kind)
        modified = status[8]
        filled = frame % (status[6], self._minutes[modified // 60], _SECONDS[modified % 60], status[1], path)
        return filled.removesuffix("\r\n")

    def layout(self) -> Layout:
        """The lines of :meth:`lines` as data."""
        return Layout(lambda status: self._pieces(status, _type(status.st_mode, None)), follows=True, masks=False)

    def _frame(self, status: os.stat_result, target: str | None, kind: str | None = None) -> str:
        """A template that holds all that does not change among many files, for size, minute, second, inode and name."""
        frame = _template(self._pieces(status, kind or _type(status.st_mode, target)))
        if target is None and kind is None:
            if len(self._frames) >= _REMEMBERED:
                self._frames.clear()
            self._frames[status[0], status[2:6]] = frame
        return frame

    def _pieces(self, status: os.stat_result, kind: str) -> Pieces:
        """What a line consists of."""
        for fact in FACTS:
            if fact in self._facts and (value := self._value(fact, status, kind)):
                yield from (f"{fact}=", *value, ";")
        yield from (" ", Slot.NAME, "\r\n")

    def _value(self, fact: str, status: os.stat_result, kind: str) -> tuple[str | Slot, ...]:
        """The pieces of a fact's value; none where the object has no such fact."""
        match fact:
            case "type":
                return (kind,)
            case "size":
                return () if stat.S_ISDIR(status.st_mode) else (Slot.SIZE,)
            case "modify":
                return (Slot.MODIFIED,)
            case "perm":
                return (self._perm(status),)
            case "unique":
                return (f"{status.st_dev:x}g", Slot.INODE)
            case "UNIX.mode":
                return (f"{stat.S_IMODE(status.st_mode):04o}",)
            case "UNIX.owner":
                return (_word(self._owner(status.st_uid), status.st_uid),)
            case _:
                return (_word(self._group(status.st_gid), status.st_gid),)


_FILLED = {Slot.SIZE: "%s", Slot.MODIFIED: "%s%s", Slot.INODE: "%x", Slot.NAME: "%s"}
"""Slots in the order of the facts, as a template has them."""
_EMPTY = {Slot.SIZE: "%.0s", Slot.MODIFIED: "%.0s%.0s", Slot.INODE: "%.0s"}
"""The same where they are not part of the line: they take their values and show nothing."""


def _template(pieces: Pieces) -> str:
    """A template that takes the values of all slots, whichever of them ``pieces`` has."""
    texts: list[str] = []
    due = iter(_FILLED)
    for piece in pieces:
        if isinstance(piece, Slot):
            texts += (_EMPTY[slot] for slot in iter(due.__next__, piece))
            texts.append(_FILLED[piece])
        else:
            texts.append(piece.replace("%", "%%"))
    return "".join(texts)


def _type(mode: int, target: str | None) -> str:
    if stat.S_ISREG(mode):
        return "file"
    if stat.S_ISDIR(mode):
        return "dir"
    kind = f"OS.unix={_SPECIAL.get(stat.S_IFMT(mode), 'unknown')}"
    if target and stat.S_ISLNK(mode) and not any(character in " ;\r\n" for character in target):
        kind += f":{target}"
    return kind


def _word(name: str, number: int) -> str:
    return token(name, number).replace(";", "_")


class _Minutes(dict[float, str]):
    """The digits of a time up to its minute, by minutes since the epoch; worked out on first use."""

    def __init__(self) -> None:
        super().__init__()
        self._days: dict[int, str] = {}

    def __missing__(self, minute: float) -> str:
        if len(self) >= _REMEMBERED:
            self.clear()
            self._days.clear()
        day, rest = divmod(int(minute), _DAY)
        text = self._days.get(day)
        if text is None:
            text = self._days[day] = format_time(day * _DAY * 60 * SECOND)[:8]
        text = self[minute] = text + _HOURS_AND_MINUTES[rest]
        return text


_DAY = 24 * 60
_SECONDS: dict[float, str] = {second: f"{second:02}" for second in range(60)}
_TWO_DIGITS = tuple(_SECONDS.values())
_HOURS_AND_MINUTES = tuple(f"{hours}{minutes}" for hours in _TWO_DIGITS[:24] for minutes in _TWO_DIGITS)
