"""Whether a file system lives in memory, so that neither reading nor flushing it ever waits for a disk."""

from __future__ import annotations

_TYPES_IN_MEMORY = frozenset({0x01021994, 0x858458F6})  # tmpfs, ramfs: linux/magic.h

_known: dict[int, bool] = {}


def in_memory(descriptor: int, device: int) -> bool:
    """Whether the open file is on tmpfs or ramfs; ``device`` is its ``st_dev``, asked for once."""
    answer = _known.get(device)
    if answer is None:
        from fairlead.storage.local.kernel import file_system_type  # noqa: PLC0415 - see there

        answer = _known[device] = file_system_type(descriptor) in _TYPES_IN_MEMORY
    return answer
