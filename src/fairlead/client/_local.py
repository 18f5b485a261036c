"""The local ends of transfers: a file that appears only when it is whole, a file to send, streams of the caller.

The client's dealings with the local file system are here, and for whole trees in ``mirror/local.py``.
"""

from __future__ import annotations

import io
import os
import stat
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Protocol, TypeAlias

from fairlead.client._retry import NoWayBack
from fairlead.client.names import inside

if sys.platform == "linux":
    import fcntl

PART = ".part"
"""Added to the name of a file that is being downloaded."""

_PIPE = 1 << 20
"""Octets that a pipe holds which takes what comes into the file."""
_TIMES_BY_DESCRIPTOR = os.utime in os.supports_fd
_ALWAYS = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)

_SEPARATORS = tuple(filter(None, (os.sep, os.altsep)))

LocalPath: TypeAlias = "str | os.PathLike[str]"


class Writable(Protocol):
    """A binary file object open for writing."""

    def write(self, data: bytes, /) -> object:
        """Take ``data``."""


def is_directory(path: LocalPath) -> bool:
    """Whether ``path`` is a directory here."""
    return os.path.isdir(os.fspath(path) or os.curdir)


def part_for(local: LocalPath, remote: str) -> PartFile:
    """The target of a download of ``remote``: the file ``local``, or one of its name in the directory ``local``.

    Raises UnsafeName where that name would lead out of the directory.
    """
    path = os.fspath(local)
    if not path or path.endswith(_SEPARATORS):
        path = str(Path(path))
    status = _status(path, follow=False)
    if status is not None and (stat.S_ISDIR(status.st_mode) or (stat.S_ISLNK(status.st_mode) and is_directory(path))):
        path = str(inside(path, remote.rpartition("/")[2]))
        status = _status(path, follow=False)
    return PartFile(path, status)


def is_special(path: LocalPath) -> bool:
    """Whether ``path`` is there and is no regular file, such as a device or a pipe."""
    status = _status(path)
    return status is not None and not stat.S_ISREG(status.st_mode)


class Part:
    """A download's target, written as ``part`` and called ``target`` once it is whole.

    Both are names in ``directory``, an open directory, or paths where that is None.
    """

    _direct = False
    """Whether ``target`` itself is written to, being no regular file."""

    def __init__(self, target: str, part: str, directory: int | None = None) -> None:
        self._target = target
        self._path = part
        self._directory = directory
        self._file: int | None = None
        """The descriptor of the open part."""
        self._pipe: tuple[int, int] | None = None

    def kept(self) -> os.stat_result | None:
        """The part that there is to go on from."""
        return None if self._direct else self._status(self._path)

    def size(self) -> int:
        """How many octets are in the part."""
        status = self._status(self._path)
        return status.st_size if status is not None else 0

    def begin(self, offset: int) -> None:
        """See :class:`fairlead.client._flow.Sink`."""
        if self._pipe is not None:
            self._drop_pipe()
        fresh = self._file is None
        if self._file is None:
            self._file = self._opened(self._path, os.O_RDWR if offset else os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        if not self._direct and (offset or not fresh):
            os.ftruncate(self._file, offset)
            os.lseek(self._file, offset, os.SEEK_SET)

    @property
    def begun(self) -> bool:
        """Whether a part is here that this download wrote or goes on with."""
        return self._file is not None

    def write(self, data: memoryview) -> None:
        """See :class:`fairlead.client._flow.Sink`."""
        assert self._file is not None
        while (written := os.write(self._file, data)) < len(data):
            data = data[written:]

    def pipe(self) -> int | None:
        """See :class:`fairlead.client._flow.PipedSink`; only for a regular file, where the system has ``splice``."""
        if self._pipe is None and not self._direct and sys.platform == "linux":
            self._pipe = os.pipe2(os.O_CLOEXEC)
            with suppress(OSError):  # over the user's share of such memory the kernel refuses: slower, not wrong
                fcntl.fcntl(self._pipe[1], fcntl.F_SETPIPE_SZ, _PIPE)
        return None if self._pipe is None else self._pipe[1]

    def drain(self, count: int) -> None:
        """See :class:`fairlead.client._flow.PipedSink`."""
        assert self._file is not None
        assert self._pipe is not None
        while count:
            count -= os.splice(self._pipe[0], self._file, count)

    def keep(self, modified: datetime | None = None) -> None:
        """Everything is here: the file takes its name, and the time ``modified`` where that is given.

        It has that time before it has the name, or whoever is stopped in between would fetch it once more.
        """
        moments = None if modified is None or self._direct else (modified.timestamp(),) * 2
        fetched = self._file is not None
        if moments is not None and self._file is not None and _TIMES_BY_DESCRIPTOR:
            os.utime(self._file, moments)
            moments = None
        self._close()
        if self._direct:
            return
        renamed = fetched or self._status(self._path) is not None
        if moments is not None:
            os.utime(self._path if renamed else self._target, moments, dir_fd=self._directory)
        if renamed:
            os.replace(self._path, self._target, src_dir_fd=self._directory, dst_dir_fd=self._directory)

    def reread(self) -> BinaryIO | None:
        """What is here so far, to be read once more; None of what is no regular file."""
        if self._direct:
            return None
        there = self._status(self._path) is not None
        return io.FileIO(self._path if there else self._target, "r", opener=self._opened)

    def discard(self) -> None:
        """Nobody goes on from what arrived: it is not what it should be."""
        self._close()
        if not self._direct:
            with suppress(FileNotFoundError):
                os.unlink(self._path, dir_fd=self._directory)

    def leave(self) -> None:
        """Close it; what arrived of a file that is not whole stays to go on from, but no empty file does."""
        if self._file is None:
            return
        empty = not self._direct and not os.fstat(self._file).st_size
        self._close()
        if empty:
            os.unlink(self._path, dir_fd=self._directory)

    def _status(self, path: str) -> os.stat_result | None:
        try:
            return os.stat(path, dir_fd=self._directory)
        except FileNotFoundError:
            return None

    def _opened(self, path: str, flags: int) -> int:
        return os.open(path, flags | _ALWAYS, 0o666, dir_fd=self._directory)

    def _close(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            os.close(file)
        if self._pipe is not None:
            self._drop_pipe()

    def _drop_pipe(self) -> None:
        """It may hold octets of a transfer that broke."""
        pipe, self._pipe = self._pipe, None
        for end in pipe or ():
            os.close(end)


class PartFile(Part):
    """The target ``path`` of a download, whose own ``status`` is given; it is written as ``NAME.part``.

    A target that is no regular file (a device, a pipe) is written to directly; a link stays one.
    """

    def __init__(self, path: str, status: os.stat_result | None) -> None:
        target = path
        if status is not None and stat.S_ISLNK(status.st_mode):
            target = os.path.realpath(target)
            status = _status(target)
        self._direct = status is not None and not stat.S_ISREG(status.st_mode)
        super().__init__(target, target if self._direct else f"{target}{PART}")

    def kept(self) -> os.stat_result | None:
        """What an earlier download left to go on from: its ``.part``, or the target itself where there is none."""
        return super().kept() or (None if self._direct else self._status(self._target))

    def begin(self, offset: int) -> None:
        """See :class:`fairlead.client._flow.Sink`."""
        if self._file is None and offset and self._status(self._path) is None:
            os.rename(self._target, self._path)
        super().begin(offset)


class Writer:
    """A download's target that the caller opened."""

    def __init__(self, file: Writable) -> None:
        self._file = file
        self.taken = 0
        """Octets written so far."""

    def begin(self, offset: int) -> None:
        """See :class:`fairlead.client._flow.Sink`. Raises OSError when something was written already."""
        if self.taken > offset:
            message = "what was written to a stream cannot be taken back"
            raise NoWayBack(message)

    def write(self, data: memoryview) -> None:
        """See :class:`fairlead.client._flow.Sink`."""
        self.taken += len(data)
        if isinstance(self._file, io.RawIOBase):
            _write_all(self._file.write, data)
        else:
            self._file.write(bytes(data))


class SourceFile:
    """An upload's file, or a binary file object that the caller opened, from where it stands on."""

    def __init__(self, local: LocalPath | BinaryIO) -> None:
        self._mine = isinstance(local, str | os.PathLike)
        self._file: BinaryIO = io.FileIO(local) if isinstance(local, str | os.PathLike) else local
        self._regular = self._status_of_regular()
        self._start: int | None = 0
        if not (self._mine and self._regular):
            self._start = self._file.tell() if self._file.seekable() else None
        self._offset = 0
        self.size: int | None = None
        if self._regular is not None:
            self.size = max(0, self._regular.st_size - (self._start or 0))
        elif self._start is not None:
            self.size = self._file.seek(0, os.SEEK_END) - self._start
            self._file.seek(self._start)

    def begin(self, offset: int) -> None:
        """See :class:`fairlead.client._flow.Source`."""
        if self._offset == offset:
            return
        if self._start is not None:
            self._file.seek(self._start + offset)
        else:
            message = "a stream that cannot seek cannot be sent from another place"
            raise NoWayBack(message)
        self._offset = offset

    def read(self, limit: int) -> bytes:
        """See :class:`fairlead.client._flow.Source`."""
        data = self._file.read(limit)
        self._offset += len(data)
        return data

    def reread(self) -> Callable[[int], bytes] | None:
        """Reads what was sent once more; None where that can't be done."""
        if self._start is None:
            return None
        self.begin(0)
        return self.read

    def descriptor(self) -> int | None:
        """See :class:`fairlead.client._flow.Source`; only a regular file that begins where we do."""
        return self._file.fileno() if self._regular is not None and self._start == 0 else None

    def close(self) -> None:
        """Close the file if it was opened here."""
        if self._mine:
            self._file.close()

    @property
    def modified(self) -> datetime | None:
        """When it was changed last, where that is known."""
        return None if self._regular is None else datetime.fromtimestamp(self._regular.st_mtime, UTC)

    def _status_of_regular(self) -> os.stat_result | None:
        """What the system tells of a regular file, None of anything else."""
        if not isinstance(self._file, io.BufferedReader | io.FileIO):
            return None
        status = os.fstat(self._file.fileno())
        return status if stat.S_ISREG(status.st_mode) else None


def _status(path: LocalPath, *, follow: bool = True) -> os.stat_result | None:
    try:
        return os.stat(path, follow_symlinks=follow)
    except FileNotFoundError:
        return None


def _write_all(write: Callable[[memoryview], int | None], data: memoryview) -> None:
    while data:
        data = data[write(data) or 0 :]
