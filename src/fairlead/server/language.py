"""Replies in other languages than English (RFC 2640 section 4).

Whoever makes a reply says it in English. For a session that chose another language each line is looked up as it is
written out: as it stands, or by a template with places for what was filled in. The catalogue of a language is a file
in ``languages``; its tables are the codes of replies, and one for all errors. Keys are the English texts without the
full stop at the end. ``{0}`` stands for any text, ``{0:d}`` for digits, ``{0:w}`` for a word; in the translation
``{0!t}`` for what is itself to be translated. What is in no catalogue is data, and stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache

from fairlead.proto.reply import Reply

DEFAULT = "EN"
TAGS = (DEFAULT, "DE", "FR", "ZH")
ERRORS = 400
"""From this code on all replies share a table."""
SAME = {125: 150, 212: 213}
"""Codes whose texts stand in the table of another."""

_PLACE = r"\{([0-9]+)(?::([dw]))?\}"
_FILLED = r"\{([0-9]+)(!t)?\}"
_KINDS = {None: ".*", "d": "[0-9]+", "w": "[^ ]+"}


class _Template:
    """An English text with places, and what it is in the other language."""

    def __init__(self, text: str, translated: str) -> None:
        pieces = re.split(_PLACE, text)
        pattern = before = re.escape(pieces[0])
        self._order: list[int] = []
        wild = False
        for number, kind, literal in zip(pieces[1::3], pieces[2::3], pieces[3::3], strict=True):
            place = _KINDS[kind]
            if wild and before:
                # A text made to match nearly would cost cubic time and more, were each place to go past the next.
                place = f"(?:(?!{before}){place[:-1]}){place[-1]}"
            wild = wild or kind is None
            before = re.escape(literal)
            pattern += f"({place}){before}"
            self._order.append(int(number))
        self._matches = re.compile(pattern, re.DOTALL).fullmatch
        self._pieces = re.split(_FILLED, translated)

    def fill(self, text: str, translate: Callable[[str], str]) -> str | None:
        """``text`` in the other language; None where it is no text of this template."""
        match = self._matches(text)
        if match is None:
            return None
        values = dict(zip(self._order, match.groups(), strict=True))
        filled = self._pieces[0]
        for number, nested, literal in zip(self._pieces[1::3], self._pieces[2::3], self._pieces[3::3], strict=True):
            value = values[int(number)]
            filled += (translate(value) if nested else value) + literal
        return filled


class Language:
    """One language, from its catalogue."""

    def __init__(self, stop: str, tables: Mapping[str, Mapping[str, str]]) -> None:
        self._stop = stop
        self._plain = {
            name: {key: text for key, text in table.items() if "{" not in key} for name, table in tables.items()
        }
        self._templates = {
            name: [_Template(key, text) for key, text in table.items() if "{" in key] for name, table in tables.items()
        }

    def encode(self, reply: Reply) -> bytes:
        """``reply`` in this language, as :meth:`fairlead.proto.reply.Reply.encode` gives it in English."""
        table = "errors" if reply.code >= ERRORS else str(SAME.get(reply.code, reply.code))
        if table in self._plain:
            reply = Reply(reply.code, *(self._line(table, line) for line in reply.lines))
        return reply.encode()

    def _line(self, table: str, line: str) -> str:
        indent = len(line) - len(line.lstrip(" "))
        body = line[indent:].removesuffix(".")
        found = next(self._found(table, body), None)
        if found is None:
            return line
        return line[:indent] + found + (self._stop if line.endswith(".") else "")

    def _found(self, table: str, text: str) -> Iterator[str]:
        if text in self._plain[table]:
            yield self._plain[table][text]
        for template in self._templates[table]:
            filled = template.fill(text, lambda nested: self._line("errors", nested))
            if filled is not None:
                yield filled


@cache
def language(tag: str) -> Language:
    """The language of a tag among :data:`TAGS` other than the default's. Reads its file the first time."""
    import tomllib  # noqa: PLC0415 - a server whose clients speak English never reads one
    from importlib import resources  # noqa: PLC0415 - as tomllib

    file = resources.files("fairlead.server") / "languages" / f"{tag.lower()}.toml"
    catalogue = tomllib.loads(file.read_text("utf-8"))
    return Language(catalogue["stop"], catalogue["texts"])
