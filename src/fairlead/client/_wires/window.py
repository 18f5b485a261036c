"""A part of a file as memory, which the kernel sends from.

``sendfile`` hands the pages of the file on, and who receives them on the same machine copies from memory that no cache
holds. Sent from a mapping they are copied by us, and received while they are still at hand: both ends work at once.

Nothing here reads the octets: who reads what a file has lost gets a signal, while the kernel answers EFAULT.
"""

from __future__ import annotations

import mmap
import os

WORTH_IT = 1 << 20
"""Octets of a file after which the rest is sent so."""
_LENGTH = 8 << 20
"""Octets in a window, at most."""


class Window:
    """What of a file is mapped just now."""

    def __init__(self) -> None:
        self._octets = memoryview(b"")
        self._start = 0

    def at(self, file: int, offset: int) -> memoryview:
        """The octets of the descriptor ``file`` from ``offset`` on, some of them; none behind its end.

        It is one file for each window. Raises OSError and ValueError where it cannot be mapped.
        """
        place = offset - self._start
        if not 0 <= place < len(self._octets):
            self._octets = memoryview(b"")  # which ends the mapping, once nobody has a part of it
            start = offset - offset % mmap.ALLOCATIONGRANULARITY
            length = min(os.fstat(file).st_size - start, _LENGTH)
            place = offset - start
            if length <= place:
                return self._octets
            self._octets = memoryview(mmap.mmap(file, length, access=mmap.ACCESS_READ, offset=start))
            self._start = start
        return self._octets[place:]
