"""A tree of files in memory, for tests: what :class:`fairlead.storage.local.LocalStorage` does, without a disk."""

from __future__ import annotations

import copy
import os
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from fairlead.errors import AlreadyExists, Denied, InvalidName, IsADirectory, NotADirectory, NotEmpty, NotFound
from fairlead.storage import names
from fairlead.storage.base import Intent, Item
from fairlead.storage.memory.transfer import MemorySource, MemoryUpload
from fairlead.storage.memory.tree import PERMISSIONS, Directory, File, Link, Tree

if TYPE_CHECKING:
    from fairlead.proto.listing.layout import Formatter

_SORTED_LIMIT = 10_000
_BATCH = 1_000


class MemoryStorage:
    """Files in memory as :class:`fairlead.storage.base.Storage`; may be used from several threads."""

    inline = True

    def __init__(
        self, *, capacity: int | None = None, umask: int = 0o022, clock: Callable[[], int] = time.time_ns
    ) -> None:
        """``capacity`` is how many octets all files may hold, None for any; ``clock`` gives nanoseconds."""
        self._tree = Tree(capacity, umask, clock)

    @property
    def umask(self) -> int:
        """The permission bits that what is new does not get."""
        return self._tree.umask

    def with_umask(self, umask: int) -> MemoryStorage:
        """See :meth:`fairlead.storage.base.Storage.with_umask`."""
        other = copy.copy(self)
        other._tree = copy.copy(self._tree)  # noqa: SLF001 - its own
        other._tree.umask = umask  # noqa: SLF001
        return other

    def stat(self, path: str, *, follow: bool = True, owner: str | None = None) -> os.stat_result:
        """See :meth:`fairlead.storage.base.Storage.stat`."""
        with self._tree.lock:
            try:
                return (self._tree.find(path) if follow else self._tree.entry(path)).status()
            except NotFound:
                if owner is None:
                    raise
                parent, name = self._tree.settle(path)
                kept = parent.partials.get(names.partial(name, owner))
                if kept is None:
                    raise
                return kept.status()

    def entry(self, path: str) -> Item:
        """See :meth:`fairlead.storage.base.Storage.entry`."""
        with self._tree.lock:
            node = self._tree.entry(path)
            return Item(path.rpartition("/")[2], node.status(), _target(node))

    def scan(self, path: str) -> Iterator[list[Item]]:
        """See :meth:`fairlead.storage.base.Storage.scan`."""
        with self._tree.lock:
            entries = self._tree.directory(path).entries
            found = list(entries) if len(entries) > _SORTED_LIMIT else sorted(entries)
        return _batches(entries, found)

    def lines(self, path: str, formatter: Formatter) -> Iterator[bytes]:
        """See :meth:`fairlead.storage.base.Storage.lines`."""
        return map(formatter.lines, self.scan(path))

    def open(self, path: str, *, owner: str | None = None) -> MemorySource:
        """See :meth:`fairlead.storage.base.Storage.open`."""
        with self._tree.lock:
            kept = None
            if owner is not None:
                parent, name = self._tree.settle(path)
                kept = parent.partials.get(names.partial(name, owner))
            return MemorySource(self._tree, kept or self._tree.file(path))

    def whole(self, path: str, limit: int) -> bytes | None:
        """See :meth:`fairlead.storage.base.Storage.whole`."""
        source = self.open(path)
        return source.read_cached(limit, 0) if source.status.st_size <= limit else None

    def create(self, path: str, *, intent: Intent, owner: str, offset: int = 0) -> MemoryUpload:
        """See :meth:`fairlead.storage.base.Storage.create`."""
        if path == "/":
            raise IsADirectory(path)
        with self._tree.lock:
            return MemoryUpload(self._tree, path, intent=intent, owner=owner, offset=offset)

    def mkdir(self, path: str) -> None:
        """See :meth:`fairlead.storage.base.Storage.mkdir`."""
        if path == "/":
            raise AlreadyExists(path)
        with self._tree.lock:
            parent, name = self._tree.parent(path, InvalidName)
            if name in parent.entries:
                raise AlreadyExists(path)
            parent.entries[name] = self._tree.new_directory()

    def symlink(self, target: str, path: str) -> None:
        """See :meth:`fairlead.storage.base.Storage.symlink`."""
        if path == "/":
            raise AlreadyExists(path)
        with self._tree.lock:
            parent, name = self._tree.parent(path, InvalidName)
            if name in parent.entries:
                raise AlreadyExists(path)
            parent.entries[name] = self._tree.new_link(names.link_text(target, path))

    def rmdir(self, path: str) -> None:
        """See :meth:`fairlead.storage.base.Storage.rmdir`; a live upload into the directory makes it NotEmpty."""
        if path == "/":
            raise Denied(path)
        with self._tree.lock:
            directory = self._tree.entry(path)
            if not isinstance(directory, Directory):
                raise NotADirectory(path)
            if directory.entries or any(kept.live for kept in directory.partials.values()):
                raise NotEmpty(path)
            parent, name = self._tree.parent(path)
            del parent.entries[name]

    def remove(self, path: str) -> None:
        """See :meth:`fairlead.storage.base.Storage.remove`."""
        with self._tree.lock:
            if isinstance(self._tree.entry(path), Directory):
                raise IsADirectory(path)
            parent, name = self._tree.parent(path)
            del parent.entries[name]

    def rename(self, source: str, target: str) -> None:
        """See :meth:`fairlead.storage.base.Storage.rename`."""
        if source == "/":
            raise Denied(source)
        if target == "/":
            raise AlreadyExists(target)
        with self._tree.lock:
            moved = self._tree.entry(source)
            old, old_name = self._tree.parent(source)
            new, new_name = self._tree.parent(target, InvalidName)
            there = new.entries.get(new_name)
            if there is moved:
                return
            if there is not None and (isinstance(moved, Directory) or isinstance(there, Directory)):
                raise AlreadyExists(target)
            if isinstance(moved, Directory) and any(new is inner for inner in moved.below()):
                raise InvalidName(target)
            new.entries[new_name] = old.entries.pop(old_name)

    def change(
        self, path: str, *, mode: int | None = None, modified_ns: int | None = None, accessed_ns: int | None = None
    ) -> os.stat_result:
        """See :meth:`fairlead.storage.base.Storage.change`; only the nine permission bits of ``mode`` count."""
        with self._tree.lock:
            node = self._tree.find(path)
            if mode is not None:
                node.mode = node.mode & ~PERMISSIONS | mode & PERMISSIONS
            node.modified = node.modified if modified_ns is None else modified_ns
            node.accessed = node.accessed if accessed_ns is None else accessed_ns
            return node.status()

    def free(self, path: str) -> int:
        """See :meth:`fairlead.storage.base.Storage.free`."""
        with self._tree.lock:
            self._tree.find(path)
            return self._tree.room()

    def sweep(self, older_than: float) -> int:
        """Remove the partial uploads that nobody wrote to for ``older_than`` seconds; returns how many went."""
        with self._tree.lock:
            before = self._tree.clock() - int(older_than * 10**9)
            removed = 0
            for directory in self._tree.root.below():
                old = [name for name, kept in directory.partials.items() if not kept.live and kept.modified <= before]
                for name in old:
                    del directory.partials[name]
                removed += len(old)
            return removed


def _batches(entries: dict[bytes, File | Directory | Link], found: list[bytes]) -> Iterator[list[Item]]:
    """The entries ``found``, those left out that are gone by the time their batch is asked for."""
    for start in range(0, len(found), _BATCH):
        batch = [(name, entries.get(name)) for name in found[start : start + _BATCH]]
        if items := [Item(_text(name), node.status(), _target(node)) for name, node in batch if node]:
            yield items


def _target(node: File | Directory | Link) -> str | None:
    return _text(node.text) if isinstance(node, Link) else None


def _text(octets: bytes) -> str:
    return octets.decode("utf-8", "surrogateescape")
