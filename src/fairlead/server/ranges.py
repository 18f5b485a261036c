"""Ranges of octets in a file (RANG, draft-bryan-ftp-range): reading and writing no more than one."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from fairlead.errors import ArgumentError, LimitError, MismatchError, TruncatedError
from fairlead.proto.codec import is_identity

if TYPE_CHECKING:
    from fairlead.server.session import Session
    from fairlead.storage.base import Source, Together, Upload

DIGITS = 19
BEYOND = 10**DIGITS
"""An octet beyond the end of every file."""


class Range(NamedTuple):
    """Octets of a file, from ``start`` to before ``end``."""

    start: int
    end: int


def octet_number(text: str) -> int:
    """How many octets the digits of ``text`` say. Raises ArgumentError."""
    if not (text.isascii() and text.isdecimal()):
        raise ArgumentError(f"{text[:20]!r} is no number of octets")
    digits = text.lstrip("0")
    return int(digits or "0") if len(digits) <= DIGITS else BEYOND


def check_representation(session: Session) -> None:
    """Raises MismatchError where the octets of the file are not those that are transmitted."""
    if not is_identity(session.representation):
        raise MismatchError("RANG counts octets under TYPE I, STRU F and MODE S only")


class Head:
    """A source that ends at the octet ``end``, where its file does not end before."""

    __slots__ = ("_source", "status")

    def __init__(self, source: Source, end: int) -> None:
        self._source = source
        whole = source.status
        size = min(end, whole.st_size)
        self.status = os.stat_result((*whole[:6], size, *whole[7:10]))

    def fileno(self) -> int | None:
        """As the whole source: who sends from the descriptor minds ``status``."""
        return self._source.fileno()

    def read(self, size: int, offset: int) -> bytes:
        """At most ``size`` octets from ``offset``; empty at the end."""
        return self._source.read(self._limited(size, offset), offset)

    def read_cached(self, size: int, offset: int) -> bytes | None:
        """As :meth:`read`, but None where it would wait."""
        return self._source.read_cached(self._limited(size, offset), offset)

    def _limited(self, size: int, offset: int) -> int:
        return max(min(size, self.status.st_size - offset), 0)

    def close(self) -> None:
        """Release the file."""
        self._source.close()


class Stretch:
    """An upload that takes the octets up to ``end``, neither more nor fewer."""

    __slots__ = ("_end", "_upload", "position")

    def __init__(self, upload: Upload, end: int) -> None:
        self._upload = upload
        self._end = end
        self.position = upload.position

    def fileno(self) -> int | None:
        """None: what is written passes by here, to be counted."""
        return None

    def write(self, data: bytes | memoryview) -> None:
        """Write all of ``data``. Raises LimitError where the range would be left; nothing is written then."""
        if self.position + len(data) > self._end:
            raise LimitError("More octets came than RANG announced; the file stays as it was")
        self._upload.write(data)
        self.position = self._upload.position

    def flush(self) -> None:
        """As the upload."""
        self._upload.flush()

    @property
    def prompt(self) -> bool:
        """Whether :meth:`commit` returns without waiting for a disk."""
        return self._upload.prompt

    @property
    def together(self) -> Together | None:
        """None: whether all came must be looked at first."""
        return None

    def commit(self) -> None:
        """Put the range in its place. Raises TruncatedError where not all of it came."""
        if self.position < self._end:
            raise TruncatedError("Fewer octets came than RANG announced; the file stays as it was")
        self._upload.commit()

    def keep(self) -> None:
        """As :meth:`discard`: nothing could go on from a part of a range."""
        self._upload.discard()

    def discard(self) -> None:
        """Forget what came; the old file stays."""
        self._upload.discard()
