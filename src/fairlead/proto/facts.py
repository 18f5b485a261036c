"""The facts that machine listings tell, and how OPTS MLST chooses among them (RFC 3659 section 7)."""

from __future__ import annotations

from collections.abc import Collection

from fairlead.errors import ArgumentError

FACTS = ("type", "size", "modify", "perm", "unique", "UNIX.mode", "UNIX.owner", "UNIX.group")
"""The facts that can be had, in the order in which they are sent."""

DEFAULT_FACTS = frozenset(FACTS)
"""What is sent before any OPTS MLST."""

_SPELLING = {fact.lower(): fact for fact in FACTS}


def parse_facts(argument: str) -> frozenset[str]:
    """The facts that the argument of OPTS MLST selects, ``type;size;``; those that cannot be had are left out.

    Raises ArgumentError where a space stands in it (RFC 3659 section 7.9).
    """
    if " " in argument:
        raise ArgumentError("the facts of OPTS MLST stand without spaces: type;size;modify;")
    return frozenset(_SPELLING[name] for name in argument.lower().split(";") if name in _SPELLING)


def facts_text(facts: Collection[str]) -> str:
    """``facts`` as the 200 reply to OPTS MLST names them: ``type;size;``, or empty."""
    return "".join(f"{fact};" for fact in FACTS if fact in facts)


def feature_text(facts: Collection[str]) -> str:
    """The line of FEAT: all facts, a star after those of ``facts`` (RFC 3659 section 7.8)."""
    return "MLST " + "".join(f"{fact}*;" if fact in facts else f"{fact};" for fact in FACTS)
