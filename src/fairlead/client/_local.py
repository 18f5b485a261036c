"""The local ends of transfers: a file that appears only when it is whole, a file to send, streams of the caller.

All of the client's dealings with the local file system are here.
"""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Protocol, TypeAlias

PART = ".part"
"""Added to the name of a file that is being downloaded."""

LocalPath: TypeAlias = "str | os.PathLike[str]"


class Writable(Protocol):
    """A binary file object open for writing."""

    def write(self, data: bytes, /) -> object:
        """Take ``data``."""


def is_directory(path: LocalPath) -> bool:
    """Whether ``path`` is a directory here."""
    return Path(path).is_dir()


class PartFile:
    """A download's target. It is written as ``NAME.part`` and becomes ``NAME`` by :meth:`keep`.

    A target that is no regular file (a device, a pipe) is written to directly; a link stays one.
    """

    def __init__(self, path: LocalPath) -> None:
        self.target = Path(path)
        status = _status(self.target, follow=False)
        if status is not None and stat.S_ISLNK(status.st_mode):
            self.target = self.target.resolve()
            status = _status(self.target)
        self._direct = status is not None and not stat.S_ISREG(status.st_mode)
        self._path = self.target if self._direct else self.target.with_name(self.target.name + PART)
        self._file: io.FileIO | None = None

    def kept(self) -> os.stat_result | None:
        """What an earlier download left to go on from: its ``.part``, or the target itself where there is none."""
        return None if self._direct else _status(self._path) or _status(self.target)

    def begin(self, offset: int) -> None:
        """See :class:`fairlead.client._flow.Sink`."""
        if self._file is None:
            if offset and _status(self._path) is None:
                self.target.rename(self._path)
            self._file = io.FileIO(self._path, "r+" if offset else "w")
        if not self._direct:
            self._file.truncate(offset)
            self._file.seek(offset)

    def write(self, data: memoryview) -> None:
        """See :class:`fairlead.client._flow.Sink`."""
        assert self._file is not None
        _write_all(self._file.write, data)

    def keep(self) -> None:
        """Everything is here: the file takes its name."""
        fetched = self._file is not None
        self._close()
        if not self._direct and (fetched or _status(self._path) is not None):
            self._path.replace(self.target)

    def reread(self) -> BinaryIO | None:
        """What is here so far, to be read once more; None of what is no regular file."""
        if self._direct:
            return None
        return (self._path if _status(self._path) is not None else self.target).open("rb")

    def discard(self) -> None:
        """Nobody goes on from what arrived: it is not what it should be."""
        self._close()
        if not self._direct:
            self._path.unlink(missing_ok=True)

    def date(self, modified: datetime) -> None:
        """Set the time of the kept file."""
        if not self._direct:
            os.utime(self.target, (modified.timestamp(), modified.timestamp()))

    def leave(self) -> None:
        """Close it; what arrived of a file that is not whole stays to go on from, but no empty file does."""
        if self._file is None:
            return
        empty = not self._direct and not os.fstat(self._file.fileno()).st_size
        self._close()
        if empty:
            self._path.unlink()

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


class Writer:
    """A download's target that the caller opened."""

    def __init__(self, file: Writable) -> None:
        self._file = file
        self._taken = 0

    def begin(self, offset: int) -> None:
        """See :class:`fairlead.client._flow.Sink`. Raises OSError when something was written already."""
        if self._taken > offset:
            message = "what was written to a stream cannot be taken back"
            raise OSError(message)

    def write(self, data: memoryview) -> None:
        """See :class:`fairlead.client._flow.Sink`."""
        self._taken += len(data)
        if isinstance(self._file, io.RawIOBase):
            _write_all(self._file.write, data)
        else:
            self._file.write(bytes(data))


class SourceFile:
    """An upload's file, or a binary file object that the caller opened, from where it stands on."""

    def __init__(self, local: LocalPath | BinaryIO) -> None:
        self._mine = isinstance(local, str | os.PathLike)
        self._file: BinaryIO = Path(local).open("rb") if isinstance(local, str | os.PathLike) else local  # noqa: SIM115
        self._regular = self._descriptor() is not None
        self._start = self._file.tell() if self._file.seekable() else None
        self._offset = 0
        self.size: int | None = None
        self.modified: datetime | None = None
        if self._regular:
            status = os.fstat(self._file.fileno())
            self.size = max(0, status.st_size - (self._start or 0))
            self.modified = datetime.fromtimestamp(status.st_mtime, UTC)
        elif self._start is not None:
            self.size = self._file.seek(0, os.SEEK_END) - self._start
            self._file.seek(self._start)

    def begin(self, offset: int) -> None:
        """See :class:`fairlead.client._flow.Source`."""
        if self._start is not None:
            self._file.seek(self._start + offset)
        elif self._offset != offset:
            message = "a stream that cannot seek cannot be sent from another place"
            raise OSError(message)
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
        return self._file.fileno() if self._regular and self._start == 0 else None

    def close(self) -> None:
        """Close the file if it was opened here."""
        if self._mine:
            self._file.close()

    def _descriptor(self) -> int | None:
        if not isinstance(self._file, io.BufferedReader | io.FileIO):
            return None
        descriptor = self._file.fileno()
        return descriptor if stat.S_ISREG(os.fstat(descriptor).st_mode) else None


def _status(path: Path, *, follow: bool = True) -> os.stat_result | None:
    try:
        return path.stat(follow_symlinks=follow)
    except FileNotFoundError:
        return None


def _write_all(write: Callable[[memoryview], int | None], data: memoryview) -> None:
    while data:
        data = data[write(data) or 0 :]
