"""Names by pattern: what a shell's ``*``, ``?`` and ``[a-z]`` match, segment by segment."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from fnmatch import fnmatchcase

from fairlead.client._core import Session, check_paths
from fairlead.client._listing import scandir
from fairlead.proto.entry import Entry, Kind

_MAGIC = re.compile(r"[*?\[]")


def is_pattern(path: str) -> bool:
    """Whether ``path`` holds anything but names."""
    return _MAGIC.search(path) is not None


async def glob(session: Session, pattern: str) -> list[Entry]:
    """See :meth:`fairlead.client.sync.Client.glob`."""
    check_paths(pattern)
    *directories, last = pattern.split("/")
    places = [""]
    for segment in directories:
        if is_pattern(segment):
            places = [f"{entry.name}/" for entry in await _matches(session, places, segment) if _holds_more(entry)]
        else:
            places = [f"{place}{segment}/" for place in places]
    return sorted(await _matches(session, places, last), key=lambda entry: entry.name)


async def _matches(session: Session, places: list[str], segment: str) -> list[Entry]:
    found: list[Entry] = []
    for place in places:
        entries = await scandir(session, place.rstrip("/") or place[:1])
        found += [replace(entry, name=place + entry.name) for entry in _chosen(entries, segment)]
    return found


def _chosen(entries: list[Entry], segment: str) -> Iterator[Entry]:
    """Those that match; a leading dot has to be asked for, and no name leads to another directory."""
    for entry in entries:
        hidden = entry.name.startswith(".") and not segment.startswith(".")
        if not hidden and "/" not in entry.name and fnmatchcase(entry.name, segment):
            yield entry


def _holds_more(entry: Entry) -> bool:
    return entry.kind is Kind.DIRECTORY
