"""Files and directories as objects, and how paths lead to them."""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count

from fairlead.errors import InvalidName, IsADirectory, NoSpace, NotADirectory, NotFound, StorageError
from fairlead.storage import names

PERMISSIONS = 0o777
_NAME_LIMIT = 255
_ROOM = 1 << 40


@dataclass(eq=False, slots=True)
class Node:
    """What files and directories have in common; times in nanoseconds since the epoch."""

    inode: int
    mode: int
    modified: int
    accessed: int

    def status(self) -> os.stat_result:
        """The status a local file of this kind would have."""
        size = len(self.data) if isinstance(self, File) else 0
        times = {"st_atime": self.accessed, "st_mtime": self.modified, "st_ctime": self.modified}
        seconds = (nanoseconds // 10**9 for nanoseconds in times.values())
        exact = {name: nanoseconds / 1e9 for name, nanoseconds in times.items()}
        exact |= {f"{name}_ns": nanoseconds for name, nanoseconds in times.items()}
        return os.stat_result((self.mode, self.inode, 0, 1, os.geteuid(), os.getegid(), size, *seconds), exact)


@dataclass(eq=False, slots=True)
class File(Node):
    """A regular file."""

    data: bytearray = field(default_factory=bytearray)
    live: bool = False
    """Whether an upload works on it."""


@dataclass(eq=False, slots=True)
class Directory(Node):
    """A directory, its partial uploads apart from its entries."""

    entries: dict[bytes, File | Directory] = field(default_factory=dict)
    partials: dict[bytes, File] = field(default_factory=dict)

    def below(self) -> Iterator[Directory]:
        """This directory and all below it."""
        yield self
        for entry in self.entries.values():
            if isinstance(entry, Directory):
                yield from entry.below()


class Tree:
    """The root, the room that is left, and the lock all use of them is made under."""

    def __init__(self, capacity: int | None, umask: int, clock: Callable[[], int]) -> None:
        """``capacity`` in octets, None for any; ``clock`` gives nanoseconds since the epoch."""
        self.lock = threading.RLock()
        self.clock = clock
        self._capacity = capacity
        self._umask = umask
        self._inodes = count(1)
        self.root = self.new_directory()

    def new_file(self) -> File:
        """A file that nothing leads to yet."""
        now = self.clock()
        return File(next(self._inodes), stat.S_IFREG | 0o666 & ~self._umask, now, now)

    def new_directory(self) -> Directory:
        """A directory that nothing leads to yet."""
        now = self.clock()
        return Directory(next(self._inodes), stat.S_IFDIR | 0o777 & ~self._umask, now, now)

    def find(self, path: str, hidden: type[StorageError] = NotFound) -> File | Directory:
        """What the virtual path leads to. Raises NotFound, NotADirectory, InvalidName."""
        node: File | Directory = self.root
        relative = names.relative(path, hidden)
        for name in () if relative == b"." else relative.split(b"/"):
            if isinstance(node, File):
                raise NotADirectory(path)
            if len(name) > _NAME_LIMIT:
                raise InvalidName(path)
            if name not in node.entries:
                raise NotFound(path)
            node = node.entries[name]
        return node

    def directory(self, path: str) -> Directory:
        """As :meth:`find`, for a directory."""
        node = self.find(path)
        if isinstance(node, File):
            raise NotADirectory(path)
        return node

    def file(self, path: str) -> File:
        """As :meth:`find`, for a file."""
        node = self.find(path)
        if isinstance(node, Directory):
            raise IsADirectory(path)
        return node

    def parent(self, path: str, hidden: type[StorageError] = NotFound) -> tuple[Directory, bytes]:
        """The directory that holds ``path``, and the name in it, which need not exist."""
        _, name = names.split(names.relative(path, hidden))
        if len(name) > _NAME_LIMIT:
            raise InvalidName(path)
        return self.directory(path.rpartition("/")[0] or "/"), name

    def room(self) -> int:
        """How many octets can still be stored."""
        if self._capacity is None:
            return _ROOM
        files = [file for directory in self.root.below() for file in directory.partials.values()]
        for directory in self.root.below():
            files += [entry for entry in directory.entries.values() if isinstance(entry, File)]
        return self._capacity - sum(len(file.data) for file in files)

    def append(self, file: File, data: bytes, path: str) -> int:
        """Add to ``file`` as much of ``data`` as there is room for; returns how much. Raises NoSpace for none."""
        size = min(len(data), self.room())
        if data and size <= 0:
            raise NoSpace(path)
        file.data += memoryview(data)[:size]
        file.modified = self.clock()
        return size
