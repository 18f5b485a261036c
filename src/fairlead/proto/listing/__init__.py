"""Directory listings of any server to entries.

LIST has no format: each line is tried as each dialect, first as the one that the line before it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from fairlead.proto.entry import Entry, Kind
from fairlead.proto.listing.dos import parse_dos
from fairlead.proto.listing.eplf import parse_eplf
from fairlead.proto.listing.mlsx import parse_mlsd
from fairlead.proto.listing.unix import parse_unix

__all__ = ["DIALECTS", "Entry", "Kind", "parse"]

DIALECTS = ("mlsx", "eplf", "unix", "dos")
"""The dialects that are read, in the order in which they are tried."""

_HERE_AND_ABOVE = frozenset((".", ".."))


def parse(lines: Iterable[str], *, now: float, hint: str | None = None) -> list[Entry]:
    """The entries of a listing, in its order, without ``.`` and ``..``.

    ``now``, in seconds since the epoch, is when the listing was made, for dialects that leave out the year. ``hint`` is
    the dialect to try first (one of :data:`DIALECTS`, else ValueError); lines of an MLSD should come with ``mlsx``, the
    only hint under which a line without facts is read. A line that no dialect knows is left out and spoils nothing.
    """
    readers: list[Callable[[str], Entry | None]] = [
        lambda line: parse_mlsd(line, bare=hint == "mlsx"),
        parse_eplf,
        lambda line: parse_unix(line, now=now),
        parse_dos,
    ]
    if hint is not None:
        readers.insert(0, readers.pop(DIALECTS.index(hint)))
    entries: list[Entry] = []
    for line in lines:
        text = line.removesuffix("\n").removesuffix("\r")
        for position, read in enumerate(readers):
            entry = read(text)
            if entry is not None:
                readers.insert(0, readers.pop(position))
                if entry.name not in _HERE_AND_ABOVE:
                    entries.append(entry)
                break
    return entries
