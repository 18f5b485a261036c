"""Whole trees, directory by directory: how much they hold, and removing them. Links are never followed.

Both are pieces for :class:`fairlead.server.work.Work`; no more than a bounded number of names is held at a time.
"""

from __future__ import annotations

import stat
from collections.abc import Generator, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from fairlead.accounts.base import Right
from fairlead.errors import LimitError, NotADirectory, NotFound, StorageError
from fairlead.proto.path import join

if TYPE_CHECKING:
    from fairlead.accounts.base import Account
    from fairlead.storage.base import Item, Storage

WAITING = 100_000
"""Directories that may wait to be looked into."""
AT_ONCE = 1_000
"""Directories of one directory that are removed before it is looked at again."""


def tree_size(storage: Storage, account: Account, path: str) -> Generator[int, None, int]:
    """How many octets the files below ``path`` have together, as far as ``account`` may list them.

    Directories that cannot be listed count as empty, but for the first. Raises StorageError, LimitError.
    """
    hides = account.rules_below(path)
    waiting = [path]
    total = 0
    while waiting:
        directory = waiting.pop()
        try:
            for batch in _entries(storage, directory):
                size = 0
                for name, status, _ in batch:
                    if hides and not account.allows(join(directory, name), Right.LIST):
                        continue
                    if stat.S_ISDIR(status.st_mode):
                        waiting.append(join(directory, name))
                    elif stat.S_ISREG(status.st_mode):
                        size += status.st_size
                total += size
                yield size
        except StorageError:
            if directory == path:
                raise
        if len(waiting) > WAITING:
            message = f"There are more than {WAITING} directories to look into"
            raise LimitError(message)
        yield 0
    return total


class Removal:
    """Removing a directory and all below it."""

    def __init__(self, storage: Storage, path: str) -> None:
        self._storage = storage
        self._path = path
        self.removed = 0
        """Entries removed so far."""

    def pieces(self) -> Generator[int, None, None]:
        """Remove entry by entry. Raises StorageError; what was removed before stays so."""
        storage = self._storage
        stack = [self._path]
        while stack:
            directory = stack[-1]
            below: list[str] = []
            for batch in _entries(storage, directory):
                for item in batch:
                    name = join(directory, item.name)
                    if stat.S_ISDIR(item.status.st_mode):
                        if len(below) < AT_ONCE:
                            below.append(name)
                        continue
                    with suppress(NotFound):
                        storage.remove(name)
                        self.removed += 1
                    yield item.status.st_size
            if not below:
                storage.rmdir(directory)
                self.removed += 1
                stack.pop()
            stack += below
            yield 0


def _entries(storage: Storage, path: str) -> Iterator[list[Item]]:
    """The entries of what is a directory itself, not by a link."""
    if not stat.S_ISDIR(storage.stat(path, follow=False).st_mode):
        raise NotADirectory(path)
    return storage.scan(path)
