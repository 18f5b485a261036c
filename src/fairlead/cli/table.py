"""The table that ``fairlead ls`` prints, of entries or, by the accelerator, of a machine listing as it came."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

from fairlead import accelerator

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fairlead.proto.entry import Entry

_SIDES = "<<<><"
"""How the columns of a table are set, but for the name, which is last."""
_MINUTES = len("YYYY-MM-DD HH:MM")
_KINDS = {"file": "-", "directory": "d", "link": "l", "other": "?"}
_UNPRINTABLE = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]")
"""Control characters; no name holds LF, which ends the lines of listings."""
_PAYS_FROM = 16 << 10
"""Octets of a listing from which on it pays to load what makes tables quickly."""


def table(entries: Iterable[Entry]) -> list[str]:
    """Lines as ``ls -l`` prints them; what no entry tells has no column. Times are in UTC."""
    rows = [_row(entry) for entry in entries]
    if not rows:
        return []
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    columns = [f"{{{number}:{_SIDES[number]}{width}}}" for number, width in enumerate(widths[:-1]) if width]
    form = " ".join([*columns, f"{{{len(widths) - 1}}}"])
    return [form.format(*row) for row in rows]


def _row(entry: Entry) -> tuple[str, str, str, str, str, str]:
    name = f"{entry.name} -> {entry.target}" if entry.target is not None else entry.name
    modified = entry.modified.isoformat(" ", "minutes")[:_MINUTES] if entry.modified is not None else ""
    size = str(entry.size) if entry.size is not None else ""
    permissions = _KINDS[entry.kind] + (entry.permissions or "")
    return permissions, entry.owner or "", entry.group or "", size, modified, name


def masked(text: str) -> str:
    """``text`` with a question mark for each control character but LF."""
    return _UNPRINTABLE.sub("?", text)


def quick_table(octets: bytes) -> memoryview | None:
    """What :func:`table` makes of the entries of a machine listing, by name, control characters masked, in UTF-8.

    None where the accelerator is not in use or leaves the listing to Python: what is out of the ordinary, such as a
    time with a fraction, takes no shorter way than everything else. In a short listing it is not asked.
    """
    functions = _functions() if len(octets) >= _PAYS_FROM and _is_utf_8(octets) else None
    if functions is None:
        return None
    import ctypes

    read, finish = functions
    size = ctypes.c_size_t()
    rows = read(octets, len(octets), size)
    if rows is None:
        return None
    lines = bytearray(size.value)
    written = finish(rows, (ctypes.c_char * len(lines)).from_buffer(lines))
    return memoryview(lines)[:written]


@cache
def _functions() -> tuple[Any, Any] | None:
    """What table.c exports, where the accelerator is in use."""
    _, library = accelerator.find()
    if library is None:
        return None
    import ctypes

    read, finish = library.fairlead_table_read, library.fairlead_table_finish
    read.argtypes = ctypes.c_char_p, ctypes.c_size_t, ctypes.POINTER(ctypes.c_size_t)
    read.restype = ctypes.c_void_p
    finish.argtypes, finish.restype = (ctypes.c_void_p, ctypes.c_void_p), ctypes.c_size_t
    return read, finish


def _is_utf_8(octets: bytes) -> bool:
    """Whether octets sort as the characters do that they stand for."""
    try:
        return octets.isascii() or bool(octets.decode())
    except UnicodeDecodeError:
        return False
