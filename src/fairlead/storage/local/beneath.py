"""Opening a path so that nothing outside the root can be reached, whatever links lead or are swapped meanwhile.

``openat2`` with ``RESOLVE_BENEATH`` (Linux 5.6) lets the kernel see to it. Where the kernel or a sandbox does not
offer it, :func:`walk` opens one component after the other without following links and resolves links itself.
"""

from __future__ import annotations

import ctypes
import errno
import os
import stat
from collections.abc import Callable
from functools import cache

Opener = Callable[[int, bytes, int], int]
"""``(root, path, flags) -> descriptor``; raises OSError, EXDEV where the path leaves the root."""

MAX_LINKS = 40
_SYS_OPENAT2 = 437
_RESOLVE_NO_MAGICLINKS = 0x02
_RESOLVE_BENEATH = 0x08
_ATTEMPTS = 128
_COMPONENT = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC


class _OpenHow(ctypes.Structure):
    _fields_ = (("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64))


_HOW_SIZE = ctypes.sizeof(_OpenHow)
_syscall = ctypes.CDLL(None, use_errno=True).syscall
_syscall.restype = ctypes.c_long
_syscall.argtypes = (ctypes.c_long, ctypes.c_int, ctypes.c_char_p, ctypes.POINTER(_OpenHow), ctypes.c_size_t)


@cache
def _how(flags: int) -> _OpenHow:
    return _OpenHow(flags | os.O_CLOEXEC, 0, _RESOLVE_BENEATH | _RESOLVE_NO_MAGICLINKS)


def openat2(root: int, path: bytes, flags: int) -> int:
    """Open ``path`` beneath the directory ``root``; links are followed as long as they stay beneath it.

    With ``O_NOFOLLOW`` the last component is not followed. Nothing is ever created. Raises OSError: EXDEV where the
    path leads out, EAGAIN where renames beside it made the kernel unsure time and again.
    """
    attempts = _ATTEMPTS
    while True:
        descriptor: int = _syscall(_SYS_OPENAT2, root, path, _how(flags), _HOW_SIZE)
        if descriptor >= 0:
            return descriptor
        number = ctypes.get_errno()
        attempts -= 1
        if number not in {errno.EAGAIN, errno.EINTR} or not attempts:
            raise _failure(number)


def walk(root: int, path: bytes, flags: int) -> int:
    """As :func:`openat2` without the kernel's help: a descriptor for each directory on the way, none by ``..``."""
    trail = [root]
    pending = path.split(b"/")[::-1]
    links = 0
    try:
        while pending:
            name = pending.pop()
            if name in {b"", b"."}:
                continue
            if name == b"..":
                if len(trail) == 1:
                    raise _failure(errno.EXDEV)
                os.close(trail.pop())
                continue
            found = os.open(name, _COMPONENT, dir_fd=trail[-1])
            mode = os.fstat(found).st_mode
            if stat.S_ISDIR(mode):
                trail.append(found)
                continue
            if stat.S_ISLNK(mode) and (pending or not flags & os.O_NOFOLLOW):
                links += 1
                pending += _link_names(found, links)
                continue
            if not pending and flags & os.O_PATH and not flags & os.O_DIRECTORY:
                return found
            os.close(found)
            if pending or flags & os.O_DIRECTORY:
                raise _failure(errno.ENOTDIR)
            try:
                return os.open(name, flags | os.O_NOFOLLOW, dir_fd=trail[-1])
            except OSError as error:
                links += 1
                if error.errno != errno.ELOOP or flags & os.O_NOFOLLOW or links > MAX_LINKS:
                    raise
                pending.append(name)  # it became a link since it was looked at
        return os.open(b".", flags & ~os.O_NOFOLLOW, dir_fd=trail[-1])
    finally:
        for descriptor in trail[1:]:
            os.close(descriptor)


def _link_names(link: int, links: int) -> list[bytes]:
    """The components of a link's text, last first; closes ``link``."""
    try:
        text = os.readlink(b"", dir_fd=link)
    finally:
        os.close(link)
    if text.startswith(b"/"):
        raise _failure(errno.EXDEV)
    if links > MAX_LINKS:
        raise _failure(errno.ELOOP)
    return text.split(b"/")[::-1]


def best(root: int) -> Opener:
    """:func:`openat2` where the kernel and its sandbox let it be used, else :func:`walk`."""
    try:
        os.close(openat2(root, b".", os.O_PATH))
    except OSError as error:
        if error.errno not in {errno.ENOSYS, errno.EPERM}:
            raise
        return walk
    return openat2


def _failure(number: int) -> OSError:
    return OSError(number, os.strerror(number))
