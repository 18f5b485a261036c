"""Reading and writing one file in memory."""

from __future__ import annotations

from fairlead.errors import AlreadyExists, InvalidName, IsADirectory, NoSpace, OffsetError
from fairlead.storage import names
from fairlead.storage.base import Intent
from fairlead.storage.memory.tree import Directory, File, Tree


class MemorySource:
    """What :meth:`fairlead.storage.base.Storage.open` gives for a file in memory."""

    def __init__(self, tree: Tree, file: File) -> None:
        self.status = file.status()
        self._tree = tree
        self._file = file

    def fileno(self) -> int | None:
        """None: there is no descriptor."""
        return None

    def read(self, size: int, offset: int) -> bytes:
        """At most ``size`` octets from ``offset``; empty at the end."""
        with self._tree.lock:
            return bytes(self._file.data[offset : offset + size])

    def read_cached(self, size: int, offset: int) -> bytes | None:
        """As :meth:`read`: memory never waits."""
        return self.read(size, offset)

    def close(self) -> None:
        """Nothing is held."""


class MemoryUpload:
    """What :meth:`fairlead.storage.base.Storage.create` gives for a file in memory."""

    prompt = True
    together = None

    def __init__(self, tree: Tree, path: str, *, intent: Intent, owner: str, offset: int) -> None:
        """Begin an upload; the tree's lock is held. Raises StorageError."""
        self._tree = tree
        self._path = path
        self._directory, self._name = (tree.parent if intent is Intent.UNIQUE else tree.settle)(path, InvalidName)
        if not self._name:
            raise IsADirectory(path)
        target = self._target(intent)
        self._kept_as = names.partial(self._name, owner)
        kept = self._directory.partials.get(self._kept_as)
        head = _head(kept, target, intent, offset)
        if head is None:
            raise OffsetError(path)
        self._resumable = intent is not Intent.UPDATE and (intent is not Intent.APPEND or target is None)
        use_kept = self._resumable and (kept is None or not kept.live)
        self._key = self._kept_as if use_kept else names.spare(self._kept_as)
        self._file = self._directory.partials.setdefault(self._key, tree.new_file())
        self._file.live = True
        self._reserved: File | None = None
        self._fill(head)
        self.position = offset if intent is Intent.UPDATE else len(head)
        if target is not None:
            self._file.mode = target.mode
        if intent is Intent.UNIQUE:
            self._reserved = self._directory.entries[self._name] = tree.new_file()

    def fileno(self) -> int | None:
        """None: there is no descriptor."""
        return None

    def write(self, data: bytes | memoryview) -> None:
        """Write all of ``data``; where it fails, ``position`` counts what was written."""
        with self._tree.lock:
            written = self._tree.write(self._file, self.position, data, self._path)
            self.position += written
            if written < len(data):
                raise NoSpace(self._path)

    def flush(self) -> None:
        """Nothing: memory has nowhere more durable."""

    def commit(self) -> None:
        """Put the file under its name; the upload has ended even where this fails."""
        with self._tree.lock:
            if isinstance(self._directory.entries.get(self._name), Directory):
                self.keep()
                raise IsADirectory(self._path)
            self._end()
            self._directory.entries[self._name] = self._file

    def keep(self) -> None:
        """Leave the partial where its owner finds it again."""
        with self._tree.lock:
            if self._file.live:
                self._end()
                self._release()
                held = self._directory.partials.get(self._kept_as)
                if self._resumable and self._file.data and not (held and held.live):
                    self._directory.partials[self._kept_as] = self._file

    def discard(self) -> None:
        """Remove the partial."""
        with self._tree.lock:
            if self._file.live:
                self._end()
                self._release()

    def _target(self, intent: Intent) -> File | None:
        if self._name not in self._directory.entries:
            return None
        if intent is Intent.UNIQUE:
            raise AlreadyExists(self._path)
        target = self._directory.entries[self._name]
        if isinstance(target, Directory):
            raise IsADirectory(self._path)
        assert isinstance(target, File)  # links were followed
        return target

    def _fill(self, head: bytes) -> None:
        self._file.data.clear()
        try:
            if self._tree.write(self._file, 0, head, self._path) < len(head):
                raise NoSpace(self._path)
        except NoSpace:
            self._end()
            raise

    def _end(self) -> None:
        self._file.live = False
        del self._directory.partials[self._key]

    def _release(self) -> None:
        """Take the reservation back, unless something else bears the name by now."""
        if self._reserved is not None and self._directory.entries.get(self._name) is self._reserved:
            del self._directory.entries[self._name]


def _head(kept: File | None, target: File | None, intent: Intent, offset: int) -> bytes | None:
    """The octets an upload starts from; None where there are not as many as ``offset``."""
    if intent is Intent.UPDATE:
        whole = b"" if target is None else bytes(target.data)
        return whole if offset <= len(whole) else None
    if intent is Intent.APPEND:
        start = target or kept
        return b"" if start is None else bytes(start.data)
    if not offset or intent is Intent.UNIQUE:
        return b""
    return next((bytes(file.data[:offset]) for file in (kept, target) if file and len(file.data) >= offset), None)
