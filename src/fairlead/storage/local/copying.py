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

    Returns how many octets came over, fewer where ``source`` is shorter; ``target``'s file offset stands behind them.
    Raises OSError.
    """
    copied = _clone(source, target, size)
    if copied is not None:
        return copied
    copied = 0
    while copied < size:
        count = _copy_some(source, target, size - copied, copied)
        if not count:
            break
        copied += count
    return copied


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
