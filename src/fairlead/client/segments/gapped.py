"""A download's target that is written in any order, and knows which octets are here."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from stat import S_ISREG
from typing import BinaryIO

from fairlead.client._local import PART

PARTS = ".parts"
"""Added to the name of a file that is being downloaded in segments."""
_NOTED = 4 << 20
"""Octets after which it is written down what is here."""


class GappedFile:
    """The file ``target``, written as ``NAME.parts`` until it is whole.

    Behind the last of its ``size`` octets stands a line of JSON that says which of them are here, so that whoever was
    stopped goes on with them, and whoever looks at the length alone never takes it for the whole. With ``resume`` an
    earlier one serves, if the file on the server still has the same size and is of the same time, ``modified``; so does
    what one session left as ``NAME.part``, if the file was not changed since.
    """

    def __init__(self, target: Path, size: int, modified: datetime | None, *, resume: bool) -> None:
        self._target = target.resolve() if target.is_symlink() else target
        self._path = self._target.with_name(self._target.name + PARTS)
        self._size = size
        self._modified = modified
        self._marks = {"size": size, "modified": None if modified is None else modified.isoformat()}
        earlier = (self._earlier() or self._beginning()) if resume else None
        self._file = self._path.open("wb" if earlier is None else "r+b", buffering=0)
        self._have = earlier or []
        self._unnoted = 0

    @property
    def octets(self) -> int:
        """How many octets are here."""
        return sum(end - start for start, end in self._have)

    def gaps(self) -> list[tuple[int, int]]:
        """What is missing, as ranges without their ends."""
        starts = [0, *(end for _, end in self._have)]
        ends = [*(start for start, _ in self._have), self._size]
        return [(start, end) for start, end in zip(starts, ends, strict=True) if start < end]

    def write(self, offset: int, data: memoryview) -> None:
        """Put ``data`` where it belongs. Raises OSError."""
        self._file.seek(offset)
        rest = data
        while rest:
            rest = rest[self._file.write(rest) :]
        self._add(offset, offset + len(data))
        self._unnoted += len(data)
        if self._unnoted >= _NOTED:
            self._note()

    def whole(self) -> BinaryIO:
        """All of it, once no gap is left, to be read again."""
        self._file.truncate(self._size)
        return self._path.open("rb")

    def keep(self, modified: datetime | None) -> None:
        """Everything is here: the file takes the time ``modified`` where that is given, and its name."""
        self._file.truncate(self._size)
        self._file.close()
        if modified is not None:
            os.utime(self._path, (modified.timestamp(), modified.timestamp()))
        self._path.replace(self._target)

    def discard(self) -> None:
        """Nobody goes on from it: it is not what it should be."""
        self._file.close()
        self._path.unlink(missing_ok=True)

    def leave(self) -> None:
        """Close it; what is here of a file that is not whole stays to go on from."""
        if self._file.closed:
            return
        if self._have:
            with suppress(OSError):  # no room, perhaps; less is gone on from then
                self._note()
            self._file.close()
        else:
            self.discard()

    def _add(self, start: int, end: int) -> None:
        apart = [(a, b) for a, b in self._have if b < start or a > end]
        touched = [(a, b) for a, b in self._have if b >= start and a <= end]
        merged = (min([start, *(a for a, _ in touched)]), max([end, *(b for _, b in touched)]))
        self._have = sorted([*apart, merged])

    def _note(self) -> None:
        """Write down what is here: data first, so that the line never tells of what is not."""
        line = json.dumps({**self._marks, "have": self._have}).encode() + b"\n"
        self._file.seek(self._size)
        self._file.write(line)
        self._unnoted = 0

    def _earlier(self) -> list[tuple[int, int]] | None:
        """What an earlier download left here; None where there is nothing to go on from."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._size)
                told = json.loads(file.readline())
            have = [(int(start), int(end)) for start, end in told.pop("have")]
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return None
        bounds = [0, *(bound for span in have for bound in span), self._size]
        return have if told == self._marks and bounds == sorted(bounds) else None

    def _beginning(self) -> list[tuple[int, int]] | None:
        """What one session left of the same file, which is taken over; None where there is nothing."""
        part = self._target.with_name(self._target.name + PART)
        try:
            status = part.lstat()
        except OSError:
            return None
        since = self._modified is None or self._modified.timestamp() <= status.st_mtime
        if not (S_ISREG(status.st_mode) and since and 0 < status.st_size <= self._size):
            return None
        part.replace(self._path)
        return [(0, status.st_size)]
