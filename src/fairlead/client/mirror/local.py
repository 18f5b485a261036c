"""The end of a mirror that is here: what a directory holds, and changes to it that never leave it.

Below the top no link is ever followed on the way to what is written or removed: each directory is opened from the one
above it, whatever was put in its place meanwhile.
"""

from __future__ import annotations

import os
import stat
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import suppress
from itertools import chain
from operator import attrgetter
from pathlib import Path

from fairlead.client._local import LocalPath, Part
from fairlead.client._walk import DEEPEST
from fairlead.client.mirror.parts import is_part
from fairlead.client.mirror.tree import Item, Span, Tree, Trouble, Wanted, above
from fairlead.proto.entry import Kind

_BY_DESCRIPTOR = os.open in os.supports_dir_fd
_DIRECTORY = getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
_OPEN_AT_ONCE = 32
_TOLD_APART = frozenset("\r\n\0")
"""Characters that no command can carry."""


def scan(top: LocalPath, wanted: Wanted, *, follow_links: bool = False) -> Tree:
    """All below the directory ``top`` that is ``wanted``. Raises NotADirectoryError for what is none."""
    tree = Tree()
    try:
        status = os.stat(top)
    except FileNotFoundError:
        tree.exists = False
        return tree
    if not stat.S_ISDIR(status.st_mode):
        raise NotADirectoryError(20, "it is no directory", str(top))
    _Scan(Path(top), tree, wanted, follow_links=follow_links).directory("", _identity(status), ())
    return tree


class _Scan:
    def __init__(self, top: Path, tree: Tree, wanted: Wanted, *, follow_links: bool) -> None:
        self._top = top
        self._tree = tree
        self._wanted = wanted
        self._follow = follow_links

    def directory(self, path: str, identity: tuple[int, int], chain: tuple[tuple[int, int], ...]) -> None:
        """Take in what the directory ``path`` holds, which is below those of ``chain``."""
        if identity in chain:
            self._tree.troubles.append(Trouble(path, "it leads back to a directory above it"))
            return
        if len(chain) > DEEPEST:
            self._tree.troubles.append(Trouble(path, f"there are more than {DEEPEST} directories in one another"))
            return
        try:
            with os.scandir(self._top / path) as found:
                entries = sorted(found, key=attrgetter("name"))
        except OSError as error:
            self._tree.troubles.append(Trouble(path, f"it cannot be listed: {error.strerror}"))
            return
        start, above_these = f"{path}/" if path else "", (*chain, identity)
        for entry in entries:
            self._entry(path, start + entry.name, entry, above_these)

    def _entry(self, directory: str, path: str, entry: os.DirEntry[str], chain: tuple[tuple[int, int], ...]) -> None:
        tree = self._tree
        try:
            status = entry.stat(follow_symlinks=False)
            if self._follow and stat.S_ISLNK(status.st_mode):
                with suppress(FileNotFoundError):
                    status = entry.stat()
        except OSError as error:
            tree.troubles.append(Trouble(path, f"nothing is known of it: {error.strerror}"))
            return
        kind = _kind(status.st_mode)
        if kind is Kind.FILE and is_part(entry.name):
            tree.parts[path] = status.st_size
        elif not self._wanted(path, kind is Kind.DIRECTORY):
            tree.left_out.add(directory)
        elif not _TOLD_APART.isdisjoint(entry.name):
            tree.troubles.append(Trouble(path, "its name cannot be told to a server; rename it"))
        elif kind is Kind.DIRECTORY:
            tree.add(Item(path, kind))
            self.directory(path, _identity(status), chain)
        else:
            size, second = status.st_size if kind is Kind.FILE else None, status.st_mtime_ns // 1_000_000_000
            tree.add(Item(path, kind, size, Span(second, second)))


def tells_case_apart(top: LocalPath) -> bool:
    """Whether ``top``, or what there is of the way to it, tells upper from lower case; nothing is written to find out.

    Where no name there has letters, it is taken for granted.
    """
    place = Path(os.path.abspath(top))
    while not place.is_dir() and place != place.parent:
        place = place.parent
    for path in chain((place,), _inside(place)):
        other = path.with_name(path.name.swapcase()) if path.name else path
        if other.name != path.name:
            with suppress(FileNotFoundError):
                return not os.path.samestat(path.lstat(), other.lstat())
            return True
    return True


class LocalFolder:
    """The directory ``top`` as the target of a mirror."""

    def __init__(self, top: LocalPath) -> None:
        self.top = Path(top)
        self._open: OrderedDict[str, _OpenDirectory] = OrderedDict()

    def make_top(self) -> None:
        """Make the directory itself, and those above it."""
        self.top.mkdir(parents=True, exist_ok=True)

    def mkdir(self, path: str) -> None:
        """Make a directory; one that is there will do. Raises OSError."""
        name, directory = self._at(path)
        with suppress(FileExistsError):
            os.mkdir(name, dir_fd=directory)

    def remove(self, path: str) -> None:
        """Remove a file or a link. Raises OSError."""
        name, directory = self._at(path)
        with suppress(FileNotFoundError):
            os.unlink(name, dir_fd=directory)

    def rmdir(self, path: str) -> None:
        """Remove an empty directory. Raises OSError."""
        for open_one in [one for one in self._open if one == path or path in above(one)]:
            self._open.pop(open_one).close()
        name, directory = self._at(path)
        with suppress(FileNotFoundError):
            os.rmdir(name, dir_fd=directory)

    def part(self, path: str, part: str) -> PlacedPart:
        """The file ``path``, to be written as ``part`` in the same directory first."""
        if not _BY_DESCRIPTOR:
            return PlacedPart(self._at(path)[0], str(self.top / part))
        directory, _, name = path.rpartition("/")
        return PlacedPart(name, part.rpartition("/")[2], self._directory(directory))

    def source(self, path: str) -> Path:
        """The file ``path``, to be read."""
        return self.top / path

    def close(self) -> None:
        """Close the directories."""
        while self._open:
            self._open.popitem()[1].close()

    def _at(self, path: str) -> tuple[str, int | None]:
        """A name, and the open directory in which it is one. Raises OSError where a link or a file is on the way."""
        if not _BY_DESCRIPTOR:
            for directory in above(path):
                if (self.top / directory).is_symlink():
                    raise NotADirectoryError(20, "a link is in the way", str(self.top / directory))
            return str(self.top / path), None
        directory, _, name = path.rpartition("/")
        return name, self._directory(directory).descriptor

    def _directory(self, path: str) -> _OpenDirectory:
        found = self._open.get(path)
        if found is not None:
            self._open.move_to_end(path)
            return found
        if not path:
            descriptor = os.open(self.top, _DIRECTORY & ~getattr(os, "O_NOFOLLOW", 0))
        else:
            above_it, _, name = path.rpartition("/")
            try:
                descriptor = os.open(name, _DIRECTORY, dir_fd=self._directory(above_it).descriptor)
            except OSError as error:
                raise OSError(error.errno, error.strerror, str(self.top / path)) from error
        found = self._open[path] = _OpenDirectory(descriptor)
        if len(self._open) > _OPEN_AT_ONCE:
            self._open.popitem(last=False)[1].close()
        return found


class _OpenDirectory:
    """A directory that stays open as long as a part is being written in it."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self._users = 1

    def use(self) -> None:
        """One user more; each one closes it."""
        self._users += 1

    def close(self) -> None:
        """One user less."""
        self._users -= 1
        if not self._users:
            os.close(self.descriptor)


class PlacedPart(Part):
    """A part in a directory that is kept open for it."""

    def __init__(self, target: str, part: str, place: _OpenDirectory | None = None) -> None:
        super().__init__(target, part, None if place is None else place.descriptor)
        self._place = place
        if place is not None:
            place.use()

    def close(self) -> None:
        """Let go of the directory; the part stays where it is unless it was kept."""
        self.leave()
        place, self._place = self._place, None
        if place is not None:
            place.close()


def _inside(place: Path) -> Iterator[Path]:
    with suppress(OSError):
        yield from place.iterdir()


def _kind(mode: int) -> Kind:
    if stat.S_ISREG(mode):
        return Kind.FILE
    if stat.S_ISDIR(mode):
        return Kind.DIRECTORY
    return Kind.LINK if stat.S_ISLNK(mode) else Kind.OTHER


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino
