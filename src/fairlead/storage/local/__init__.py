"""A tree of local files: all work goes by directory descriptors, and nothing outside the root can be reached.

To change how a path is confined open ``beneath``; what an upload does ``begin`` and ``upload``; which error a fault
of the system becomes ``faults``.
"""

from __future__ import annotations

import contextlib
import os
import stat
import time
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from fairlead.errors import (
    AlreadyExists,
    Denied,
    InvalidName,
    IsADirectory,
    NotEmpty,
    NotFound,
    StorageError,
)
from fairlead.storage import names
from fairlead.storage.base import Intent, Item
from fairlead.storage.local import begin_new, beneath, whole
from fairlead.storage.local.begin import begin
from fairlead.storage.local.begin_new import BeginNew
from fairlead.storage.local.device import in_memory
from fairlead.storage.local.faults import fault
from fairlead.storage.local.pace import LIMIT, NOTHING, Pace, TimedSteps, timed
from fairlead.storage.local.scan import Scan, link_text
from fairlead.storage.local.source import FLAGS as READ
from fairlead.storage.local.source import LocalSource
from fairlead.storage.local.sweep import empty, sweep
from fairlead.storage.local.upload import LocalUpload, Place, Work
from fairlead.storage.local.whole import ReadWhole

if TYPE_CHECKING:
    from pathlib import Path

    from fairlead.proto.listing.layout import Formatter

_FIND = os.O_PATH | os.O_CLOEXEC
_SEARCH = _FIND | os.O_DIRECTORY
_LIST = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_PERMISSIONS = 0o777
_LINK = "/proc/self/fd/%d"
"""A descriptor opened by O_PATH needs no right to read; its link in /proc leads to nothing but its own file."""


class _Holder:
    """Closes a descriptor when the last one that needs it is gone."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def __del__(self) -> None:
        os.close(self._descriptor)


class LocalStorage:
    """A directory and all below it, as :class:`fairlead.storage.base.Storage`.

    Links are followed as long as they are relative and stay below the root. Hidden partial uploads cannot be named.
    ``create`` copies octets for ``APPEND`` and for an ``offset``: from an event loop, call it in a thread then.
    """

    def __init__(
        self, root: str | Path, *, durability: Literal["full", "relaxed"] = "full", umask: int = 0o022
    ) -> None:
        """Open ``root``. ``full`` durability flushes file and directory before an upload's commit returns.

        ``umask`` is taken from the permission bits of what is new, whatever the process's own is. Raises OSError where
        ``root`` is no directory that can be opened.
        """
        self._root = os.open(root, _LIST)
        self._holder: _Holder | None = _Holder(self._root)
        self._full = durability == "full"
        self.pace = Pace()
        self.inline = self.pace.quick
        self.umask = umask

    @cached_property
    def _open(self) -> beneath.Opener:
        """Opens paths beneath the root; chosen when the first path is opened."""
        return beneath.best(self._root)

    @cached_property
    def _read_whole(self) -> ReadWhole | None:
        """The accelerator's way, where there is one and the kernel confines paths."""
        return whole.best() if self._open is not beneath.walk else None

    @cached_property
    def _begin_new(self) -> BeginNew | None:
        """The accelerator's way, where there is one."""
        return begin_new.best()

    def with_umask(self, umask: int) -> LocalStorage:
        """See :meth:`fairlead.storage.base.Storage.with_umask`; close either of the two, the other goes on."""
        from copy import copy  # noqa: PLC0415 - few users have permissions of their own for new files

        other = copy(self)
        other.umask = umask
        other.pace = Pace()
        other.inline = other.pace.quick
        return other

    def close(self) -> None:
        """Release the root as soon as no upload needs it; the store itself can do nothing more."""
        self._root, self._holder = -1, None

    @timed
    def stat(self, path: str, *, follow: bool = True, owner: str | None = None) -> os.stat_result:
        """See :meth:`fairlead.storage.base.Storage.stat`."""
        relative = names.relative(path)
        try:
            if b"/" not in relative:
                status = os.lstat(relative, dir_fd=self._root)
                if not (follow and stat.S_ISLNK(status.st_mode)):
                    return status
            found = self._open(self._root, relative, _FIND if follow else _FIND | os.O_NOFOLLOW)
        except FileNotFoundError as error:
            kept = self._partial_status(path, owner) if owner is not None else None
            if kept is None:
                raise NotFound(path) from error
            return kept
        except OSError as error:
            raise fault(error, path) from error
        try:
            return os.fstat(found)
        finally:
            os.close(found)

    @timed
    def entry(self, path: str) -> Item:
        """See :meth:`fairlead.storage.base.Storage.entry`."""
        if path == "/":
            return Item("", self.stat(path))
        with self._parent(path) as (directory, octets):
            name = path.rpartition("/")[2]
            status = os.lstat(octets, dir_fd=directory)
            return Item(name, status, link_text(name, directory) if stat.S_ISLNK(status.st_mode) else None)

    def scan(self, path: str) -> Iterator[list[Item]]:
        """See :meth:`fairlead.storage.base.Storage.scan`."""
        return TimedSteps(self, Scan(self._open_directory(path), path))

    def lines(self, path: str, formatter: Formatter) -> Iterator[bytes]:
        """See :meth:`fairlead.storage.base.Storage.lines`."""
        from fairlead.storage.local.lines import lines  # noqa: PLC0415 - see there

        return TimedSteps(self, lines(self._open_directory(path), path, formatter))

    @timed
    def _open_directory(self, path: str) -> int:
        try:
            return self._open(self._root, names.relative(path), _LIST)
        except OSError as error:
            raise fault(error, path) from error

    @timed
    def open(self, path: str, *, owner: str | None = None) -> LocalSource:
        """See :meth:`fairlead.storage.base.Storage.open`."""
        relative = names.relative(path)
        try:
            kept = self._open_partial(path, owner) if owner is not None else None
            return LocalSource(self._open(self._root, relative, READ) if kept is None else kept, path)
        except OSError as error:
            raise fault(error, path) from error

    def whole(self, path: str, limit: int) -> bytes | None:
        """See :meth:`fairlead.storage.base.Storage.whole`."""
        pace = self.pace
        if self._read_whole is not None and not pace.suspect:
            began = pace.clock()
            octets = self._read_whole(self._root, names.relative(path), limit)
            if pace.clock() - began > LIMIT:  # a distant file system waits where a local one does not
                pace.note(began, NOTHING)
            return octets
        return self._whole(path, limit)

    @timed
    def _whole(self, path: str, limit: int) -> bytes | None:
        if self._read_whole is not None:
            return self._read_whole(self._root, names.relative(path), limit)
        with contextlib.closing(self.open(path)) as source:
            size = source.status.st_size
            octets = source.read_cached(limit, 0) if size <= limit else None
        return octets if octets is not None and len(octets) == size else None

    @timed
    def create(self, path: str, *, intent: Intent, owner: str, offset: int = 0) -> LocalUpload:
        """See :meth:`fairlead.storage.base.Storage.create`.

        A name that is a link stands for the file it leads to. A file that nobody may write to is not replaced.
        """
        if intent is Intent.REPLACE and not offset:
            upload = self._create_new(path, owner)
            if upload is not None:
                return upload
        place = self._settle(path, follow=intent is not Intent.UNIQUE)
        try:
            work = begin(place, intent, owner, offset, 0o666 & ~self.umask)
        except OSError as error:
            place.close()
            raise fault(error, path) from error
        except StorageError:
            place.close()
            raise
        return self._upload(place, work)

    def _create_new(self, path: str, owner: str) -> LocalUpload | None:
        """An upload of a new file or over one of ours, by the accelerator; None for any other, where errors show."""
        if self._begin_new is None:
            return None
        parent, name = names.split(names.relative(path, InvalidName))
        kept_as = names.partial(name, owner)
        try:
            place = Place(path, self._upload_directory(parent), name, self._holder if parent == b"." else None)
        except OSError:
            return None
        work = self._begin_new(place, kept_as, 0o666 & ~self.umask)
        if work is None:
            place.close()
            return None
        return self._upload(place, work)

    def _upload(self, place: Place, work: Work) -> LocalUpload:
        prompt = self.pace.quick and (not self._full or in_memory(work.descriptor, work.device))
        return LocalUpload(place, work, full=self._full, prompt=prompt)

    @timed
    def mkdir(self, path: str) -> None:
        """See :meth:`fairlead.storage.base.Storage.mkdir`."""
        if path == "/":
            raise AlreadyExists(path)
        with self._parent(path, hidden=InvalidName) as (directory, name):
            mode = 0o777 & ~self.umask
            os.mkdir(name, mode, dir_fd=directory)
            made = os.open(name, _SEARCH | os.O_NOFOLLOW, dir_fd=directory)
            try:
                _permit(made, os.fstat(made), mode)
            finally:
                os.close(made)

    @timed
    def symlink(self, target: str, path: str) -> None:
        """See :meth:`fairlead.storage.base.Storage.symlink`."""
        if path == "/":
            raise AlreadyExists(path)
        with self._parent(path, hidden=InvalidName) as (directory, name):
            os.symlink(names.link_text(target, path), name, dir_fd=directory)

    @timed
    def rmdir(self, path: str) -> None:
        """See :meth:`fairlead.storage.base.Storage.rmdir`; a live upload into the directory makes it NotEmpty."""
        if path == "/":
            raise Denied(path)
        with self._parent(path) as (directory, name):
            try:
                os.rmdir(name, dir_fd=directory)
            except OSError as error:
                if not isinstance(fault(error, path), NotEmpty) or not empty(directory, name):
                    raise
                os.rmdir(name, dir_fd=directory)

    @timed
    def remove(self, path: str) -> None:
        """See :meth:`fairlead.storage.base.Storage.remove`."""
        if path == "/":
            raise IsADirectory(path)
        with self._parent(path) as (directory, name):
            os.unlink(name, dir_fd=directory)

    @timed
    def rename(self, source: str, target: str) -> None:
        """See :meth:`fairlead.storage.base.Storage.rename`."""
        if source == "/":
            raise Denied(source)
        if target == "/":
            raise AlreadyExists(target)
        with self._parent(source) as (old, old_name), self._parent(target, hidden=InvalidName) as (new, new_name):
            status = os.lstat(old_name, dir_fd=old)
            with contextlib.suppress(FileNotFoundError):
                there = os.lstat(new_name, dir_fd=new)
                both = stat.S_ISDIR(status.st_mode) or stat.S_ISDIR(there.st_mode)
                if both and not os.path.samestat(status, there):
                    raise AlreadyExists(target)
            os.rename(old_name, new_name, src_dir_fd=old, dst_dir_fd=new)

    @timed
    def change(
        self, path: str, *, mode: int | None = None, modified_ns: int | None = None, accessed_ns: int | None = None
    ) -> os.stat_result:
        """See :meth:`fairlead.storage.base.Storage.change`; only the nine permission bits of ``mode`` count."""
        try:
            found = self._open(self._root, names.relative(path), _FIND)
        except OSError as error:
            raise fault(error, path) from error
        try:
            status = os.fstat(found)
            if not (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)):
                raise Denied(path, "It is neither a file nor a directory")
            if mode is not None:
                _permit(found, status, mode)
            if modified_ns is not None or accessed_ns is not None:
                accessed = status.st_atime_ns if accessed_ns is None else accessed_ns
                modified = status.st_mtime_ns if modified_ns is None else modified_ns
                os.utime(_LINK % found, ns=(accessed, modified))
            return os.fstat(found)
        except OSError as error:
            raise fault(error, path) from error
        finally:
            os.close(found)

    @timed
    def free(self, path: str) -> int:
        """See :meth:`fairlead.storage.base.Storage.free`."""
        try:
            found = self._open(self._root, names.relative(path), _FIND)
            try:
                system = os.fstatvfs(found)
            finally:
                os.close(found)
        except OSError as error:
            raise fault(error, path) from error
        return system.f_bavail * system.f_frsize

    def sweep(self, older_than: float) -> int:
        """Remove the partial uploads in the whole tree that nobody wrote to for ``older_than`` seconds.

        Live uploads stay whatever their age. Returns how many went; what cannot be read is passed by.
        """
        return sweep(self._root, self._open, time.time() - older_than)

    @contextlib.contextmanager
    def _parent(self, path: str, hidden: type[StorageError] = NotFound) -> Iterator[tuple[int, bytes]]:
        """The directory that holds ``path`` and the name in it; OSErrors become those of ``path``."""
        try:
            parent, name = names.split(names.relative(path, hidden))
            directory = self._open(self._root, parent, _SEARCH)
            try:
                yield directory, name
            finally:
                os.close(directory)
        except OSError as error:
            raise fault(error, path) from error

    def _settle(self, path: str, *, follow: bool = True) -> Place:
        """The place that ``path`` leads to once the links that bear its name are followed; it need not exist."""
        parent, name = names.split(names.relative(path, InvalidName))
        for _ in range(beneath.MAX_LINKS):
            if name in {b"", b".", b".."}:
                raise IsADirectory(path)
            try:
                place = Place(path, self._upload_directory(parent), name, self._holder if parent == b"." else None)
            except OSError as error:
                raise fault(error, path) from error
            try:
                place.status = os.lstat(name, dir_fd=place.directory)
                if not follow or not stat.S_ISLNK(place.status.st_mode):
                    return place
                text = os.readlink(name, dir_fd=place.directory)
            except FileNotFoundError:
                place.status = None
                return place
            except OSError as error:
                place.close()
                raise fault(error, path) from error
            place.close()
            parent, name = names.split(parent + b"/" + text)
            if text.startswith(b"/") or names.is_partial(name):
                break
        raise Denied(path)

    def _upload_directory(self, parent: bytes) -> int:
        """The open directory of an upload; one that can be flushed, unless it must not be read."""
        if parent == b".":
            return self._root
        if self._full:
            try:
                return self._open(self._root, parent, _LIST)
            except PermissionError:
                pass
        return self._open(self._root, parent, _SEARCH)

    def _open_partial(self, path: str, owner: str) -> int | None:
        """``owner``'s partial upload of ``path``, open for reading; None where there is none."""
        place = self._settle(path)
        try:
            return os.open(names.partial(place.name, owner), READ | os.O_NOFOLLOW, dir_fd=place.directory)
        except FileNotFoundError:
            return None
        finally:
            place.close()

    def _partial_status(self, path: str, owner: str) -> os.stat_result | None:
        """The status of ``owner``'s partial upload of ``path``, which does not exist."""
        try:
            place = self._settle(path)
        except StorageError:
            return None
        try:
            status = place.status or os.lstat(names.partial(place.name, owner), dir_fd=place.directory)
        except OSError:
            return None
        finally:
            place.close()
        return status if stat.S_ISREG(status.st_mode) else None


def _permit(found: int, status: os.stat_result, mode: int) -> None:
    """Set the nine permission bits of what was opened by O_PATH; the other three stay."""
    wanted = stat.S_IMODE(status.st_mode) & ~_PERMISSIONS | mode & _PERMISSIONS
    if wanted != stat.S_IMODE(status.st_mode):
        os.chmod(_LINK % found, wanted)
