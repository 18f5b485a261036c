"""Arguments that hold several names: words between spaces, those with spaces in double quotes (COMB, XCRC and kin)."""

from __future__ import annotations

import re

from fairlead.errors import ArgumentError

_WORD = re.compile(r' *(?:"((?:[^"]|"")*)"|([^" ]+))(?= |$)', re.DOTALL)


def split_words(argument: str) -> list[str]:
    """The words of ``argument``; inside quotes ``""`` stands for one quote. Raises ArgumentError on stray quotes."""
    words: list[str] = []
    position = 0
    end = len(argument.rstrip(" "))
    while position < end:
        match = _WORD.match(argument, position)
        if match is None:
            raise ArgumentError("Names with spaces or quotes stand in quotes, quotes inside doubled")
        quoted, plain = match.groups()
        words.append(plain if quoted is None else quoted.replace('""', '"'))
        position = match.end()
    return words


def quote_word(name: str) -> str:
    """``name`` as :func:`split_words` reads it back: quoted where it is empty or holds a space or a quote."""
    if name and " " not in name and '"' not in name:
        return name
    return '"' + name.replace('"', '""') + '"'
