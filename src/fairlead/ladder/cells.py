"""Text measured in the cells of a terminal, where some characters take two and some take none."""

from __future__ import annotations

from unicodedata import category, east_asian_width

ELLIPSIS = "…"
_WIDE = {"W", "F"}
_UPON_OTHERS = {"Mn", "Me"}
_PILE = 2
"""Marks upon one character that are left; more of them would cover the lines above and below."""


def visible(text: str) -> str:
    """``text`` in one line, with what steers a terminal or hides (controls, direction marks, surrogates) escaped."""
    if text.isascii() and text.isprintable():
        return text
    shown, pile = [], 0
    for character in text:
        pile = pile + 1 if category(character) in _UPON_OTHERS else 0
        if pile > _PILE:
            continue
        shown.append(character if character.isprintable() else _escape(ord(character)))
    return "".join(shown)


def width(text: str) -> int:
    """Cells that ``text`` takes; it holds nothing that :func:`visible` escapes."""
    return len(text) if text.isascii() else sum(map(_cells, text))


def cut(text: str, cells: int) -> str:
    """As much of ``text`` as fits into ``cells``; what is missing is marked by an ellipsis."""
    if width(text) <= cells:
        return text
    if cells < 1:
        return ""
    kept, room = [], cells - 1
    for character in text:
        room -= _cells(character)
        if room < 0:
            break
        kept.append(character)
    return "".join(kept).rstrip() + ELLIPSIS


def left(text: str, cells: int, fill: str = " ") -> str:
    """``text`` at the left of ``cells``, cut where it is longer."""
    text = cut(text, cells)
    return text + fill * (cells - width(text))


def right(text: str, cells: int, fill: str = " ") -> str:
    """``text`` at the right of ``cells``, cut where it is longer."""
    text = cut(text, cells)
    return fill * (cells - width(text)) + text


def centre(text: str, cells: int, fill: str = " ") -> str:
    """``text`` in the middle of ``cells``, cut where it is longer."""
    text = cut(text, cells)
    return right(text, (cells + width(text)) // 2, fill) + fill * (cells - (cells + width(text)) // 2)


def wrap(text: str, cells: int) -> list[str]:
    """``text`` in lines of at most ``cells``, broken at spaces where there are any."""
    lines: list[str] = []
    line = ""
    for word in text.split(" "):
        longer = f"{line} {word}" if line else word
        if width(longer) <= cells:
            line = longer
            continue
        if line:
            lines.append(line)
        while width(word) > cells:
            piece = cut(word, cells + 1)[:-1] or word[0]
            lines.append(piece)
            word = word[len(piece) :]  # noqa: PLW2901 - the rest of a word that is longer than a line
        line = word
    return [*lines, line] if line else lines


def _cells(character: str) -> int:
    if character.isascii():
        return 1
    if category(character) in _UPON_OTHERS:
        return 0
    return 2 if east_asian_width(character) in _WIDE else 1


def _escape(number: int) -> str:
    if number <= 0xFF:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number <= 0xFFFF else f"\\U{number:08x}"
