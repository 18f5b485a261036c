"""Hashes of files: computed piece by piece, and remembered as long as the file stays as it is."""

from __future__ import annotations

import hashlib
import time
import zlib
from collections import OrderedDict
from collections.abc import Callable, Generator, Mapping
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, Protocol

from fairlead.errors import Busy, NotFound, OffsetError
from fairlead.server.failures import PolicyError
from fairlead.server.work import Work

if TYPE_CHECKING:
    from fairlead.server.ranges import Range
    from fairlead.server.session import Session
    from fairlead.storage.base import Source, Storage

PIECE = 1 << 20
"""Octets hashed at a time."""
REMEMBERED = 4096
"""Hashes kept."""
SETTLED = 2 * 10**9
"""Nanoseconds for which a file must have been left alone before its times tell every change of it."""


class Digest(Protocol):
    """A hash being computed."""

    def update(self, data: bytes, /) -> None:
        """Take ``data`` in."""

    def hexdigest(self) -> str:
        """The hash of all that was taken in, as lower-case digits."""


class Crc32:
    """The checksum of ISO 3309, that zip and gzip use."""

    def __init__(self) -> None:
        self._value = 0

    def update(self, data: bytes, /) -> None:
        """Take ``data`` in."""
        self._value = zlib.crc32(data, self._value)

    def hexdigest(self) -> str:
        """The checksum of all that was taken in, as eight lower-case digits."""
        return f"{self._value:08x}"


ALGORITHMS: Mapping[str, Callable[[], Digest]] = {
    "SHA-256": hashlib.sha256,
    "SHA-512": hashlib.sha512,
    "SHA-1": partial(hashlib.sha1, usedforsecurity=False),
    "MD5": partial(hashlib.md5, usedforsecurity=False),
    "CRC32": Crc32,
}
"""By the names of IANA's registry of textual hash names, but for CRC32, which is none."""


class Hash(NamedTuple):
    """A hash, and what it is of."""

    text: str
    start: int
    end: int
    """The octet after the last one."""


class _Key(NamedTuple):
    """What a hash depends on. As long as all of it is the same, the file is."""

    device: int
    inode: int
    size: int
    modified: int
    changed: int
    algorithm: str
    start: int
    end: int


class HashMemory:
    """Hashes computed before, the least used forgotten first; ``clock`` gives nanoseconds since the epoch."""

    def __init__(self, limit: int = REMEMBERED, clock: Callable[[], int] = time.time_ns) -> None:
        self._limit = limit
        self._clock = clock
        self._known: OrderedDict[_Key, str] = OrderedDict()

    def get(self, key: _Key) -> str | None:
        """The hash, if it is known."""
        text = self._known.get(key)
        if text is not None:
            self._known.move_to_end(key)
        return text

    def put(self, key: _Key, text: str) -> None:
        """Keep a hash, unless the file was changed so lately that another change might not show in its times."""
        if max(key.modified, key.changed) + SETTLED > self._clock():
            return
        self._known[key] = text
        if len(self._known) > self._limit:
            self._known.popitem(last=False)


async def hash_file(
    session: Session, verb: str, path: str, algorithm: str, window: Range | None = None, *, exact: bool = False
) -> Hash:
    """The hash of the octets of ``path`` that ``window`` covers, all of them without it.

    As with SIZE, the account's own partial upload counts where there is no such file. Raises StorageError;
    OffsetError where the window lies beyond the end, with ``exact`` also where any part of it does; Busy where the file
    changes meanwhile; PolicyError for more octets than are hashed here; AbortedError.
    """
    server, storage = session.server, session.storage
    source = await server.call(storage, _open, storage, path, session.logged_in.name)
    try:
        status = source.status
        size = status.st_size
        start, end = window or (0, size)
        if end > size:
            if exact or (start >= size and start > 0):
                raise OffsetError(path, f"The file has only {size} octets")
            end = size
        times = status.st_mtime_ns, status.st_ctime_ns
        key = _Key(status.st_dev, status.st_ino, size, *times, algorithm, start, end)
        text = server.hashes.get(key)
        if text is None:
            limit = server.settings.hash_size_limit
            if limit and end - start > limit:
                raise PolicyError(f"No more than {limit} octets are hashed here")
            text = await Work(session, verb, path, end - start).run(_digest(source, path, algorithm, start, end))
            server.hashes.put(key, text)
    finally:
        source.close()
    return Hash(text, start, end)


def _open(storage: Storage, path: str, owner: str) -> Source:
    try:
        return storage.open(path)
    except NotFound:
        return storage.open(path, owner=owner)


def _digest(source: Source, path: str, algorithm: str, start: int, end: int) -> Generator[int, None, str]:
    digest = ALGORITHMS[algorithm]()
    while start < end:
        data = source.read(min(PIECE, end - start), start)
        if not data:
            raise Busy(path, "The file became shorter while it was hashed")
        digest.update(data)
        start += len(data)
        yield len(data)
    return digest.hexdigest()
