"""Machine listings, the lines of MLSD and MLST, also where LIST gives them (RFC 3659 section 7)."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from functools import lru_cache

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


_HEADING = re.compile(r"(?:[^ ;]*;)*type=[cp]dir(?:;| )", re.IGNORECASE)


def is_heading(line: str) -> bool:
    """Whether a line tells of the directory that is listed, or of the one above it."""
    return _HEADING.match(line) is not None


def reader(_: float = 0, /, *, bare: bool = False) -> Callable[[str], Entry | None]:
    """A reader of the lines of one listing: :func:`parse_mlsd`, but quick where lines have the form of earlier ones.

    Most lines of a listing have the same facts in the same order. A pattern of those takes out all values at once; to
    make it takes as long as to read a hundred lines without, so that a short listing has none.
    """
    forms: list[Callable[[str], re.Match[str] | None]] = []
    known: set[str] = set()
    lines = 0
    kinds, make = _Kinds(), tuple.__new__

    def read(line: str) -> Entry | None:
        nonlocal lines
        for form in forms:
            if found := form(line):
                break
        else:
            lines += 1
            if lines > _PAYS_FROM and len(known) < _FORMS and (pattern := _form(line)) not in known:
                known.add(pattern)
                if pattern:
                    forms.append(re.compile(pattern, re.DOTALL).fullmatch)
            return parse_mlsd(line, bare=bare)
        kind, size, modified, created, mode, perm, owner, group, unique, name = found.group(*_TOLD)
        if (of_kind := kinds[kind]) is None:
            return None
        octets = int(size) if size else None
        changed, made = _time(modified) if modified else None, _time(created) if created else None
        permissions = letters_of_mode(mode) if mode else perm
        told = (name, of_kind[0], octets, changed, made, permissions, owner, group, of_kind[1], unique, line, 1.0)
        return make(Entry, told)  # a third of the time that the class takes, for nothing is left out

    return read


class _Kinds(dict[str | None, tuple[Kind, str | None] | None]):
    """What the value of a type tells, None of headings."""

    def __missing__(self, value: str | None) -> tuple[Kind, str | None] | None:
        text = "file" if value is None else value
        found = None if text.lower() in _HEADINGS else _kind(text)
        if len(self) < _REMEMBERED:
            self[value] = found
        return found


_REMEMBERED = 1024
_PAYS_FROM = 100
_FORMS = 8
"""So many forms are told apart; what mixes more of them is read without."""
_MOST_FACTS = 32
_LABEL = re.compile("[!-:<>-~]{1,64}")
_VALUE = "[^ ;]*"
_GROUPS = {
    "type": "type",
    "size": "size",
    "modify": "modify",
    "create": "create",
    "unix.mode": "mode",
    "perm": "perm",
    "unix.owner": "owner",
    "unix.group": "group",
    "unique": "unique",
}
"""The facts that are read, in small letters, and the groups of a pattern that hold their values."""
_TOLD = (*_GROUPS.values(), "name")


def _form(line: str) -> str:
    """A pattern of the lines with the facts of ``line`` in their order; empty where it is no ordinary line."""
    text, _, name = line.partition(" ")
    *facts, end = text.split(";")
    labels = [fact.partition("=")[0] for fact in facts if "=" in fact]
    lowered = [label.lower() for label in labels]
    whole = name and not end and 0 < len(facts) == len(set(lowered)) <= _MOST_FACTS
    if not (whole and all(map(_LABEL.fullmatch, labels))):
        return ""
    absent = "".join(f"(?P<{group}>(?!))?" for fact, group in _GROUPS.items() if fact not in lowered)
    return "".join(map(_fact_pattern, labels)) + f" (?P<name>.+){absent}"


def _fact_pattern(label: str) -> str:
    value = rf"(?:[0-9]{{1,{SIZE_DIGITS}}})?" if label.lower() == "size" else _VALUE
    group = _GROUPS.get(label.lower())
    return re.escape(label) + (f"={value};" if group is None else f"=(?P<{group}>{value});")
