"""Calls of the system that Python has no name for; imported when one of them is first needed, for ctypes is large."""

from __future__ import annotations

import ctypes
import errno
import os
from functools import cache

_SYS_OPENAT2 = 437
_RESOLVE_NO_MAGICLINKS = 0x02
_RESOLVE_BENEATH = 0x08
_ATTEMPTS = 128


class _OpenHow(ctypes.Structure):
    _fields_ = (("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64))


_HOW_SIZE = ctypes.sizeof(_OpenHow)
_system = ctypes.CDLL(None, use_errno=True)
_syscall = _system.syscall
_syscall.restype = ctypes.c_long
_syscall.argtypes = (ctypes.c_long, ctypes.c_int, ctypes.c_char_p, ctypes.POINTER(_OpenHow), ctypes.c_size_t)
_syncfs = _system.syncfs
_syncfs.argtypes = (ctypes.c_int,)
_fstatfs = _system.fstatfs
_fstatfs.argtypes = (ctypes.c_int, ctypes.c_char_p)


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
            raise OSError(number, os.strerror(number))


def syncfs(descriptor: int) -> None:
    """Flush the file system that ``descriptor`` is on. Raises OSError."""
    if _syncfs(descriptor):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def file_system_type(descriptor: int) -> int | None:
    """The type of the file system that ``descriptor`` is on, a number of linux/magic.h; None where it cannot be had."""
    buffer = ctypes.create_string_buffer(512)
    if _fstatfs(descriptor, buffer):
        return None
    return ctypes.c_long.from_buffer(buffer).value & 0xFFFFFFFF
