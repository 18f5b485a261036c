"""A pool whose one session lists what the test says."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

from fairlead.errors import NoSuchName, PermanentError
from fairlead.proto import listing
from fairlead.proto.entry import Entry, Kind
from fairlead.proto.reply import Reply

Listing = Sequence[Entry | str] | Exception
"""Entries, and lines that nobody can read."""


def refusal(code: int = 550, text: str = "No.") -> PermanentError:
    return PermanentError(Reply(code, text), "LIST")


class Session:
    """Answers from ``listings``, by path; a path that is not there is refused."""

    def __init__(self, listings: Mapping[str, Listing], stats: Mapping[str, Entry]) -> None:
        self.listings = listings
        self.stats = stats
        self.asked: list[str] = []
        self.connected = True
        self.features = {"MLST": "", "MFMT": ""}
        self._session = SimpleNamespace(machine_listings=True, claim=lambda _holder: None, client=self)

    async def listed(self, path: str) -> listing.Listing:
        self.asked.append(path)
        found = self.listings.get(path, refusal())
        if isinstance(found, Exception):
            raise found
        return listing.Listing(
            [one for one in found if isinstance(one, Entry)], [one for one in found if isinstance(one, str)]
        )

    async def cwd(self, path: str) -> None:
        if path not in self.listings:
            raise refusal()

    async def stat(self, path: str) -> Entry:
        if path not in self.stats:
            raise NoSuchName(path)
        return self.stats[path]

    async def size(self, path: str) -> int | None:
        return None

    async def is_dir(self, path: str) -> bool:
        return path in self.listings


class Pool:
    """Lends the one session."""

    def __init__(self, listings: Mapping[str, Listing], stats: Mapping[str, Entry] | None = None) -> None:
        self.session = Session(listings, stats or {})

    @asynccontextmanager
    async def client(self) -> AsyncIterator[Any]:
        yield self.session


def file(name: str, size: int = 1, **facts: Any) -> Entry:
    return Entry(name, Kind.FILE, size, **facts)


def directory(name: str, **facts: Any) -> Entry:
    return Entry(name, Kind.DIRECTORY, **facts)


def link(name: str, target: str | None = None) -> Entry:
    return Entry(name, Kind.LINK, target=target)
