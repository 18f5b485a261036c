"""Arguments that hold several names: between spaces or commas, in double quotes where need be (COMB, XCRC, MMD5)."""

from __future__ import annotations

import re

from fairlead.errors import ArgumentError

_WORD = r'(?s) *(?:"((?:[^"]|"")*)"|([^" ]+))(?= |$)'
_ITEM = r'(?s) *(?:"((?:[^"]|"")*)" *|([^",]+))(?:,|\Z)'


def split_words(argument: str) -> list[str]:
    """The words of ``argument``; inside quotes ``""`` stands for one quote. Raises ArgumentError on stray quotes."""
    return _split(_WORD, argument.rstrip(" "))


def split_list(argument: str) -> list[str]:
    """What stands between the commas of ``argument``, without spaces around; quotes as in :func:`split_words`.

    Raises ArgumentError on stray quotes and where nothing stands between two commas.
    """
    if argument.rstrip(" ").endswith(","):
        raise ArgumentError("Nothing stands after the last comma")
    return _split(_ITEM, argument)


def _split(form: str, argument: str) -> list[str]:
    pattern = re.compile(form)
    names: list[str] = []
    position = 0
    while position < len(argument):
        match = pattern.match(argument, position)
        if match is None:
            raise ArgumentError("Names with spaces or quotes stand in quotes, quotes inside doubled")
        quoted, plain = match.groups()
        names.append(plain.rstrip(" ") if quoted is None else quoted.replace('""', '"'))
        position = match.end()
    return names


def quote_word(name: str) -> str:
    """``name`` as :func:`split_words` reads it back: quoted where it is empty or holds a space or a quote."""
    if name and " " not in name and '"' not in name:
        return name
    return '"' + name.replace('"', '""') + '"'
