"""A local file being written: a hidden partial beside its target, renamed over it when it is whole."""

from __future__ import annotations

import contextlib
import errno
import os

from fairlead.storage.local import partial
from fairlead.storage.local.faults import fault
from fairlead.storage.local.flushing import Disk, disk


class Place:
    """Where an upload ends up: an open directory and a name in it; ``path`` is the virtual path, for errors.

    ``lender`` closes the directory and is kept alive as long as it is used; None where the place does.
    """

    __slots__ = ("directory", "lender", "name", "path", "reserved", "status")

    def __init__(self, path: str, directory: int, name: bytes, lender: object = None) -> None:
        self.path = path
        self.directory = directory
        self.name = name
        self.lender = lender
        self.status: os.stat_result | None = None
        """What bears the name; no link."""
        self.reserved: os.stat_result | None = None
        """The empty file that keeps the name for an upload under a unique name."""

    def close(self) -> None:
        """Close the directory; a second call does nothing."""
        directory, self.directory = self.directory, -1
        if directory >= 0 and self.lender is None:
            os.close(directory)

    def release(self) -> None:
        """Take the reservation back, unless something else bears the name by now."""
        if self.reserved is not None:
            with contextlib.suppress(OSError):
                status = os.lstat(self.name, dir_fd=self.directory)
                if (status.st_ino, status.st_dev, status.st_size) == (self.reserved.st_ino, self.reserved.st_dev, 0):
                    os.unlink(self.name, dir_fd=self.directory)


class Work:
    """The locked file that takes an upload's octets; ``device`` is the ``st_dev`` it lies on.

    ``kept_as`` is the name under which the owner finds it again; empty where nothing could be resumed from it.
    """

    __slots__ = ("descriptor", "device", "kept_as", "name", "position")

    def __init__(self, descriptor: int, device: int, name: bytes, kept_as: bytes, position: int = 0) -> None:
        self.descriptor = descriptor
        self.device = device
        self.name = name
        self.kept_as = kept_as
        self.position = position


class LocalUpload:
    """What :meth:`fairlead.storage.base.Storage.create` gives for a local file."""

    __slots__ = ("_descriptor", "_flushed", "_full", "_place", "_work", "position", "prompt")

    def __init__(self, place: Place, work: Work, *, full: bool, prompt: bool) -> None:
        """``full`` flushes before :meth:`commit` returns; ``prompt`` tells that this never waits for a disk."""
        self._place = place
        self._work = work
        self._descriptor = work.descriptor
        self._full = full
        self._flushed = False
        """Whether the name of the partial is durable."""
        self.position = work.position
        self.prompt = prompt

    def fileno(self) -> int | None:
        """The descriptor of the partial; its file offset stands at ``position``."""
        return self._descriptor

    def write(self, data: bytes | memoryview) -> None:
        """Write all of ``data``; where it fails, ``position`` counts what was written."""
        try:
            written = os.write(self._descriptor, data)
            self.position += written
            while written < len(data):
                count = os.write(self._descriptor, memoryview(data)[written:])
                self.position += count
                written += count
        except OSError as error:
            raise fault(error, self._place.path) from error

    def flush(self) -> None:
        """Flush the partial, and the first time the directory that holds its name."""
        if not self._full:
            return
        try:
            os.fdatasync(self._descriptor)
            if not self._flushed:
                self._flush_directory()
                self._flushed = True
        except OSError as error:
            raise fault(error, self._place.path) from error

    def commit(self) -> None:
        """Flush the file, rename it over its target, flush the directory.

        A failed flush throws the partial away, for what of it reached the disk is unknown; after a failed rename it is
        kept. Either way the old file stands and the upload has ended.
        """
        self.put_in_place(flushed=False)
        self.conclude(flushed=False)

    @property
    def together(self) -> Disk:
        """The file system, which can commit several uploads at once."""
        return disk(self._work.device)

    @property
    def directory(self) -> int:
        """The descriptor of the directory it goes to."""
        return self._place.directory

    def put_in_place(self, *, flushed: bool) -> None:
        """The first half of :meth:`commit`: rename the file, which is ``flushed`` already or will be first."""
        place = self._place
        if self._full and not flushed:
            try:
                os.fsync(self._descriptor)
            except OSError as error:
                self.discard()
                raise fault(error, place.path) from error
        try:
            os.rename(self._work.name, place.name, src_dir_fd=place.directory, dst_dir_fd=place.directory)
        except OSError as error:
            self.keep()
            raise fault(error, place.path) from error

    def conclude(self, *, flushed: bool) -> None:
        """The second half: flush the directory, if it is not ``flushed`` already, and close."""
        try:
            if self._full and not flushed:
                self._flush_directory()
        except OSError as error:
            raise fault(error, self._place.path) from error
        finally:
            self._close()

    def keep(self) -> None:
        """Leave the partial where its owner finds it again."""
        if self._descriptor < 0:
            return
        work, directory = self._work, self._place.directory
        try:
            if not work.kept_as or not os.fstat(self._descriptor).st_size:
                os.unlink(work.name, dir_fd=directory)
            elif work.name != work.kept_as:
                self._keep_spare()
        except OSError:
            pass  # nothing can be kept; the sweep finds what is left
        finally:
            self._place.release()
            self._close()

    def discard(self) -> None:
        """Remove the partial."""
        if self._descriptor >= 0:
            with contextlib.suppress(OSError):
                os.unlink(self._work.name, dir_fd=self._place.directory)
            self._place.release()
            self._close()

    def _keep_spare(self) -> None:
        """Give the partial its owner's name for it, unless another live upload holds that."""
        work, directory = self._work, self._place.directory
        held = partial.claim(directory, work.kept_as, os.O_CREAT)
        if held is None:
            os.unlink(work.name, dir_fd=directory)
            return
        try:
            os.rename(work.name, work.kept_as, src_dir_fd=directory, dst_dir_fd=directory)
        finally:
            os.close(held[0])

    def _flush_directory(self) -> None:
        try:
            os.fsync(self._place.directory)
        except OSError as error:
            if error.errno not in {errno.EBADF, errno.EINVAL}:
                raise
            # It may be searched but not read, so it could not be opened for flushing; or its kind cannot be flushed.
            from fairlead.storage.local.kernel import syncfs  # noqa: PLC0415 - see there

            syncfs(self._descriptor)

    def _close(self) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        self._place.close()
        os.close(descriptor)

    __del__ = keep
