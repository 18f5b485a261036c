"""Uploads that end at the same time, flushed and put in their places together (group commit).

A disk takes about as long to flush one small file as to flush many. Nobody is told that an upload is durable before it
is: all files are flushed, then all renamed, then each directory is flushed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

from fairlead.errors import StorageError

if TYPE_CHECKING:
    from fairlead.storage.local.upload import LocalUpload

MUCH = 64 << 20
"""Octets of unwritten data in the whole system from which on no file system is flushed as a whole."""
RELEASE = (5, 8)
"""The first Linux whose ``syncfs`` tells of data that could not be written."""


class Disk:
    """A file system, see :class:`fairlead.storage.base.Together`."""

    def commit_all(self, uploads: Sequence[LocalUpload]) -> list[StorageError | None]:
        """Commit uploads to files of this file system."""
        failures: dict[LocalUpload, StorageError] = {}
        flushed = len(uploads) > 1 and _flush_file_system(uploads[0])
        for upload in uploads:
            try:
                upload.put_in_place(flushed=flushed)
            except StorageError as error:
                failures[upload] = _without_frames(error)
        directories: dict[tuple[int, int], StorageError | None] = {}
        for upload in uploads:
            if upload not in failures:
                failure = _conclude(upload, directories)
                if failure is not None:
                    failures[upload] = failure
        return [failures.get(upload) for upload in uploads]


def _conclude(upload: LocalUpload, flushed: dict[tuple[int, int], StorageError | None]) -> StorageError | None:
    """End ``upload`` with its directory ``flushed``, once for all; what failed, which may have been told already."""
    status = os.fstat(upload.directory)
    directory = status.st_dev, status.st_ino
    try:
        upload.conclude(flushed=directory in flushed)
    except StorageError as error:
        flushed[directory] = _without_frames(error)
    return flushed.setdefault(directory, None)


def _without_frames(error: StorageError) -> StorageError:
    """The error, which is kept for a while, without the frames that it and its cause would keep alive."""
    if error.__cause__ is not None:
        error.__cause__.__traceback__ = None
    return error.with_traceback(None)


def _flush_file_system(upload: LocalUpload) -> bool:
    """Flush all files at once, if that is no more work and tells errors; else each is to be flushed by itself."""
    descriptor = upload.fileno()
    if descriptor is None or not _tells_errors() or unwritten() > MUCH:
        return False
    from fairlead.storage.local.kernel import syncfs  # noqa: PLC0415 - see there

    try:
        syncfs(descriptor)
    except OSError:  # the files themselves tell whose data are lost
        return False
    return True


def unwritten() -> int:
    """Octets in the page cache that are not on any disk so far."""
    with open("/proc/meminfo", "rb") as memory:
        for line in memory:
            if line.startswith(b"Dirty:"):
                return int(line.split()[1]) << 10
    return MUCH + 1


@cache
def _tells_errors() -> bool:
    release = re.match(r"(\d+)\.(\d+)", os.uname().release)
    return release is not None and tuple(map(int, release.groups())) >= RELEASE


@cache
def disk(device: int) -> Disk:  # noqa: ARG001 - one for each
    """The file system with this ``st_dev``."""
    return Disk()
