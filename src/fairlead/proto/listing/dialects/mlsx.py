"""Machine listings, the lines of MLSD and MLST, also where LIST gives them (RFC 3659 section 7)."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from functools import lru_cache, partial

from fairlead.errors import ArgumentError
from fairlead.proto.entry import SIZE_DIGITS, Entry, Kind, letters_of_mode
from fairlead.proto.times import moment, parse_server_time


def parse_mlsx(line: str) -> Entry:
    """The entry that the inner line of a 250 reply to MLST tells of, or a line of MLSD with facts.

    Facts come in any order and case; what is unknown or cannot be read counts as not told. The directory itself
    (``cdir``) and its parent (``pdir``) are directories. Raises ArgumentError where no name follows the facts.
    """
    text, _, name = line.removeprefix(" ").partition(" ")
    if text and "=" not in text:
        text, name = "", line.removeprefix(" ")
    if not name:
        raise ArgumentError(f"no name follows the facts in {line[:80]!r}")
    return _entry(_facts(text), name, line)


def parse_mlsd(line: str, *, bare: bool = False) -> Entry | None:
    """As :func:`parse_mlsx`; None for the headings of a listing (``cdir``, ``pdir``) and for what is no line of MLSD.

    A line without any facts, a space and a name, counts as one where ``bare`` is true.
    """
    text, _, name = line.partition(" ")
    if not name or not ("=" in text or (bare and not text)):
        return None
    facts = _facts(text)
    return None if facts.get("type", "").lower() in _HEADINGS else _entry(facts, name, line)


_HEADINGS = frozenset(("cdir", "pdir"))
_KINDS = {"file": Kind.FILE, "": Kind.FILE, **dict.fromkeys(("dir", *_HEADINGS), Kind.DIRECTORY)}


def _facts(text: str) -> dict[str, str]:
    facts: dict[str, str] = {}
    for fact in text.split(";"):
        label, _, value = fact.partition("=")
        facts[label.lower()] = value
    return facts


def _entry(facts: dict[str, str], name: str, line: str) -> Entry:
    fact = facts.get
    kind, target = _kind(fact("type", "file"))
    text = fact("size", "")
    size = int(text) if text.isdigit() and text.isascii() and len(text) <= SIZE_DIGITS else None
    modified, created = _time(fact("modify", "")), _time(fact("create", ""))
    owner, group = fact("unix.owner"), fact("unix.group")
    # By position, for that takes half the time, and a listing may have a million of them
    mode = fact("unix.mode")
    permissions = letters_of_mode(mode) if mode else fact("perm")
    return Entry(name, kind, size, modified, created, permissions, owner, group, target, fact("unique"), line)


_WHOLE_SECONDS = len("YYYYMMDDHHMMSS")
_LEAP_SECOND = "60"


def _kind(value: str) -> tuple[Kind, str | None]:
    kind = _KINDS.get(value)
    if kind is not None:
        return kind, None
    lowered = value.lower()
    if lowered in _KINDS:
        return _KINDS[lowered], None
    if lowered.partition("=")[2].startswith(("slink", "symlink")):
        return Kind.LINK, value.partition(":")[2] or None
    return Kind.OTHER, None


@lru_cache(maxsize=1024)  # the files of one directory often came at one time
def _time(text: str) -> datetime | None:
    try:
        if len(text) == _WHOLE_SECONDS and text.isdecimal() and text.isascii() and text[12:] != _LEAP_SECOND:
            return datetime.fromisoformat(f"{text[:8]}T{text[8:]}Z")
        return moment(parse_server_time(text)) if text else None
    except (ArgumentError, ValueError):
        return None


bare = partial(parse_mlsd, bare=True)
"""Reads lines of what is known to come from MLSD, where one may have no facts."""

_HEADING = re.compile(r"(?:[^ ;]*;)*type=[cp]dir(?:;| )", re.IGNORECASE)


def is_heading(line: str) -> bool:
    """Whether a line tells of the directory that is listed, or of the one above it."""
    return _HEADING.match(line) is not None


def reader(_: float, /) -> Callable[[str], Entry | None]:
    """A reader of lines, which always tell the year and can be read one by one."""
    return parse_mlsd
