"""The beginning of the usual uploads, of a new file or over one of ours, by one call of the accelerator."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import cache

from fairlead import accelerator
from fairlead.storage.local.upload import Place, Work

BeginNew = Callable[[Place, bytes, int], Work | None]
"""``(place, kept_as, mode) -> work``, as :mod:`fairlead.storage.local.begin` makes it; None for what is not usual."""


@cache
def best() -> BeginNew | None:
    """The accelerator's, or None where there is none."""
    _, library = accelerator.find()
    if library is None:
        return None
    import ctypes  # noqa: PLC0415 - large, and useless without the library

    call, own = library.fairlead_begin, threading.local()

    def begin_new(place: Place, kept_as: bytes, mode: int) -> Work | None:
        if not hasattr(own, "device"):
            own.device = ctypes.c_uint64()
            own.pointer = ctypes.byref(own.device)
        descriptor: int = call(place.directory, place.name, kept_as, mode, own.pointer)
        return Work(descriptor, own.device.value, kept_as, kept_as) if descriptor >= 0 else None

    return begin_new
