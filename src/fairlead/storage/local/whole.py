"""Small files read whole by one call of the accelerator."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import cache

from fairlead import accelerator
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
    own = threading.local()

    def read_whole(root: int, path: bytes, limit: int) -> bytes | None:
        if getattr(own, "limit", -1) < limit:
            buffer = ctypes.create_string_buffer(limit)
            own.octets, own.limit, own.pointer = memoryview(buffer).cast("B"), limit, ctypes.byref(buffer)
        size: int = call(root, path, FLAGS, own.pointer, limit)
        return own.octets[:size].tobytes() if size >= 0 else None

    return read_whole
