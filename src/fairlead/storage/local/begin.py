"""How an upload begins: which octets it starts from, and in which hidden file it works."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Callable
from typing import Any, Self, TypeVar

from fairlead.errors import AlreadyExists, Busy, Denied, IsADirectory, OffsetError
from fairlead.storage import names
from fairlead.storage.base import Intent
from fairlead.storage.local import partial
from fairlead.storage.local.copying import copy_head
from fairlead.storage.local.source import FLAGS
from fairlead.storage.local.upload import Place, Work

_ATTEMPTS = 8
_T = TypeVar("_T")


def begin(place: Place, intent: Intent, owner: str, offset: int, mode: int) -> Work:
    """The working file of an upload to ``place``; ``mode`` is for a file that is new.

    Raises OSError and StorageError; nothing but an older partial stays behind then.
    """
    if place.status is not None:
        if intent is Intent.UNIQUE:
            raise AlreadyExists(place.path)
        _check_replaceable(place, place.status)
        mode = stat.S_IMODE(place.status.st_mode) & 0o777
    kept_as = names.partial(place.name, owner)
    if intent is Intent.UNIQUE:
        place.reserved = _reserve(place, mode)
    try:
        if intent is Intent.APPEND:
            work, status = _appending(place, kept_as, mode)
        elif intent is Intent.UPDATE:
            work, status = _updating(place, kept_as, mode, offset)
        elif offset and intent is Intent.REPLACE:
            work, status = _resuming(place, kept_as, mode, offset)
        else:
            work, status = _fresh(place, kept_as, mode)
    except BaseException:
        place.release()
        raise
    _or_close(work.descriptor, _adopt, work.descriptor, status, place.status, mode)
    return work


def _check_replaceable(place: Place, status: os.stat_result) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectory(place.path)
    if not stat.S_ISREG(status.st_mode):
        raise Denied(place.path, "It is not a regular file")
    user = os.geteuid()
    if not user or (status.st_uid == user and status.st_mode & stat.S_IWUSR):
        return
    # A rename needs no permission on what it replaces, but a write-protected file is meant to stay as it is.
    if not os.access(place.name, os.W_OK, dir_fd=place.directory, effective_ids=True, follow_symlinks=False):
        raise Denied(place.path)
    parent = os.fstat(place.directory)
    if parent.st_mode & stat.S_ISVTX and user not in {status.st_uid, parent.st_uid}:
        raise Denied(place.path, "Only its owner may replace it")


def _reserve(place: Place, mode: int) -> os.stat_result:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(place.name, flags, mode, dir_fd=place.directory)
    try:
        return os.fstat(descriptor)
    except OSError:
        os.unlink(place.name, dir_fd=place.directory)
        raise
    finally:
        os.close(descriptor)


def _fresh(place: Place, kept_as: bytes, mode: int) -> tuple[Work, os.stat_result]:
    """An empty working file, the owner's older partial emptied for it."""
    claimed = partial.claim(place.directory, kept_as, os.O_CREAT, mode)
    if claimed is None:
        return _spare(place, kept_as, mode)
    descriptor, status = claimed
    if status.st_size:
        _or_close(descriptor, os.ftruncate, descriptor, 0)
    return Work(descriptor, status.st_dev, kept_as, kept_as), status


def _spare(place: Place, kept_as: bytes, mode: int) -> tuple[Work, os.stat_result]:
    """An empty working file beside the owner's partial that another live upload holds."""
    for _ in range(_ATTEMPTS):
        name = names.spare(kept_as)
        claimed = partial.claim(place.directory, name, os.O_CREAT | os.O_EXCL, mode)
        if claimed is not None:
            return Work(claimed[0], claimed[1].st_dev, name, kept_as), claimed[1]
    raise Busy(place.path)


def _resuming(place: Place, kept_as: bytes, mode: int, offset: int) -> tuple[Work, os.stat_result]:
    """The owner's partial from ``offset`` on, else a copy of as much of a live upload's partial or of the target."""
    claimed = partial.claim(place.directory, kept_as, 0)
    if claimed is not None:
        descriptor, status = claimed
        if status.st_size >= offset:
            _or_close(descriptor, _cut, descriptor, status, offset)
            return Work(descriptor, status.st_dev, kept_as, kept_as, offset), status
        os.close(descriptor)
    for name in (kept_as, place.name):
        with _Head(place.directory, name) as head:
            if head.size >= offset:
                # Its holder may let go of the partial any moment: claimed and emptied, it would be no head any more.
                work, status = (_spare if name == kept_as else _fresh)(place, kept_as, mode)
                _copy(place, head, work, offset)
                return work, status
    raise OffsetError(place.path)


def _appending(place: Place, kept_as: bytes, mode: int) -> tuple[Work, os.stat_result]:
    """A copy of the target, or where there is none the owner's partial or a copy of a live upload's."""
    if place.status is None:
        claimed = partial.claim(place.directory, kept_as, os.O_CREAT, mode)
        if claimed is not None:
            descriptor, status = claimed
            position = _or_close(descriptor, os.lseek, descriptor, 0, os.SEEK_END)
            return Work(descriptor, status.st_dev, kept_as, kept_as, position), status
    if place.status is not None:
        # Who appends again begins at the target's end: what came of this attempt could only be added twice.
        return _copied(place, kept_as, mode)
    with _Head(place.directory, kept_as) as head:
        work, status = _spare(place, kept_as, mode)
        _copy(place, head, work, max(head.size, 0))
    return work, status


def _updating(place: Place, kept_as: bytes, mode: int, offset: int) -> tuple[Work, os.stat_result]:
    """A copy of the target, to be written over from ``offset`` on."""
    if place.status is not None:
        work, status = _copied(place, kept_as, mode)
    else:
        work, status = _spare(place, kept_as, mode)
        work.kept_as = b""
    if offset > work.position:
        _throw_away(place, work)
        raise OffsetError(place.path)
    work.position = _or_close(work.descriptor, os.lseek, work.descriptor, offset, os.SEEK_SET)
    return work, status


def _copied(place: Place, kept_as: bytes, mode: int) -> tuple[Work, os.stat_result]:
    """A copy of the target that nobody resumes, for it holds the old and the new. Denied where it cannot be read."""
    with _Head(place.directory, place.name) as head:
        if head.size < 0:
            raise Denied(place.path)
        work, status = _spare(place, kept_as, mode)
        work.kept_as = b""
        _copy(place, head, work, head.size)
    return work, status


class _Head:
    """A file to start from, open for reading; ``size`` is -1 where there is none to read."""

    def __init__(self, directory: int, name: bytes) -> None:
        self.size = -1
        try:
            self.descriptor = os.open(name, FLAGS | os.O_NOFOLLOW, dir_fd=directory)
        except (FileNotFoundError, PermissionError):
            self.descriptor = -1
            return
        status = _or_close(self.descriptor, os.fstat, self.descriptor)
        if stat.S_ISREG(status.st_mode):
            self.size = status.st_size

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.descriptor >= 0:
            os.close(self.descriptor)


def _copy(place: Place, head: _Head, work: Work, size: int) -> None:
    """Fill the working file; where that fails nothing of it stays."""
    try:
        work.position = copy_head(head.descriptor, work.descriptor, size) if size else 0
        if work.position < size:
            raise OffsetError(place.path)
    except BaseException:
        _throw_away(place, work)
        raise


def _throw_away(place: Place, work: Work) -> None:
    with contextlib.suppress(OSError):
        os.unlink(work.name, dir_fd=place.directory)
    os.close(work.descriptor)


def _cut(descriptor: int, status: os.stat_result, offset: int) -> None:
    if status.st_size > offset:
        os.ftruncate(descriptor, offset)
    os.lseek(descriptor, offset, os.SEEK_SET)


def _adopt(descriptor: int, status: os.stat_result, replaced: os.stat_result | None, mode: int) -> None:
    """Give the working file the permission bits ``mode``, and the owner of the file it replaces where that may be."""
    if replaced is not None and (status.st_uid, status.st_gid) != (replaced.st_uid, replaced.st_gid):
        with contextlib.suppress(OSError):
            os.fchown(descriptor, replaced.st_uid, replaced.st_gid)
    if status.st_mode & 0o777 != mode:
        os.fchmod(descriptor, mode)


def _or_close(descriptor: int, action: Callable[..., _T], *arguments: Any) -> _T:
    """What ``action`` returns; ``descriptor`` is closed where it fails."""
    try:
        return action(*arguments)
    except BaseException:
        os.close(descriptor)
        raise
