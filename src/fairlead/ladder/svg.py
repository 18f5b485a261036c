"""A ladder as a picture that any browser shows: SVG without scripts, legible on light and on dark."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from fairlead.ladder import words
from fairlead.ladder.cells import cut, width, wrap
from fairlead.ladder.model import CONTROL, Kind, Ladder, Step
from fairlead.ladder.words import Line

_CELL = 7.3
"""Pixels of a cell of the monospaced fonts below, the widest of them."""
_LINE = 16
_ROW = 30
_TOP = 62
_MARGIN = 16
_PORT_CELLS = 7
_LEAST_ARROW, _MOST_ARROW, _MOST_ARROW_OF_SEVERAL = 24, 64, 48
_REMARK_CELLS = 34
_STYLE = """
svg{color-scheme:light dark;background:#fff}
text{font:12px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;fill:#1c2430}
.h{font-weight:700}.t,.r{fill:#5b6675}.p{fill:#5b6675}
.bg{fill:#fff}.l{stroke:#aab2bd;stroke-dasharray:3 4}
.c line{stroke:#1c2430}.d line{stroke:#0b62c4;stroke-width:2.4}.d .a{fill:#0b62c4}
.s line{stroke:#18794e;stroke-width:1.6}.s .a{fill:#18794e}
.f line,.x{stroke:#c62a2f}.f .a,.f .r{fill:#c62a2f;font-weight:700}
.c polygon{fill:#1c2430}.d polygon{fill:#0b62c4}.s polygon{fill:#18794e}.f polygon{fill:#c62a2f}
.x{fill:none;stroke-width:2.4}
@media(prefers-color-scheme:dark){svg{background:#11161d}.bg{fill:#11161d}text{fill:#e6e9ee}.t,.r,.p{fill:#9aa5b4}
.l{stroke:#4b5666}.c line{stroke:#e6e9ee}.c polygon{fill:#e6e9ee}.d line{stroke:#6cb0ff}.d .a,.d polygon{fill:#6cb0ff}
.s line{stroke:#56c98f}.s .a,.s polygon{fill:#56c98f}.f line,.x{stroke:#ff7b7e}.f .a,.f .r,.f polygon{fill:#ff7b7e}}
"""


def draw(ladder: Ladder) -> str:
    """``ladder`` as an SVG document; its title and description tell those who cannot see it what it shows."""
    return "".join(f"{line}\n" for line in _Sheet(ladder).lines())


class _Sheet:
    def __init__(self, ladder: Ladder) -> None:
        self._ladder = ladder
        self._told = words.lines(ladder)
        self._places = {party.name: place for place, party in enumerate(ladder.parties)}
        self._spaces = max(len(ladder.parties) - 1, 1)
        longest = max((width(line.label) for line in self._told), default=0)
        self._headings = [cut(words.heading(party.name, party.address), _MOST_ARROW) for party in ladder.parties]
        headings = [width(heading) for heading in self._headings]
        cells = max(_LEAST_ARROW, min(longest + 4, _MOST_ARROW), *(heading + 2 for heading in headings), 0)
        self._cells = cells if self._spaces == 1 else min(cells, max(_MOST_ARROW_OF_SEVERAL, *headings))
        time = max((len(f"{step.at:.3f}") for step in ladder.steps), default=5)
        self._left = _MARGIN + (time + 2) * _CELL
        self._gap = (self._cells + 2 * _PORT_CELLS) * _CELL
        self._right = self._left + self._gap * self._spaces
        remarks = min(max((width(line.remark) for line in self._told), default=0), _REMARK_CELLS)
        self._width = round(self._right + max(remarks, 8) * _CELL + 2 * _MARGIN)

    def lines(self) -> Iterator[str]:
        """The document's lines."""
        body = list(self._body())
        height = self._height
        title = words.one_line(self._ladder.title) or "The connections of an FTP session"
        yield '<?xml version="1.0" encoding="UTF-8"?>'
        yield (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{self._width}" height="{height}"'
            f' viewBox="0 0 {self._width} {height}" role="img" aria-labelledby="title desc">'
        )
        yield f'<title id="title">{_safe(title)}</title>'
        yield f'<desc id="desc">{_safe(self._description())}</desc>'
        yield f"<style>{_STYLE}</style>"
        yield f'<rect class="bg" width="{self._width}" height="{height}"/>'
        yield _text(_MARGIN, 22, cut(title, int(self._width / _CELL) - 4), "h")
        for place, heading in enumerate(self._headings):
            x = self._x(place)
            yield f'<line class="l" x1="{x:.0f}" y1="{_TOP - 8}" x2="{x:.0f}" y2="{height - _MARGIN}"/>'
            yield self._heading(place, heading)
        yield from body
        yield "</svg>"

    def _body(self) -> Iterator[str]:
        y = _TOP + 18
        for line in self._told:
            remark = wrap(line.remark, _REMARK_CELLS)
            yield from self._row(line, remark, y)
            y += max(_ROW, len(remark) * _LINE + 6)
        self._height = y + _MARGIN - 6

    def _description(self) -> str:
        parties = ", ".join(self._headings)
        failures = "; ".join(words.summary(self._told)) or "none"
        return f"A sequence diagram. Parties: {parties}. Steps: {len(self._told)}. Failures: {failures}."

    def _x(self, place: int) -> float:
        return self._left + place * self._gap

    def _heading(self, place: int, text: str) -> str:
        last = place == len(self._places) - 1 and place > 0
        anchor = "start" if place == 0 else "end" if last else "middle"
        return _text(self._x(place), _TOP - 16, text, "h", anchor)

    def _row(self, line: Line, remark: list[str], y: float) -> Iterator[str]:
        step = line.step
        yield f'<g class="{_tone(step)}">'
        yield _text(self._left - 2 * _CELL, y, f"{step.at:.3f}", "t", "end")
        here = self._places.get(step.source.party, 0)
        there = here if step.target is None else self._places.get(step.target.party, here)
        if here == there:
            yield from self._happening(line, here, y)
        else:
            yield from self._arrow(line, here, there, y)
        for number, part in enumerate(remark):
            yield _text(self._right + _MARGIN, y + number * _LINE, part, "r")
        yield "</g>"

    def _happening(self, line: Line, here: int, y: float) -> Iterator[str]:
        """Something at one end: a dot on its line and the text beside it, towards the middle."""
        x = self._x(here)
        inwards = here == len(self._places) - 1 and here > 0
        sign, anchor = (-1, "end") if inwards else (1, "start")
        filled = "#888" if line.step.kind is not Kind.LISTEN else "none"
        yield f'<circle cx="{x:.1f}" cy="{y - 4}" r="4" fill="{filled}" stroke="#888" stroke-width="1.6"/>'
        where = f"{words.port(line.step.source)} " if line.step.source.port else ""
        said = f"{where}{cut(line.label, self._cells + _PORT_CELLS - len(where))}"
        yield _text(x + sign * 9, y, said, "a", anchor)

    def _arrow(self, line: Line, here: int, there: int, y: float) -> Iterator[str]:
        step = line.step
        assert step.target is not None
        sign = 1 if there > here else -1
        start, end = self._x(here), self._x(there)
        yield _text(start + sign * 5, y, words.port(step.source), "p", "start" if sign > 0 else "end")
        yield _text(end - sign * 5, y, words.port(step.target), "p", "end" if sign > 0 else "start")
        inset = _PORT_CELLS * _CELL
        start, end = start + sign * inset, end - sign * inset
        room = int(abs(end - start) / _CELL) - 1
        middle = (start + end) / 2
        lost = words.lost(step)
        if lost:
            end = start + (end - start) * 0.62
        line_y = y - 4
        yield f'<line x1="{start:.1f}" y1="{line_y}" x2="{end - sign * 6:.1f}" y2="{line_y}"/>'
        yield _head(end, line_y, sign)
        if step.kind is Kind.TLS:
            yield _head(start, line_y, -sign)
        if lost:
            cross = end + sign * 12
            yield (f'<path class="x" d="M{cross - 5:.1f} {line_y - 5}l10 10m0 -10l-10 10"/>')
        yield _text((start + end) / 2 if lost else middle, y - 9, cut(line.label, room), "a", "middle")


def _tone(step: Step) -> str:
    if step.cause:
        return "f"
    if step.kind is Kind.TLS:
        return "s"
    return "c" if step.connection == CONTROL else "d"


def _head(x: float, y: float, sign: int) -> str:
    """The head of an arrow whose tip is at ``x``."""
    back = x - sign * 9
    return f'<polygon points="{x:.1f},{y} {back:.1f},{y - 4.5} {back:.1f},{y + 4.5}"/>'


def _text(x: float, y: float, text: str, kind: str, anchor: str = "start") -> str:
    placed = "" if anchor == "start" else f' text-anchor="{anchor}"'
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.0f}"{placed} xml:space="preserve">{_safe(text)}</text>'


def _safe(text: str) -> str:
    return escape(text, quote=True)
