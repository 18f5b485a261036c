"""The beginning of the usual upload, of a new file, by one call of the accelerator."""

from __future__ import annotations

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

    call = library.fairlead_begin
    call.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_uint, ctypes.c_void_p)

    def begin_new(place: Place, kept_as: bytes, mode: int) -> Work | None:
        device = ctypes.c_uint64()
        descriptor: int = call(place.directory, place.name, kept_as, mode, ctypes.addressof(device))
        return Work(descriptor, device.value, kept_as, kept_as) if descriptor >= 0 else None

    return begin_new
