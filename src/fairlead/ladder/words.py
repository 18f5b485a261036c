"""What a step says, the same in every drawing: on its arrow, and beside it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from fairlead.errors import ProtocolError
from fairlead.ladder.cells import cut, visible
from fairlead.ladder.model import CONTROL, End, Kind, Ladder, Step
from fairlead.proto.address import parse_eprt, parse_epsv_reply, parse_pasv_reply, parse_port

MASK = "****"
PAUSE = 1.0
"""Seconds between two steps from which on the wait is told."""
_SUMMED_UP = 40
"""Cells of a label among the failures."""
_SECRET = re.compile(r"(?i)\s*(?:PASS|ACCT|ADAT|SITE\s+\S*(?:PASS|PSWD|PWD)\S*)(?=\s)")
_SECRET_IN_URL = re.compile(r"((?<![A-Za-z0-9+.-])[A-Za-z][A-Za-z0-9+.-]*://[^\s/:@]*:)\S*(?=@)")
_WORDS = {Kind.SYN_ACK: "SYN, ACK", Kind.LISTEN: "listens", Kind.TLS: "TLS"}
_TEXT_ONLY = {Kind.COMMAND, Kind.REPLY, Kind.NOTE}


def masked(text: str) -> str:
    """``text`` without the argument of PASS, ACCT, ADAT or a SITE command that takes a password, nor those in URLs."""
    secret = _SECRET.match(text)
    if secret is not None:
        return f"{secret[0].strip()} {MASK}"
    return _SECRET_IN_URL.sub(rf"\1{MASK}", text)


def one_line(text: str) -> str:
    """``text`` as it may be drawn anywhere: masked, visible; of a reply of several lines the first and their number."""
    first, *more = masked(text).splitlines() or [""]
    counted = f" … ({len(more) + 1} lines)" if more else ""
    return visible(first) + counted


def label(step: Step) -> str:
    """What stands on the arrow."""
    text = one_line(step.text)
    if step.kind in _TEXT_ONLY:
        said = text
    elif step.kind is Kind.DATA:
        said = f"{step.size:,} octets".replace(",", " ") if step.size != 1 else "1 octet"
        said = f"{said} {text}".rstrip()
    else:
        name = _WORDS.get(step.kind, step.kind.value.upper())
        said = text if text.startswith(name) else f"{name} {text}".rstrip()
    return f"{said} ×{step.times}" if step.times > 1 else said


def port(end: End) -> str:
    """The port as it stands at an end of an arrow."""
    return f":{end.port}" if end.port else ":?"


def lost(step: Step) -> bool:
    """Whether the step is drawn as one that never arrived."""
    return step.target is not None and (step.arrived is False or (bool(step.cause) and step.kind is Kind.SYN))


@dataclass(frozen=True, slots=True)
class Line:
    """A step, in words: ``label`` on the arrow and ``remark`` beside it."""

    step: Step
    label: str
    remark: str


def lines(ladder: Ladder) -> list[Line]:
    """Each step of ``ladder`` in words."""
    homes = {party.name: party.address for party in ladder.parties}
    several = len({step.connection for step in ladder.steps if step.connection != CONTROL}) > 1
    begun: set[tuple[int, frozenset[str]]] = set()
    told: list[Line] = []
    before: Step | None = None
    for step in ladder.steps:
        parts: list[str] = []
        between = frozenset(end.party for end in _ends(step))
        if (step.connection, between) not in begun and step.kind not in {Kind.NOTE, Kind.LISTEN}:
            begun.add((step.connection, between))
            number = f" {step.connection}" if several else ""
            parts.append("control" if step.connection == CONTROL else f"data{number}")
        parts.extend(_remark(step, homes))
        if before is not None and step.at - before.at >= PAUSE:
            parts.append(f"after {step.at - before.at:.1f} s")
        remark = ": ".join(filter(None, (parts[0], ", ".join(parts[1:])))) if parts else ""
        if step.cause and f"({step.cause})" not in remark:
            remark = f"{remark} ({visible(step.cause)})".lstrip()
        told.append(Line(step, label(step), remark))
        before = step
    return told


def heading(name: str, address: str) -> str:
    """A party as it stands above its column."""
    return visible(f"{name} {address}".rstrip())


def summary(told: Sequence[Line]) -> list[str]:
    """What failed, where, and its cause: a line for each kind of failure, however often it was met."""
    first: dict[tuple[str, str], str] = {}
    times: Counter[tuple[str, str]] = Counter()
    for line in told:
        step = line.step
        if not step.cause:
            continue
        kind = line.label, step.cause
        where = f" to {_shown(step.target)}" if step.target is not None and step.kind is not Kind.REPLY else ""
        first.setdefault(kind, f"{cut(line.label, _SUMMED_UP)}{where} at {step.at:.3f} s")
        times[kind] += 1
    further = {kind: f", and {count - 1} more" if count > 1 else "" for kind, count in times.items()}
    return [f"{where}{further[kind]}: {visible(kind[1])}" for kind, where in first.items()]


def _remark(step: Step, homes: dict[str, str]) -> list[str]:
    parts = [one_line(step.note) or _meaning(step)]
    elsewhere = [end for end in _ends(step) if end.address and end.address != homes.get(end.party, end.address)]
    if step.kind is Kind.SYN or step.cause:
        parts.extend(f"{visible(end.party)} at {visible(end.address)}" for end in elsewhere)
    return [part for part in parts if part]


def _meaning(step: Step) -> str:
    """Where the next data connection goes, with the arithmetic of PORT and 227 (RFC 959 section 4.1.2, RFC 2428)."""
    verb, _, argument = step.text.partition(" ")
    found = _ANNOUNCEMENTS.get((step.kind, verb.upper()))
    try:
        host, number, summed = found(argument) if found is not None else ("", 0, False)
    except ProtocolError:
        return ""
    if not number:
        return ""
    sum_of = f" = {number >> 8} × 256 + {number & 0xFF}" if summed else ""
    if host in {"", step.source.address}:
        return f"call me at {number}{sum_of}"
    return f"call {host} port {number}{sum_of}"


_ANNOUNCEMENTS: Mapping[tuple[Kind, str], Callable[[str], tuple[str, int, bool]]] = {
    (Kind.COMMAND, "PORT"): lambda argument: (*parse_port(argument), True),
    (Kind.COMMAND, "EPRT"): lambda argument: (*parse_eprt(argument)[1:], False),
    (Kind.REPLY, "227"): lambda text: (*parse_pasv_reply(text), True),
    (Kind.REPLY, "229"): lambda text: ("", parse_epsv_reply(text), False),
}
"""What announces a port: the address where it tells one, the port, and whether it came as two numbers."""


def _ends(step: Step) -> tuple[End, ...]:
    return (step.source,) if step.target is None else (step.source, step.target)


def _shown(end: End) -> str:
    host = visible(end.address) or visible(end.party)
    return f"[{host}]{port(end)}" if ":" in host else f"{host}{port(end)}"
