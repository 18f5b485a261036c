"""Whether a file system lives in memory, so that neither reading nor flushing it ever waits for a disk."""

from __future__ import annotations

import ctypes

_fstatfs = ctypes.CDLL(None, use_errno=True).fstatfs
_fstatfs.argtypes = (ctypes.c_int, ctypes.c_char_p)
_TYPES_IN_MEMORY = frozenset({0x01021994, 0x858458F6})  # tmpfs, ramfs: linux/magic.h

_known: dict[int, bool] = {}


def in_memory(descriptor: int, device: int) -> bool:
    """Whether the open file is on tmpfs or ramfs; ``device`` is its ``st_dev``, asked for once."""
    answer = _known.get(device)
    if answer is None:
        buffer = ctypes.create_string_buffer(512)
        failed = _fstatfs(descriptor, buffer)
        kind = ctypes.c_long.from_buffer(buffer).value & 0xFFFFFFFF
        answer = _known[device] = not failed and kind in _TYPES_IN_MEMORY
    return answer
