"""A ladder as a sequence diagram of Mermaid, for pages that draw those."""

from __future__ import annotations

import re
from collections.abc import Iterator

from fairlead.ladder import words
from fairlead.ladder.cells import cut
from fairlead.ladder.model import CONTROL, Kind, Ladder
from fairlead.ladder.words import Line

_WIDEST = 64
"""Cells of a label; the drawing grows with the longest one."""
_PLAIN = re.compile(r"[^A-Za-z0-9 .,:()\[\]/_*=|+-]")
_KEYWORDS = re.compile(r"(?i)style|classdef")
"""Words that make Mermaid's preprocessor eat a semicolon later in the line."""


def draw(ladder: Ladder) -> str:
    """``ladder`` as the source of a ``sequenceDiagram``.

    Solid arrows are the control connection's, dotted ones those of data connections; a cross is what never arrived.
    Whatever could be read as markup is written as a character code.
    """
    return "".join(f"{line}\n" for line in _lines(ladder))


def _lines(ladder: Ladder) -> Iterator[str]:
    yield "sequenceDiagram"
    if ladder.title:
        yield f"    title {_escape(words.one_line(ladder.title))}"
    names = {party.name: f"p{number}" for number, party in enumerate(ladder.parties)}
    for party in ladder.parties:
        yield f"    participant {names[party.name]} as {_escape(words.heading(party.name, party.address)) or '-'}"
    for line in words.lines(ladder):
        yield from _step(line, names)


def _step(line: Line, names: dict[str, str]) -> Iterator[str]:
    step = line.step
    here = names.get(step.source.party, "p0")
    at = f"{step.at:.3f}"
    if step.target is None:
        where = f"{words.port(step.source)} " if step.source.port else ""
        remark = f" – {line.remark}" if line.remark else ""
        yield f"    Note over {here}: {_escape(f'{at} {where}{line.label}{remark}')}"
        return
    there = names.get(step.target.party, "p0")
    ports = f"{words.port(step.source)} → {words.port(step.target)}"
    text = _escape(f"{at} {ports} {cut(line.label, _WIDEST)}")
    yield f"    {here}{_arrow(line)}{there}: {text}"
    if line.remark:
        mark = "✕ " if step.cause else ""
        yield f"    Note over {here},{there}: {_escape(mark + line.remark)}"


def _arrow(line: Line) -> str:
    dotted = "" if line.step.connection == CONTROL else "-"
    if words.lost(line.step) or line.step.kind is Kind.RST:
        return f"-{dotted}x"
    return f"-{dotted}>>"


def _escape(text: str) -> str:
    coded = _PLAIN.sub(lambda found: f"#{ord(found[0])};", text)
    return _KEYWORDS.sub(lambda found: f"#{ord(found[0][0])};{found[0][1:]}", coded)
