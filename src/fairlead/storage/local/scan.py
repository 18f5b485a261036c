"""Reading a directory in batches of bounded size."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from itertools import islice
from typing import Self

from fairlead.storage.base import Item
from fairlead.storage.local.faults import fault
from fairlead.storage.names import PARTIAL_PREFIX, encode, is_partial

SORTED_LIMIT = 10_000
"""The largest directory that is sorted by name."""
BATCH = 1_000

_new = tuple.__new__


class Scan:
    """The entries of an open directory; takes the descriptor over and closes it at the end or when dropped."""

    _directory = -1

    def __init__(self, directory: int, path: str, *, bare: bool = False) -> None:
        """``path`` is the virtual path, for errors. With ``bare`` entries come without their status, all zeroes.

        Raises StorageError; the descriptor is closed then.
        """
        self._path = path
        self._bare = bare
        try:
            self._entries = os.scandir(directory)
        except OSError as error:
            os.close(directory)
            raise fault(error, path) from error
        self._batches = _read(self._entries)
        self._directory = directory

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> list[Item]:
        if self._directory >= 0:
            try:
                for names in self._batches:
                    if batch := items(self._directory, names, bare=self._bare):
                        return batch
            except OSError as error:
                self.close()
                raise fault(error, self._path) from error
            self.close()
        raise StopIteration

    def close(self) -> None:
        """Release the directory; a second call does nothing."""
        directory, self._directory = self._directory, -1
        if directory >= 0:
            self._entries.close()
            os.close(directory)

    __del__ = close


_NO_STATUS = os.stat_result((0,) * 10)


def items(directory: int, names: list[str], *, bare: bool = False) -> list[Item]:
    """The entries with these names in an open directory; unless ``bare``, one that has no status is left out."""
    lstat = os.lstat
    found = []
    for name in names:
        if name.startswith(PARTIAL_PREFIX) and is_partial(encode(name)):
            continue
        if bare:
            found.append(_new(Item, (name, _NO_STATUS, None)))
            continue
        try:
            status = lstat(name, dir_fd=directory)
            target = link_text(name, directory) if stat.S_ISLNK(status.st_mode) else None
        except OSError:
            continue
        found.append(_new(Item, (name, status, target)))
    return found


def _read(entries: Iterator[os.DirEntry[str]]) -> Iterator[list[str]]:
    """The names in batches, sorted as long as they are few."""
    names = [entry.name for entry in islice(entries, SORTED_LIMIT + 1)]
    if len(names) <= SORTED_LIMIT:
        names.sort(key=None if "".join(names).isascii() else encode)
    for start in range(0, len(names), BATCH):
        yield names[start : start + BATCH]
    del names
    while batch := [entry.name for entry in islice(entries, BATCH)]:
        yield batch


def link_text(name: str, directory: int) -> str | None:
    """The text of a link, but None for an absolute one: it would show the real tree and is never followed."""
    text = os.readlink(name, dir_fd=directory)
    return None if text.startswith("/") else text
