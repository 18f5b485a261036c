"""Hidden partial uploads on the disk: claiming one, and removing those nobody works on.

A live upload holds ``flock`` on its partial; the kernel drops the lock with the process, so nothing is left behind by
a crash but the octets.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat

_OPEN = os.O_WRONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_NOT_OURS = frozenset({errno.ELOOP, errno.ENXIO, errno.EISDIR, errno.EACCES, errno.EPERM, errno.ETXTBSY})
_NO_LOCKS = frozenset({errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS})


def claim(directory: int, name: bytes, flags: int, mode: int = 0o600) -> tuple[int, os.stat_result] | None:
    """Open the partial ``name`` for writing and lock it; None where it is in use, not there, or cannot be one.

    ``flags`` may add ``O_CREAT`` and ``O_EXCL``; with both, a file system without locks is put up with, for then
    nobody else knows the name. Raises OSError where the directory or the disk is at fault.
    """
    try:
        descriptor = os.open(name, _OPEN | flags, mode, dir_fd=directory)
    except OSError as error:
        if error.errno in _NOT_OURS and not flags & os.O_EXCL:
            return None
        if error.errno == (errno.EEXIST if flags & os.O_CREAT else errno.ENOENT):
            return None
        raise
    try:
        status = _lock(directory, name, descriptor, lockless=bool(flags & os.O_EXCL))
    except BaseException:
        os.close(descriptor)
        raise
    if status is None:
        os.close(descriptor)
        return None
    return descriptor, status


def _lock(directory: int, name: bytes, descriptor: int, *, lockless: bool) -> os.stat_result | None:
    """Lock the open file; its status where that worked and ``name`` still leads to it.

    Whoever held the lock before may have renamed the file over its target or removed it: without a second look at the
    name, what was acknowledged a moment ago would be written over.
    """
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno != errno.EAGAIN and error.errno not in _NO_LOCKS:
            raise
        if error.errno == errno.EAGAIN or not lockless:
            return None
    status = os.fstat(descriptor)
    try:
        named = os.lstat(name, dir_fd=directory)
    except FileNotFoundError:
        return None
    if (named.st_ino, named.st_dev) != (status.st_ino, status.st_dev):
        return None
    return status if stat.S_ISREG(status.st_mode) and status.st_nlink == 1 else None


def remove_idle(directory: int, name: bytes, before: float | None = None) -> bool:
    """Remove the partial ``name`` unless a live upload holds it or it was written to after ``before`` (seconds)."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
    try:
        descriptor = os.open(name, flags, dir_fd=directory)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    try:
        status = _lock(directory, name, descriptor, lockless=False)
        if status is None or (before is not None and status.st_mtime > before):
            return False
        os.unlink(name, dir_fd=directory)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return True
