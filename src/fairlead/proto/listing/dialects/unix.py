"""Listings as ``/bin/ls -l`` writes them, which LIST of most servers sends.

The columns are mode, links, owner, group, size, date and name; of many servers some are missing, or hold other things.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import chain, islice

from fairlead.proto.entry import SIZE_DIGITS, Entry, Kind, letters_of_mode
from fairlead.proto.listing.dates import DATE, is_date, read_date

_KINDS = {"-": Kind.FILE, "d": Kind.DIRECTORY, "l": Kind.LINK}
_MODE = re.compile(r"([-a-z?])([-rwxstl]{9})[+.@]?", re.IGNORECASE)  # the mark tells of an access list or a label
_HEAD = re.compile(
    r"""
    (?:\ {0,8} [0-9]{1,20} \ {1,8}){0,2}             # inode, blocks
    (?: ([-a-z?]) ([-rwxstl]{9}) [+.@]?
      | -[-A-Z]{9} (?:FTP|FTS|TCP|SSH) )             # of Connect:Enterprise, which tells no permissions
    (?=\ )
    """,
    re.VERBOSE | re.IGNORECASE,
)
# Repetitions are bounded so that no line, however made, costs more than a pass over it.
_TAIL = re.compile(
    rf"""
    (?: ([0-9]{{1,20}})
      | [0-9]{{1,10}},\ {{0,8}}[0-9]{{1,10}}         # the numbers of a device
      | [0-9]{{1,6}}(?:[.,][0-9]{{1,3}})?[KMGTPB]{{1,2}} )  # rounded, so it tells no size
    \ {{1,8}} ({DATE}) \ (.+)
    """,
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)
_NUMBERS = re.compile("(?<= )[0-9]")
_ATTACHED = re.compile("(?<=[^0-9 ])[0-9]")
_TRIED = 24
_COUNTED = re.compile(
    r"0?([0-7]{5,6}) {1,8}([0-9]{1,10}) {1,8}([0-9]{1,10}) {1,12}([0-9]{1,20}) {1,12}([0-9]{9,11}) {1,12}(.+)"
)
_ARROW = " -> "
_COLUMNS_BEFORE_CLOCK = 7
_FORMATS = {0o4: Kind.DIRECTORY, 0o12: Kind.LINK, 0o10: Kind.FILE}
_REMEMBERED = 4096


def parse_unix(line: str, *, now: float) -> Entry | None:
    """The entry a line of ``ls -l`` tells of, None where it is no such line (``total 8`` is none).

    ``now``, in seconds since the epoch, supplies the year where the line shows a time instead: the latest year in which
    the date does not lie in the future, a day allowed for the server's time zone.
    """
    head = _HEAD.match(line)
    if head is None:
        return _counted(line)
    letter, permissions = head.groups()
    kind = _KINDS.get((letter or "-").lower(), Kind.OTHER)
    start = head.end()
    numbers = chain(
        islice(_NUMBERS.finditer(line, start), _TRIED),
        islice(_ATTACHED.finditer(line, start), _TRIED),  # a size so wide that it touches the group
    )
    for number in numbers:
        at = number.start()
        tail = _TAIL.fullmatch(line, at)
        if tail is not None and is_date(tail[2]):
            size_text, date, name = tail.groups()
            size = None if size_text is None else int(size_text)
            owner, group = _owner_and_group(line[start:at].split()) if letter else (None, None)
            target = None
            if kind is Kind.LINK:
                name, target = _name_and_target(name, size)
            return Entry(name, kind, size, read_date(date, now), None, permissions, owner, group, target, None, line)
    return None


def reader(now: float, /) -> Callable[[str], Entry | None]:
    """A reader of the lines of one listing: :func:`parse_unix`, but quick where the columns are the usual ones."""
    modes = _Modes()
    moments = _Moments(now)

    def read(line: str) -> Entry | None:
        # The last of the columns keeps the spaces that a name may begin with
        fields = line.split(None, _COLUMNS_BEFORE_CLOCK)
        try:
            mode, links, owner, group, size, month, day, rest = fields
        except ValueError:
            return parse_unix(line, now=now)
        clock, _, name = rest.partition(" ")
        moment = moments[month, day, clock]
        of_mode = modes[mode]
        if moment is None or of_mode is None or not (name and size.isdecimal() and links.isdecimal()):
            return parse_unix(line, now=now)
        if len(size) > SIZE_DIGITS:
            return None
        octets = int(size)
        kind, permissions = of_mode
        target = None
        if kind is Kind.LINK:
            name, target = _name_and_target(name, octets)
        # By position, for that takes half the time, and a listing may have a million of them
        return Entry(name, kind, octets, moment, None, permissions, owner, group, target, None, line)

    return read


class _Modes(dict[str, tuple[Kind, str] | None]):
    """What a first column tells, None where it is no mode."""

    def __missing__(self, text: str) -> tuple[Kind, str] | None:
        if len(self) >= _REMEMBERED:
            self.clear()
        match = _MODE.fullmatch(text)
        found = self[text] = None if match is None else (_KINDS.get(match[1].lower(), Kind.OTHER), match[2])
        return found


class _Moments(dict[tuple[str, str, str], datetime | None]):
    """The time that month, day and clock or year tell, None where they tell none."""

    def __init__(self, now: float) -> None:
        super().__init__()
        self._now = now

    def __missing__(self, columns: tuple[str, str, str]) -> datetime | None:
        if len(self) >= _REMEMBERED:
            self.clear()
        month, day, _ = columns
        moment = read_date(" ".join(columns), self._now) if month[:1].isalpha() and day.isdigit() else None
        self[columns] = moment
        return moment


def _counted(line: str) -> Entry | None:
    """Of servers that send mode, ids, size and seconds since the epoch as they are."""
    match = _COUNTED.fullmatch(line)
    if match is None:
        return None
    mode, owner, group, size, seconds, name = match.groups()
    kind = _FORMATS.get(int(mode, 8) >> 12, Kind.OTHER)
    modified = datetime.fromtimestamp(int(seconds), UTC)
    return Entry(name, kind, int(size), modified, None, letters_of_mode(mode), owner, group, None, None, line)


def _owner_and_group(words: list[str]) -> tuple[str | None, str | None]:
    """A count of links comes first where there is one; an owner may hold spaces, a group does not."""
    if words and words[0].isdigit():
        words = words[1:]
    if len(words) > 1:
        return " ".join(words[:-1]), words[-1]
    return (words[0] if words else None), None


def _name_and_target(text: str, size: int | None) -> tuple[str, str | None]:
    """Either may hold an arrow itself; the size of a link is the length of its target."""
    try:
        octets = text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        octets = b""
    at = len(octets) - (size or 0)
    if size and octets[max(at - len(_ARROW), 0) : at] == _ARROW.encode():
        target = octets[at:].decode("utf-8", "surrogateescape")
        return text[: -len(_ARROW) - len(target)], target
    name, arrow, target = text.partition(_ARROW)
    return name, target if arrow else None
