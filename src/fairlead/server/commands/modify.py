"""Changing facts of files: MFMT and MFF (draft-somers-ftp-mfxx)."""

from __future__ import annotations

import stat
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from fairlead.accounts.base import Right
from fairlead.errors import ArgumentError, UnsupportedError
from fairlead.proto.reply import Reply
from fairlead.proto.times import format_time, parse_time
from fairlead.record import Record
from fairlead.server.registry import Argument, command
from fairlead.server.rights import permitted

if TYPE_CHECKING:
    import os

    from fairlead.server.session import Session

OCTAL = frozenset("01234567")
LONGEST_MODE = 5
SETTABLE = 0o1777


class Fact(Record):
    """A fact that can be changed."""

    name: str
    setting: str
    """What the store calls it."""
    parse: Callable[[str], int]
    show: Callable[[os.stat_result], str]


def _mode(text: str) -> int:
    if not text or not set(text) <= OCTAL or len(text) > LONGEST_MODE:
        raise ArgumentError("UNIX.mode is an octal number")
    return int(text, 8) & SETTABLE


def _modified(status: os.stat_result) -> str:
    return format_time(status.st_mtime_ns, fraction=True)


CHANGEABLE = (
    Fact("Modify", "modified_ns", parse_time, _modified),
    Fact("UNIX.mode", "mode", _mode, lambda status: f"{stat.S_IMODE(status.st_mode):04o}"),
)
BY_NAME: Mapping[str, Fact] = {fact.name.lower(): fact for fact in CHANGEABLE}


@command("MFMT", syntax="time path", argument=Argument.REQUIRED, storage=True, feature="MFMT")
def modify_time(session: Session, argument: str) -> Reply:
    """Set when a file was last modified; the reply tells what it is now."""
    text, _, name = argument.partition(" ")
    return _change(session, "MFMT", {"Modify": text}, name)


@command(
    "MFF", syntax="fact=value;... path", argument=Argument.REQUIRED, storage=True,
    feature=f"MFF {''.join(f'{fact.name};' for fact in CHANGEABLE)}",
)  # fmt: skip
def modify_facts(session: Session, argument: str) -> Reply:
    """Set facts of a file; the reply tells what they are now."""
    text, _, name = argument.partition(" ")
    facts: dict[str, str] = {}
    for each in text.removesuffix(";").split(";"):
        fact, equals, value = each.partition("=")
        if not equals or fact.lower() in facts:
            raise ArgumentError("MFF takes facts, each once, as in MFF Modify=20200101000000; path")
        facts[fact.lower()] = value
    unknown = [fact for fact in facts if fact not in BY_NAME]
    if unknown:
        raise UnsupportedError(f"The fact {unknown[0][:40]} cannot be changed")
    return _change(session, "MFF", facts, name)


def _change(session: Session, verb: str, facts: Mapping[str, str], name: str) -> Reply:
    if not name:
        raise ArgumentError(f"{verb} takes a path after what it sets")
    changed = {BY_NAME[fact.lower()]: value for fact, value in facts.items()}
    settings = {fact.setting: fact.parse(value) for fact, value in changed.items()}
    path = permitted(session, name, Right.CHANGE)
    status = session.storage.change(path, **settings)
    session.server.record_change(session, verb, path, ";".join(facts.values()))
    return Reply(213, f"{''.join(f'{fact.name}={fact.show(status)};' for fact in changed)} {name}")
