"""Files and directories as objects, and how paths lead to them."""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count

from fairlead.errors import Denied, InvalidName, IsADirectory, NoSpace, NotADirectory, NotFound, StorageError
from fairlead.storage import names

PERMISSIONS = 0o777
_NAME_LIMIT = 255
_MAX_LINKS = 40
_ROOM = 1 << 40
_devices = count(1)


@dataclass(eq=False, slots=True)
class Node:
    """What files and directories have in common; times in nanoseconds since the epoch."""

    device: int
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
        own = (self.mode, self.inode, self.device, 1, os.geteuid(), os.getegid(), size)
        return os.stat_result((*own, *seconds), exact)


@dataclass(eq=False, slots=True)
class File(Node):
    """A regular file."""

    data: bytearray = field(default_factory=bytearray)
    live: bool = False
    """Whether an upload works on it."""


@dataclass(eq=False, slots=True)
class Link(Node):
    """A link."""

    text: bytes = b""
    """Where it leads, relative to the directory it is in."""


@dataclass(eq=False, slots=True)
class Directory(Node):
    """A directory, its partial uploads apart from its entries."""

    entries: dict[bytes, File | Directory | Link] = field(default_factory=dict)
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
        self.umask = umask
        self._device = next(_devices)
        self._inodes = count(1)
        self.root = self.new_directory()

    def new_file(self) -> File:
        """A file that nothing leads to yet."""
        now = self.clock()
        return File(self._device, next(self._inodes), stat.S_IFREG | 0o666 & ~self.umask, now, now)

    def new_directory(self) -> Directory:
        """A directory that nothing leads to yet."""
        now = self.clock()
        return Directory(self._device, next(self._inodes), stat.S_IFDIR | 0o777 & ~self.umask, now, now)

    def new_link(self, text: bytes) -> Link:
        """A link that nothing leads to yet."""
        now = self.clock()
        return Link(self._device, next(self._inodes), stat.S_IFLNK | 0o777, now, now, text)

    def find(self, path: str, hidden: type[StorageError] = NotFound) -> File | Directory:
        """What the virtual path leads to. Raises NotFound, NotADirectory, InvalidName, Denied for links in a circle."""
        directory, name = self.settle(path, hidden)
        found = directory.entries.get(name) if name else directory
        if found is None:
            raise NotFound(path)
        assert not isinstance(found, Link)  # settle() followed it
        return found

    def entry(self, path: str) -> File | Directory | Link:
        """What bears the name ``path`` itself: a link is not followed. Raises as :meth:`find`."""
        if path == "/":
            return self.root
        directory, name = self.parent(path)
        if name not in directory.entries:
            raise NotFound(path)
        return directory.entries[name]

    def settle(self, path: str, hidden: type[StorageError] = NotFound) -> tuple[Directory, bytes]:
        """The directory and the name in it to which the links on the way lead; nothing need bear the name.

        The name is empty where ``path`` leads to the directory itself. Raises as :meth:`find`.
        """
        relative = names.relative(path, hidden)
        trail = [self.root]
        pending = [] if relative == b"." else relative.split(b"/")[::-1]
        links = 0
        while pending:
            name = pending.pop()
            if name == b"..":
                if len(trail) == 1:
                    raise Denied(path)
                trail.pop()
                continue
            if len(name) > _NAME_LIMIT:
                raise InvalidName(path)
            node = trail[-1].entries.get(name) if name != b"." else trail[-1]
            if isinstance(node, Link):
                links += 1
                if links > _MAX_LINKS:
                    raise Denied(path)
                pending += node.text.split(b"/")[::-1]
            elif isinstance(node, Directory):
                if node is not trail[-1]:
                    trail.append(node)
            elif not pending:
                return trail[-1], name
            else:
                raise NotFound(path) if node is None else NotADirectory(path)
        return trail[-1], b""

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
        name = names.split(names.relative(path, hidden))[1]
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

    def write(self, file: File, position: int, data: bytes | memoryview, path: str) -> int:
        """Write to ``file`` as much of ``data`` as there is room for; returns how much. Raises NoSpace for none."""
        size = min(len(data), len(file.data) - position + self.room())
        if data and size <= 0:
            raise NoSpace(path)
        file.data[position : position + size] = memoryview(data)[:size]
        file.modified = self.clock()
        return size
