"""Copying the first octets of one file to another, inside the kernel."""

from __future__ import annotations

import errno
import fcntl
import os

_FICLONE = 0x40049409
_CHUNK = 1 << 30
_NOT_HERE = frozenset(
    {errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTTY, errno.EBADF, errno.EPERM}
)


def copy_head(source: int, target: int, size: int) -> int:
    """Make the empty file ``target`` the first ``size`` octets of ``source``; shares the blocks where that can be.

    Holes stay holes. Returns how many octets came over, fewer where ``source`` is shorter; ``target``'s file offset
    stands behind them. Raises OSError.
    """
    copied = _clone(source, target, size)
    if copied is not None:
        return copied
    copied = 0
    while copied < size:
        start, end = _next_data(source, copied, size)
        if start > copied:
            os.ftruncate(target, start)
            copied = os.lseek(target, start, os.SEEK_SET)
            continue
        count = _copy_some(source, target, end - copied, copied)
        if not count:
            break
        copied += count
    return copied


def _next_data(source: int, offset: int, size: int) -> tuple[int, int]:
    """Where the next octets that are no hole begin, and where they end, before ``size`` or the end of ``source``."""
    try:
        start = os.lseek(source, offset, os.SEEK_DATA)
        return min(start, size), min(os.lseek(source, start, os.SEEK_HOLE), size)
    except OSError as error:
        if error.errno == errno.ENXIO:  # nothing but a hole up to the end
            return max(min(os.fstat(source).st_size, size), offset), size
        if error.errno not in _NOT_HERE:
            raise
        return offset, size


def _clone(source: int, target: int, size: int) -> int | None:
    try:
        fcntl.ioctl(target, _FICLONE, source)
    except OSError as error:
        if error.errno in _NOT_HERE:
            return None
        raise
    held = os.fstat(target).st_size
    if held > size:
        os.ftruncate(target, size)
    return os.lseek(target, min(held, size), os.SEEK_SET)


def _copy_some(source: int, target: int, size: int, offset: int) -> int:
    try:
        return os.copy_file_range(source, target, min(size, _CHUNK), offset)
    except OSError as error:
        if error.errno not in _NOT_HERE:
            raise
    return os.sendfile(target, source, offset, min(size, _CHUNK))
