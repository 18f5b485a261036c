"""Easily parsed LIST format, as Bernstein's publicfile sends it: ``+i8388621.48594,m825718503,r,s280,<TAB>name``."""

from __future__ import annotations

from collections.abc import Callable

from fairlead.proto.entry import SIZE_DIGITS, Entry, Kind, letters_of_mode
from fairlead.proto.times import SECOND, moment


def parse_eplf(line: str) -> Entry | None:
    """The entry an EPLF line tells of, None where it is no such line. Facts that cannot be read count as not told."""
    facts_text, tab, name = line.partition("\t")
    if not (line.startswith("+") and tab and name):
        return None
    facts = {fact[:1]: fact[1:] for fact in facts_text[1:].split(",")}
    changed = _number(facts.get("m"), _TIME_DIGITS)
    rights = facts.get("u", "")
    return Entry(
        name=name,
        kind=Kind.DIRECTORY if "/" in facts else Kind.FILE if "r" in facts else Kind.OTHER,
        size=_number(facts.get("s"), SIZE_DIGITS),
        modified=None if changed is None else moment(changed * SECOND),
        permissions=letters_of_mode(rights[1:]) if rights.startswith("p") else None,
        unique=facts.get("i"),
        raw=line,
    )


_TIME_DIGITS = 11


def _number(text: str | None, digits: int) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) <= digits else None


def reader(_: float, /) -> Callable[[str], Entry | None]:
    """A reader of lines, which always tell the year and can be read one by one."""
    return parse_eplf
