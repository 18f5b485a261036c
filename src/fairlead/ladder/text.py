"""A ladder as text: a column for each party, an arrow for each step, for a terminal or a file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from fairlead.ladder import words
from fairlead.ladder.cells import centre, cut, left, right, visible, width, wrap
from fairlead.ladder.model import CONTROL, Kind, Ladder, Step
from fairlead.ladder.words import Line

NARROWEST = 40
_REMARKS_BESIDE = 34
"""Cells that each arrow must have left for remarks to stand beside it; else they stand below."""
_MOST_FOR_REMARKS = 0.36
_LEAST_FOR_REMARKS = 26
"""Cells for remarks while texts on arrows would have to be cut for more."""
_ENOUGH = 56
"""Cells with which an arrow can show the replies that matter; longer ones are cut without asking for more."""
_ARROW_ENDS = 5
"""Cells of an arrow that its text leaves: two dashes, a space, one dash and the head, or the same from the right."""
_DIM, _BOLD, _RED, _CYAN, _GREEN = "2", "1", "1;31", "36", "32"
_IN_ASCII = str.maketrans("─═▶◀✕│○·…×", "-=><x|o..x")


def draw(ladder: Ladder, *, width: int = 100, colour: bool = False) -> str:
    """``ladder`` in lines of at most ``width`` cells, each ended by a line feed; ``colour`` by sequences of ECMA-48.

    Arrows of the control connection are single, those of data connections double. What never arrived ends in a cross.
    Text of the session is masked and escaped, so that it is safe on any terminal.
    """
    page = _Page(ladder, max(width, NARROWEST), colour)
    return "".join(f"{line.rstrip()}\n" for line in page.lines())


def in_ascii(drawing: str) -> str:
    """``drawing`` for a terminal that has ASCII only."""
    return drawing.translate(_IN_ASCII).encode("ascii", "backslashreplace").decode()


@dataclass(frozen=True, slots=True)
class _Piece:
    """Some cells of a line in one colour."""

    text: str
    colour: str = ""


class _Page:
    def __init__(self, ladder: Ladder, cells: int, colour: bool) -> None:
        self._ladder = ladder
        self._cells = cells
        self._colour = colour
        self._lines = words.lines(ladder)
        self._places = {party.name: place for place, party in enumerate(ladder.parties)}
        ends = [end for step in ladder.steps for end in (step.source, step.target) if end is not None]
        self._port = max((len(words.port(end)) for end in ends), default=2)
        self._time = max((len(f"{step.at:.3f}") for step in ladder.steps), default=5)
        self._spaces = max(len(ladder.parties) - 1, 1)
        columns = self._port * max(len(ladder.parties), 2) + 2 * self._spaces
        room = cells - self._time - 2 - columns
        longest = max((width(line.remark) for line in self._lines), default=0)
        labels = [width(line.label) + _ARROW_ENDS for line in self._lines]
        wanted = self._spaces * max((cells for cells in labels if cells <= _ENOUGH), default=_ENOUGH)
        remarks = min(longest, int(cells * _MOST_FOR_REMARKS))
        remarks = max(min(remarks, _LEAST_FOR_REMARKS), min(remarks, room - 2 - wanted))
        self._remarks = remarks if (room - remarks - 2) // self._spaces >= _REMARKS_BESIDE else 0
        self._arrow = (room - (self._remarks + 2 if self._remarks else 0)) // self._spaces

    def lines(self) -> Iterator[str]:
        if self._ladder.title:
            yield self._paint([_Piece(cut(words.one_line(self._ladder.title), self._cells), _BOLD)])
        yield from self._heading()
        for line in self._lines:
            yield from self._row(line)
        for failure in words.summary(self._lines):
            for number, part in enumerate(wrap(failure, self._cells - 2)):
                yield self._paint([_Piece(f"  {part}" if number else f"✕ {part}", _RED)])

    def _heading(self) -> Iterator[str]:
        parties = self._ladder.parties
        margin = " " * (self._time + 2)
        room = self._span - 2 * (len(parties) - 1)
        whole = [words.heading(party.name, party.address) for party in parties]
        if sum(map(width, whole)) <= room:
            yield self._paint([_Piece(margin + self._spread(whole), _BOLD)])
            return
        yield self._paint([_Piece(margin + self._spread([visible(party.name) for party in parties]), _BOLD)])
        yield self._paint([_Piece(margin + self._spread([visible(party.address) for party in parties]), _BOLD)])

    @property
    def _span(self) -> int:
        """Cells from the first party's ports to the last one's."""
        return self._port * (self._spaces + 1) + (self._arrow + 2) * self._spaces

    def _spread(self, names: list[str]) -> str:
        """The first name at the left, the last at the right, the others above their columns."""
        if len(names) < 2:
            return "".join(names)
        room = self._span // len(names)
        line = left(names[0], self._start(0)) + cut(names[0], room)
        for place, name in enumerate(names[1:-1], 1):
            shown = cut(name, room - 2)
            middle = self._start(place) + self._port // 2
            start = max(middle - width(shown) // 2, width(line) + 2)
            line += " " * (start - width(line)) + shown
        last = cut(names[-1], max(self._span - width(line) - 2, 1))
        return line + right(last, self._span - width(line))

    def _start(self, place: int) -> int:
        """The first cell of a party's ports."""
        return place * (self._port + self._arrow + 2)

    def _row(self, line: Line) -> Iterator[str]:
        tone = _tone(line.step)
        pieces = [_Piece(f"{line.step.at:.3f}".rjust(self._time) + "  ", _DIM), *self._columns(line, tone)]
        shade = _RED if line.step.cause else _DIM
        if not self._remarks:
            yield self._paint(pieces)
            indent = " " * (self._time + 2 + self._port + 1)
            for part in wrap(line.remark, self._cells - len(indent)):
                yield self._paint([_Piece(indent + part, shade)])
            return
        first, *more = wrap(line.remark, self._remarks) or [""]
        yield self._paint([*pieces, _Piece(f"  {first}", shade)])
        beside = _Piece(" " * (self._time + 2))
        for part in more:
            yield self._paint([beside, *self._idle(), _Piece(f"  {part}", shade)])

    def _idle(self) -> Iterator[_Piece]:
        """The columns where nothing happens."""
        for place in range(self._spaces + 1):
            bar = "│" if place < len(self._places) else ""
            yield _Piece(self._at_place(bar, place), _DIM)
            if place < self._spaces:
                yield _Piece(" " * (self._arrow + 2))

    def _at_place(self, text: str, place: int, *, towards_left: bool | None = None) -> str:
        """``text`` in the cells of a party's ports, next to its arrow."""
        if place == 0 or towards_left is False:
            return right(text, self._port)
        if place == len(self._places) - 1 or towards_left is True:
            return left(text, self._port)
        return centre(text, self._port)

    def _columns(self, line: Line, tone: str) -> Iterator[_Piece]:
        step = line.step
        here = self._places.get(step.source.party, 0)
        there = here if step.target is None else self._places.get(step.target.party, here)
        if here == there:
            yield from self._happening(line, here, tone)
            return
        first, last = sorted((here, there))
        for place in range(self._spaces + 1):
            if place in {first, last}:
                end = step.source if place == here else step.target
                assert end is not None
                yield _Piece(self._at_place(words.port(end), place, towards_left=place == last), tone)
            elif not first < place < last:
                yield _Piece(self._at_place("│", place), _DIM)
            if place == first:
                reach = (last - first) * (self._arrow + 2) + (last - first - 1) * self._port - 2
                yield _Piece(f" {_arrow(line, reach, rightwards=here < there)} ", tone)
            elif place < self._spaces and not first < place < last:
                yield _Piece(" " * (self._arrow + 2))

    def _happening(self, line: Line, here: int, tone: str) -> Iterator[_Piece]:
        """Something at one end: its text stands between that party and the next one."""
        glyph = "○" if line.step.kind is Kind.LISTEN else "·"
        inwards = here == len(self._places) - 1 and here > 0
        space = here - 1 if inwards else here
        for place in range(self._spaces + 1):
            if place == here:
                number = words.port(line.step.source) if line.step.source.port else "│"
                yield _Piece(self._at_place(number, place, towards_left=inwards), tone)
            else:
                bar = "│" if place < len(self._places) else ""
                yield _Piece(self._at_place(bar, place), _DIM)
            if place == space:
                text = cut(line.label, self._arrow - 2)
                placed = right(f"{text} {glyph}", self._arrow) if inwards else left(f"{glyph} {text}", self._arrow)
                yield _Piece(f" {placed} ", tone)
            elif place < self._spaces:
                yield _Piece(" " * (self._arrow + 2))

    def _paint(self, pieces: Iterable[_Piece]) -> str:
        if not self._colour:
            return "".join(piece.text for piece in pieces)
        return "".join(_painted(piece) for piece in pieces)


def _painted(piece: _Piece) -> str:
    if not piece.colour or not piece.text.strip():
        return piece.text
    return f"\x1b[{piece.colour}m{piece.text}\x1b[0m"


def _tone(step: Step) -> str:
    if step.cause:
        return _RED
    if step.kind is Kind.TLS:
        return _GREEN
    return "" if step.connection == CONTROL else _CYAN


def _arrow(line: Line, cells: int, *, rightwards: bool) -> str:
    """An arrow of ``cells``; of one that never arrived only the first part is there."""
    dash = "─" if line.step.connection == CONTROL else "═"
    is_lost = words.lost(line.step)
    text = cut(line.label, max(cells - _ARROW_ENDS - (2 if is_lost else 0), 1))
    if line.step.kind is Kind.TLS:
        return f"◀{centre(f' {text} ' if text else '', cells - 2, dash)}▶"
    length = max(cells * 3 // 5, width(text) + _ARROW_ENDS) if is_lost else cells
    if rightwards:
        drawn = left(f"{dash}{dash} {text} ", length - 1, dash) + "▶"
        return left(f"{drawn} ✕", cells) if is_lost else drawn
    drawn = "◀" + right(f" {text} {dash}{dash}", length - 1, dash)
    return right(f"✕ {drawn}", cells) if is_lost else drawn
