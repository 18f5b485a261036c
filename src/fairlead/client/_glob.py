"""Names by pattern: what a shell's ``*``, ``?`` and ``[a-z]`` match, segment by segment, and ``**`` at any depth."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from fnmatch import fnmatchcase

from fairlead.client._core import Session, check_paths
from fairlead.client._listing import scandir
from fairlead.client._walk import below, walk
from fairlead.proto.entry import Entry, Kind
from fairlead.proto.path import is_pattern

ANY_DEPTH = "**"
"""The segment that stands for any number of directories, none included."""


async def glob(session: Session, pattern: str, *, within: str = "", hidden: bool = False) -> list[Entry]:
    """See :meth:`fairlead.client.sync.Client.glob`.

    ``within`` is the directory to begin in, which is no pattern; with ``hidden`` a leading dot is a character like any
    other.
    """
    check_paths(within, pattern)
    *directories, last = pattern.split("/")
    search = _Search(session, hidden=hidden)
    places, guessed = [below(within, "")] if within else [""], False
    for segment in directories:
        guessed = guessed or is_pattern(segment)
        if segment == ANY_DEPTH:
            places = list(dict.fromkeys([place for top in places async for place in search.depths(top)]))
        elif guessed:
            found = await search.matches(places, segment)
            places = [f"{entry.name}/" for entry in found if entry.kind is Kind.DIRECTORY]
        else:
            places = [f"{place}{segment}/" for place in places]
    return sorted(await search.matches(places, last), key=lambda entry: entry.name)


class _Search:
    """Lists each directory once."""

    def __init__(self, session: Session, *, hidden: bool) -> None:
        self._session = session
        self._hidden = hidden
        self._listed: dict[str, list[Entry]] = {}

    async def depths(self, top: str) -> AsyncIterator[str]:
        """``top`` and the directories below it, each with a slash at its end unless it is the working directory."""
        async for here in walk(self._session, _plain(top), None):
            self._listed[here.path] = [*here.directories, *here.others]
            here.directories[:] = [entry for entry in here.directories if self._shown(entry)]
            yield below(here.path, "") if here.path else ""

    async def matches(self, places: list[str], segment: str) -> list[Entry]:
        """What matches in ``places``, by its path."""
        found: list[Entry] = []
        for place in places:
            path = _plain(place)
            if path not in self._listed:
                self._listed[path] = await scandir(self._session, path)
            found += [entry._replace(name=place + entry.name) for entry in self._chosen(path, segment)]
        return found

    def _chosen(self, path: str, segment: str) -> Iterator[Entry]:
        """Those that match; a leading dot has to be asked for, and no name leads to another directory."""
        for entry in self._listed[path]:
            shown = segment.startswith(".") or self._shown(entry)
            if shown and "/" not in entry.name and fnmatchcase(entry.name, segment):
                yield entry

    def _shown(self, entry: Entry) -> bool:
        return self._hidden or not entry.name.startswith(".")


def _plain(place: str) -> str:
    return place.rstrip("/") or place[:1]
