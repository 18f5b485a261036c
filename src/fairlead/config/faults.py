"""What is wrong with settings, said for the person who wrote them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, get_args, get_origin

from fairlead.config.places import Keys, parse
from fairlead.config.source import Source
from fairlead.config.types import fields_of, section_of, type_at
from fairlead.config.values import choices

if TYPE_CHECKING:
    import msgspec

NOUNS = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "str": "text in quotes",
    "array": "a list",
    "list": "a list",
    "object": "a table",
    "dict": "a table",
    "null": "nothing",
}
"""What people call the types that a checker names."""


def explained(error: msgspec.ValidationError, sources: Sequence[Source]) -> str:
    """One sentence: where, what is wrong, what to write. The last of ``sources`` that holds a setting is its place."""
    message, _, where = str(error).rpartition(" - at `$")
    if not message:
        message, where = where, ""
    path = parse(where.rstrip("`"))
    if unknown := re.fullmatch(r"Object contains unknown field `(.*)`", message):
        path = (*path, unknown[1])
        message = f"there is no such setting; {choices(unknown[1], _names(path[:-1]))}"
    elif missing := re.fullmatch(r"Object missing required field `(.*)`", message):
        message = f"{missing[1]} must be given"
    elif wrong := re.fullmatch(r"Invalid enum value '(.*)'", message):
        message = f"{wrong[1]!r} is no choice; {choices(wrong[1], _choices(path))}"
    elif message.startswith("Expected "):
        message = _expected(message)
    holder = next((source for source in reversed(sources) if source.holds(path)), sources[0])
    return f"{holder.place(path)}: {message}"


def _names(path: Keys) -> list[str]:
    section = section_of(type_at(path))
    return list(fields_of(section)) if section else []


def _choices(path: Keys) -> list[str]:
    kind = type_at(path)
    return [choice for choice in get_args(kind) if choice] if get_origin(kind) is Literal else []


def _expected(message: str) -> str:
    wanted, _, found = message.removeprefix("Expected ").partition(", got ")
    wanted = _named(wanted.replace(" of length >= ", " of at least ").replace(" >= ", " of at least "))
    wanted = wanted.replace(" <= ", " of at most ").replace(" > ", " above ").removesuffix(".0")
    return f"{wanted} is needed{f', not {_named(found)}' if found else ''}"


def _named(types: str) -> str:
    names = re.sub(
        r"`([^`]*)`", lambda match: " or ".join(NOUNS.get(name, name) for name in match[1].split(" | ")), types
    )
    return names.replace(" or nothing", "")
