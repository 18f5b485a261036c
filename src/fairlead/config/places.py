"""Where in a TOML file a setting stands."""

from __future__ import annotations

import re
from typing import TypeAlias

Keys: TypeAlias = "tuple[str | int, ...]"
"""Keys of tables and indices of arrays, from the root to a setting."""

_KEY = r"""[A-Za-z0-9_-]+|"[^"]*"|'[^']*'"""
_DOTTED = rf"(?:{_KEY})(?:\s*\.\s*(?:{_KEY}))*"
_TABLE = rf"\s*(?P<open>\[\[?)\s*(?P<keys>{_DOTTED})\s*\]"
_SETTING = rf"\s*(?P<keys>{_DOTTED})\s*="


def line_of(text: str, path: Keys) -> int | None:
    """The line, from 1, of the setting ``path`` in the TOML document ``text``, or of what stands nearest above it."""
    table: Keys = ()
    counts: dict[Keys, int] = {}
    best, depth = None, 0
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(_TABLE, line):
            table = _keys(header["keys"])
            if header["open"] == "[[":
                index = counts[table] = counts.get(table, -1) + 1
                table = (*table, index)
            found = table
        elif setting := re.match(_SETTING, line):
            found = (*table, *_keys(setting["keys"]))
        else:
            continue
        if len(found) > depth and path[: len(found)] == found:
            best, depth = number, len(found)
    return best


def _keys(dotted: str) -> Keys:
    return tuple(key.strip("\"'") for key in re.findall(_KEY, dotted))


def written(path: Keys) -> str:
    """``path`` as people write it: ``server.listen[0]``."""
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path).lstrip(".")


def parse(text: str) -> Keys:
    """The path that a checker wrote as ``$.server.listen[0]``."""
    return tuple(int(index) if index else key for key, index in re.findall(r"\.([^.\[\]]+)|\[(\d+)\]", text))
