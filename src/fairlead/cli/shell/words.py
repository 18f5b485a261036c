"""A line as words: quotes and backslashes as a shell has them, and what a pattern may be."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

from fairlead.errors import ConfigError

_MAGIC = "*?["
_SPECIAL = re.compile(r"""[\s\\"'#]""")


class Word(str):
    """A word, its quotes taken off.

    ``pattern`` matches names, where the word ``is_pattern``; in it, what was quoted matches only itself.
    """

    __slots__ = ("is_pattern", "pattern")
    pattern: str
    is_pattern: bool

    def __new__(cls, text: str, pattern: str = "", *, is_pattern: bool = False) -> Self:
        """As str."""
        word = super().__new__(cls, text)
        word.pattern, word.is_pattern = pattern, is_pattern
        return word


@dataclass(frozen=True, slots=True)
class Unfinished:
    """The word at the end of a line that is still being typed."""

    text: str
    start: int
    """Where in the line it begins."""
    quote: str
    """The quote that is open, or empty."""


def split(line: str) -> list[Word]:
    """The words of ``line``. Raises ConfigError where a quote is not closed."""
    words, last = _scan(line)
    if last.quote:
        message = (
            f"the quote {last.quote} is not closed; close it, or write \\{last.quote} for one that is a part of a name"
        )
        raise ConfigError(message)
    return words


def unfinished(line: str) -> tuple[list[Word], Unfinished]:
    """The whole words of ``line``, and the one at its end that is still being typed, which may be empty."""
    words, last = _scan(line)
    if last.start < len(line):
        words.pop()
    return words, last


def quoted(text: str, quote: str = "") -> str:
    """``text`` as one word of a line, behind the ``quote`` that is open already where there is one."""
    if quote == "'":
        return text.replace("'", "'\\''")
    if quote:
        return re.sub(r'([\\"])', r"\\\1", text)
    escaped = re.sub(r"""([\s\\"'*?\[])""", r"\\\1", text)
    return f"\\{escaped}" if escaped.startswith("#") else escaped


def needs_quotes(text: str) -> bool:
    """Whether ``text`` would not stand for itself in a line."""
    return not text or _SPECIAL.search(text) is not None


def _scan(line: str) -> tuple[list[Word], Unfinished]:
    words: list[Word] = []
    position, start, quote = 0, len(line), ""
    while position < len(line):
        if line[position].isspace():
            position += 1
            continue
        start = position
        word, position, quote = _word(line, position)
        words.append(word)
    if not words or (line[-1].isspace() and not quote and not _escaped_end(line)):
        return words, Unfinished("", len(line), "")
    return words, Unfinished(str(words[-1]), start, quote)


def _escaped_end(line: str) -> bool:
    """Whether the last character of ``line`` stands behind a backslash that counts."""
    before = line[:-1]
    return (len(before) - len(before.rstrip("\\"))) % 2 == 1


def _word(line: str, position: int) -> tuple[Word, int, str]:
    """The word that begins at ``position``, where it ends, and the quote that stays open."""
    text, pattern, quote, magic = "", "", "", False
    while position < len(line):
        character = line[position]
        if not quote and character.isspace():
            break
        position += 1
        if character == quote:
            quote = ""
        elif not quote and character in "\"'":
            quote = character
        elif character == "\\" and quote != "'" and position < len(line):
            if quote and line[position] not in '\\"':
                text, pattern = text + "\\", pattern + "\\"
            text, pattern = text + line[position], pattern + _literal(line[position])
            position += 1
        else:
            text, pattern = text + character, pattern + (_literal(character) if quote else character)
            magic = magic or (not quote and character in _MAGIC)
    return Word(text, pattern, is_pattern=magic), position, quote


def _literal(character: str) -> str:
    return f"[{character}]" if character in _MAGIC else character
