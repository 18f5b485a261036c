"""The lines of a directory's listing: by the accelerator where there is one, else batch by batch by the formatter.

Both give the same octets. The accelerator needs the listing as a layout; the lines of what it cannot show itself (what
may be a partial upload, links that MLSD follows, years that four digits cannot tell) it leaves to the formatter.
Imported when the first directory is listed, for ctypes is large.
"""

from __future__ import annotations

import ctypes
import errno
import os
from collections.abc import Iterator
from enum import IntEnum
from functools import cache
from typing import TYPE_CHECKING, ClassVar, Self

from fairlead import accelerator
from fairlead.proto.listing.layout import Formatter, Layout, pack
from fairlead.storage.local.faults import fault
from fairlead.storage.local.scan import SORTED_LIMIT, Scan, items
from fairlead.storage.names import PARTIAL_PREFIX, encode

if TYPE_CHECKING:
    from ctypes import _Pointer

CHUNK = 64 << 10
"""Octets that are made at a time."""


class Stop(IntEnum):
    """What stopped ``fairlead_listing_fill``."""

    END = 0
    FULL = 1
    FRAMELESS = 2
    FOREIGN = 3
    FAULT = 4


class CLayout(ctypes.Structure):
    """``struct layout`` of listing.c."""

    _fields_: ClassVar = [
        ("first_recent", ctypes.c_int64),
        ("end_recent", ctypes.c_int64),
        ("sorted_limit", ctypes.c_int64),
        ("hidden", ctypes.c_char_p),
        ("utc", ctypes.c_int32),
        ("masks", ctypes.c_int32),
        ("follows", ctypes.c_int32),
        ("bare", ctypes.c_int32),
    ]


class CEntry(ctypes.Structure):
    """``struct entry`` of entries.h."""

    _fields_: ClassVar = [
        ("name", ctypes.c_char_p),
        ("inode", ctypes.c_uint64),
        ("device", ctypes.c_uint64),
        ("links", ctypes.c_uint64),
        ("size", ctypes.c_int64),
        ("modified", ctypes.c_int64),
        ("mode", ctypes.c_uint32),
        ("owner", ctypes.c_uint32),
        ("group", ctypes.c_uint32),
    ]


class Functions:
    """What listing.c exports."""

    def __init__(self, library: ctypes.CDLL) -> None:
        handle, size = ctypes.c_void_p, ctypes.c_size_t
        self.open = library.fairlead_listing_open
        self.open.argtypes, self.open.restype = (ctypes.c_int, ctypes.POINTER(CLayout)), handle
        self.fill = library.fairlead_listing_fill
        self.fill.argtypes = (handle, ctypes.c_char_p, size, ctypes.POINTER(size))
        self.entry = library.fairlead_listing_entry
        self.entry.argtypes, self.entry.restype = (handle,), ctypes.POINTER(CEntry)
        self.frame = library.fairlead_listing_frame
        self.frame.argtypes = (handle, ctypes.c_char_p, size)
        self.close = library.fairlead_listing_close
        self.close.argtypes, self.close.restype = (handle,), None


@cache
def functions() -> Functions | None:
    """The functions of the accelerator, where it is in use."""
    _, library = accelerator.find()
    return None if library is None else Functions(library)


def lines(directory: int, path: str, formatter: Formatter) -> Iterator[bytes]:
    """The lines of an open directory, whose descriptor is taken over and closed at the end, or when they are dropped.

    ``path`` is the virtual path, for errors. Raises StorageError; the descriptor is closed then.
    """
    calls, layout = functions(), formatter.layout()
    if calls is None or layout is None:
        return map(formatter.lines, Scan(directory, path, bare=layout is not None and layout.bare))
    return CompiledLines(calls, directory, path, formatter, layout)


class CompiledLines:
    """The lines of an open directory in chunks of some ``CHUNK`` octets, made by the accelerator.

    Takes the descriptor over and closes it at the end or when dropped.
    """

    _handle: int | None = None

    def __init__(self, calls: Functions, directory: int, path: str, formatter: Formatter, layout: Layout) -> None:
        """``path`` is the virtual path, for errors. Raises StorageError; the descriptor is closed then."""
        self._calls = calls
        self._directory = directory
        self._path = path
        self._formatter = formatter
        self._layout = layout
        made = CLayout(
            layout.recent.start,
            layout.recent.stop,
            SORTED_LIMIT,
            encode(PARTIAL_PREFIX),
            layout.utc,
            layout.masks,
            layout.follows,
            layout.bare,
        )
        self._made = made  # the library keeps the address of ``hidden``
        self._handle = calls.open(directory, made)
        if self._handle is None:
            error = self._error()
            os.close(directory)
            raise fault(error, path)
        self._buffer = ctypes.create_string_buffer(CHUNK)
        self._written = ctypes.c_size_t()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        pieces: list[bytes] = []
        room = CHUNK
        while self._handle is not None:
            stop = self._calls.fill(self._handle, self._buffer, CHUNK, self._written)
            pieces.append(ctypes.string_at(self._buffer, self._written.value))
            room -= len(pieces[-1])
            if stop == Stop.END:
                self.close()
            elif stop == Stop.FRAMELESS:
                self._frame()
            elif stop == Stop.FOREIGN:
                name = os.fsdecode(self._entry().name)
                pieces.append(self._formatter.lines(items(self._directory, [name], bare=self._layout.bare)))
                room -= len(pieces[-1])
            elif stop == Stop.FAULT:
                error = self._error()
                self.close()
                raise fault(error, self._path)
            if room <= 0 or stop == Stop.FULL:
                break
        data = b"".join(pieces)
        if not data:
            raise StopIteration
        return data

    def close(self) -> None:
        """Release the directory; a second call does nothing."""
        handle, self._handle = self._handle, None
        if handle is not None:
            self._calls.close(handle)

    __del__ = close

    def _entry(self) -> CEntry:
        pointer: _Pointer[CEntry] = self._calls.entry(self._handle)
        return pointer.contents

    def _frame(self) -> None:
        """Give the library the frame of the entry it stopped at."""
        entry = self._entry()
        status = os.stat_result(
            (entry.mode, entry.inode, entry.device, entry.links, entry.owner, entry.group, entry.size)
            + (entry.modified,) * 3
        )
        frame = pack(self._layout.pieces(status))
        if self._calls.frame(self._handle, frame, len(frame)):
            raise self._error()

    def _error(self) -> OSError:
        number = ctypes.get_errno() or errno.EIO
        return OSError(number, os.strerror(number))
