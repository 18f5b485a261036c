"""A ladder as JSON Lines, to keep and to draw again: a line for who took part, then one for each step."""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import isfinite
from typing import Any

from fairlead.errors import ProtocolError
from fairlead.ladder.model import End, Kind, Ladder, Party, Step
from fairlead.ladder.words import masked

VERSION = 1
_OPTIONAL: Mapping[str, type] = {"text": str, "note": str, "size": int, "times": int, "arrived": bool, "cause": str}
"""Fields of a step that are left out where they have their default."""
_DEFAULTS = {"text": "", "note": "", "size": 0, "times": 1, "arrived": None, "cause": ""}


def dump(ladder: Ladder) -> str:
    """``ladder`` as lines that :func:`load` reads; passwords are masked.

    The first is ``{"ladder": 1, "began": seconds since the epoch, "title": …, "parties": [[name, address], …]}``, each
    other one ``{"at": seconds, "kind": …, "connection": number, "source": [party, address, port], "target": …}`` with
    those of ``text``, ``note``, ``size``, ``times``, ``arrived`` and ``cause`` that say something.
    """
    parties = [[party.name, party.address] for party in ladder.parties]
    head = {"ladder": VERSION, "began": ladder.began, "title": masked(ladder.title), "parties": parties}
    return "".join(f"{json.dumps(line)}\n" for line in (head, *map(_written, ladder.steps)))


def load(text: str) -> Ladder:
    """The ladder that :func:`dump` wrote. Raises ProtocolError that names the line which is none of a ladder."""
    lines = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    if not lines:
        raise ProtocolError("a saved ladder has lines, this has none")
    (first, head), *rest = lines
    values = _object(first, head)
    if values.get("ladder") != VERSION:
        message = f"line {first} does not say that this is a ladder of version {VERSION}"
        raise ProtocolError(message)
    pairs = _field(first, values, "parties", list)
    parties = tuple(Party(*_row(first, pair, str, str)) for pair in pairs)
    names = {party.name for party in parties}
    steps = tuple(_read(number, _object(number, line), names) for number, line in rest)
    return Ladder(
        parties=parties,
        steps=steps,
        began=_number(first, values, "began"),
        title=_field(first, values, "title", str),
    )


def _written(step: Step) -> dict[str, Any]:
    line: dict[str, Any] = {
        "at": step.at,
        "kind": step.kind.value,
        "connection": step.connection,
        "source": _end(step.source),
    }
    if step.target is not None:
        line["target"] = _end(step.target)
    optional = {name: getattr(step, name) for name in _OPTIONAL} | {
        "text": masked(step.text),
        "note": masked(step.note),
    }
    return line | {name: value for name, value in optional.items() if value != _DEFAULTS[name]}


def _end(end: End) -> list[object]:
    return [end.party, end.address, end.port]


def _read(number: int, values: Mapping[str, Any], names: set[str]) -> Step:
    try:
        kind = Kind(_field(number, values, "kind", str))
    except ValueError as error:
        message = f"line {number}: {error}"
        raise ProtocolError(message) from error
    optional = {name: _field(number, values, name, wanted) for name, wanted in _OPTIONAL.items() if name in values}
    target = values.get("target")
    return Step(
        at=_number(number, values, "at"),
        kind=kind,
        connection=_field(number, values, "connection", int),
        source=_party_end(number, values.get("source"), names),
        target=None if target is None else _party_end(number, target, names),
        **optional,
    )


def _party_end(number: int, value: object, names: set[str]) -> End:
    party, address, port = _row(number, value, str, str, int)
    if party not in names:
        message = f"line {number}: {party[:50]!r} is none of the parties"
        raise ProtocolError(message)
    return End(party, address, port)


def _object(number: int, line: str) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        message = f"line {number} is no JSON: {error}"
        raise ProtocolError(message) from error
    if not isinstance(value, dict):
        message = f"line {number} is no JSON object"
        raise ProtocolError(message)
    return value


def _field(number: int, values: Mapping[str, Any], name: str, wanted: type) -> Any:
    value = values.get(name)
    if type(value) is not wanted:
        message = f"line {number}: {name} must be of type {wanted.__name__}"
        raise ProtocolError(message)
    return value


def _number(number: int, values: Mapping[str, Any], name: str) -> float:
    value = values.get(name)
    if not isinstance(value, int | float) or isinstance(value, bool) or not isfinite(value):
        message = f"line {number}: {name} must be a number of seconds"
        raise ProtocolError(message)
    return float(value)


def _row(number: int, value: object, *wanted: type) -> list[Any]:
    if not isinstance(value, list) or [type(each) for each in value] != list(wanted):
        names = ", ".join(each.__name__ for each in wanted)
        message = f"line {number}: where [{names}] is due, {str(value)[:80]!r} stands"
        raise ProtocolError(message)
    return value
