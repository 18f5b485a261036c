"""Small files read whole by one call of the accelerator."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import cache

from fairlead.storage.local import accelerator
from fairlead.storage.local.source import FLAGS

ReadWhole = Callable[[int, bytes, int], bytes | None]
"""``(root, path, limit) -> octets``: of a regular file beneath ``root`` where no disk is waited for, else None."""


@cache
def best() -> ReadWhole | None:
    """The accelerator's, or None where there is none."""
    _, library = accelerator.find()
    if library is None:
        return None
    import ctypes  # noqa: PLC0415 - large, and useless without the library

    call = library.fairlead_whole
    call.restype = ctypes.c_long
    call.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_uint64, ctypes.c_void_p, ctypes.c_size_t)
    string_at, own = ctypes.string_at, threading.local()

    def read_whole(root: int, path: bytes, limit: int) -> bytes | None:
        if getattr(own, "limit", -1) < limit:
            own.buffer, own.limit = ctypes.create_string_buffer(limit), limit
            own.address = ctypes.addressof(own.buffer)
        size: int = call(root, path, FLAGS, own.address, limit)
        return string_at(own.address, size) if size >= 0 else None

    return read_whole
