"""A local file open for reading."""

from __future__ import annotations

import errno
import os
import stat

from fairlead.errors import Denied, IsADirectory
from fairlead.storage.local.device import in_memory
from fairlead.storage.local.faults import fault

FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
"""Never waits for the other end of a FIFO, never takes a terminal."""


class LocalSource:
    """What :meth:`fairlead.storage.base.Storage.open` gives for a local file."""

    __slots__ = ("_descriptor", "_in_memory", "_path", "status")

    def __init__(self, descriptor: int, path: str) -> None:
        """Take ``descriptor`` over. Raises IsADirectory, and Denied for what is no regular file; then it is closed."""
        self._descriptor = descriptor
        self._path = path
        self.status = os.fstat(descriptor)
        mode = self.status.st_mode
        if not stat.S_ISREG(mode):
            self.close()
            raise IsADirectory(path) if stat.S_ISDIR(mode) else Denied(path, "It is not a regular file")
        self._in_memory = in_memory(descriptor, self.status.st_dev)

    def fileno(self) -> int | None:
        """The descriptor."""
        return self._descriptor

    def read(self, size: int, offset: int) -> bytes:
        """At most ``size`` octets from ``offset``; empty at the end."""
        try:
            return os.pread(self._descriptor, size, offset)
        except OSError as error:
            raise fault(error, self._path) from error

    def read_cached(self, size: int, offset: int) -> bytes | None:
        """As :meth:`read`, but None where the kernel does not hold the octets in memory."""
        if self._in_memory:
            return self.read(size, offset)
        remaining = self.status.st_size - offset
        buffer = bytearray(remaining if 0 < remaining < size else size)
        try:
            count = os.preadv(self._descriptor, (buffer,), offset, os.RWF_NOWAIT)
        except OSError as error:
            if error.errno in {errno.EAGAIN, errno.EOPNOTSUPP}:
                return None
            raise fault(error, self._path) from error
        del buffer[count:]
        return bytes(buffer)

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    __del__ = close
