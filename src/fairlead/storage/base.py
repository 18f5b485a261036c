"""What the server asks of a store of files: a dozen methods on virtual paths.

Paths are absolute, normalised virtual paths (``/a/b``, never ending in ``/`` but for the root itself) as
:func:`fairlead.proto.path.resolve` makes them; names that are not UTF-8 carry surrogate escapes. Every method blocks
until it is done; as long as a store says that it is ``inline`` its metadata calls are quick enough for the event loop's
own thread, the server calls any other from a thread. All failures are :class:`fairlead.errors.StorageError`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from enum import Enum
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from fairlead.errors import StorageError
    from fairlead.proto.listing.layout import Formatter


class Item(NamedTuple):
    """One entry of a directory: its name, its own status (links not followed) and, of a link, its target's text."""

    name: str
    status: os.stat_result
    target: str | None = None


class Intent(Enum):
    """What an upload does to the name it is sent to."""

    REPLACE = "replace"
    """The whole file is new (STOR), or new from ``offset`` on (REST and STOR)."""
    APPEND = "append"
    """The data follow what is there (APPE)."""
    UNIQUE = "unique"
    """The name must not exist yet and is reserved at once (STOU)."""
    UPDATE = "update"
    """The data take the place of what stands from ``offset`` on, all else stays (RANG and STOR)."""


class Source(Protocol):
    """A file open for reading."""

    status: os.stat_result

    def fileno(self) -> int | None:
        """The descriptor for ``sendfile``, or None where there is none."""

    def read(self, size: int, offset: int) -> bytes:
        """At most ``size`` octets from ``offset``; empty at the end. May block."""

    def read_cached(self, size: int, offset: int) -> bytes | None:
        """As :meth:`read`, but None where it would wait for a disk or a network."""

    def close(self) -> None:
        """Release the file; a second call does nothing."""


class Together(Protocol):
    """A store, or a part of it, that commits several small uploads at once for less than one by one."""

    def commit_all(self, uploads: Sequence[Any]) -> list[StorageError | None]:
        """:meth:`Upload.commit` for each of ``uploads`` (all of this store); why it failed, None where it did not."""


class Upload(Protocol):
    """A file being written. It ends by exactly one of :meth:`commit`, :meth:`keep` and :meth:`discard`."""

    position: int
    """Where the next octet goes, counted from the start of the file; 0 for a new one."""

    def fileno(self) -> int | None:
        """A descriptor whose file offset stands at ``position``, for ``splice``; None where there is none.

        Who writes to it directly adds what was written to ``position``.
        """

    def write(self, data: bytes | memoryview) -> None:
        """Write all of ``data`` at ``position``."""

    def flush(self) -> None:
        """Make what was written so far durable, as the store is set to, so that a later upload can go on from it.

        May block. Where it fails, the upload is to be discarded, for nobody knows what of it is left.
        """

    @property
    def prompt(self) -> bool:
        """Whether :meth:`commit` returns without waiting for a disk, so that the event loop may call it itself."""

    @property
    def together(self) -> Together | None:
        """What commits it and others at once; None where each is committed by itself."""

    def commit(self) -> None:
        """Make the file whole under its name, durable as the store is set to; then the upload may be acknowledged."""

    def keep(self) -> None:
        """The upload was cut short: keep what came for a later resume by the same owner; the old file stays."""

    def discard(self) -> None:
        """Forget what came; the old file stays."""


class Storage(Protocol):
    """A tree of files."""

    @property
    def inline(self) -> bool:
        """Whether metadata calls are quick enough for the event loop's own thread; it may change at any time."""

    @property
    def umask(self) -> int:
        """The permission bits that what is new does not get."""

    def with_umask(self, umask: int) -> Storage:
        """The same tree for somebody whose new files and directories shall lack the permission bits ``umask``."""

    def stat(self, path: str, *, follow: bool = True, owner: str | None = None) -> os.stat_result:
        """The status of ``path``. Where no such file exists but ``owner`` left a partial upload of it, the partial's.

        Raises NotFound, NotADirectory, Denied.
        """

    def entry(self, path: str) -> Item:
        """The entry of ``path`` itself, a link as a link; that of the root has no name.

        Raises NotFound, NotADirectory, Denied.
        """

    def scan(self, path: str) -> Iterator[list[Item]]:
        """The entries of a directory in batches, without ``.`` and ``..``; bounded memory whatever their number.

        Sorted by name (byte order) where there are no more than 10,000, in the store's own order beyond. Entries that
        vanish meanwhile are skipped; hidden partial uploads are not shown. Raises NotFound, NotADirectory, Denied.
        """

    def lines(self, path: str, formatter: Formatter) -> Iterator[bytes]:
        """What ``formatter`` makes of the batches of :meth:`scan`, in the same order, cut anywhere between two lines.

        A store may have the lines made otherwise, from the formatter's layout, but no octet differs. Where that needs
        bare names only, so that nobody asks for the status of an entry, one that has none to be had is there too. The
        directory is looked for at once. Raises as :meth:`scan` does.
        """

    def open(self, path: str, *, owner: str | None = None) -> Source:
        """Open a regular file for reading. With ``owner``, that account's partial upload of it where there is one.

        Raises NotFound, IsADirectory, Denied, Busy.
        """

    def whole(self, path: str, limit: int) -> bytes | None:
        """All octets of a regular file that has at most ``limit``, where they can be had without waiting; else None.

        What :meth:`open` would raise is raised, or None is returned for :meth:`open` to say why.
        """

    def create(self, path: str, *, intent: Intent, owner: str, offset: int = 0) -> Upload:
        """Begin an upload to ``path`` by the account named ``owner``.

        ``offset`` belongs to ``REPLACE`` and ``UPDATE``: octets of the file before it are kept. Raises NotFound (of
        the parent), IsADirectory, AlreadyExists (``UNIQUE``), Denied, InvalidName, NoSpace, OffsetError.
        """

    def mkdir(self, path: str) -> None:
        """Make a directory. Raises AlreadyExists, NotFound, Denied, InvalidName, NoSpace."""

    def symlink(self, target: str, path: str) -> None:
        """Make ``path`` a link to ``target``, which need not exist. It is kept as a relative one.

        Raises AlreadyExists, NotFound (of the parent), Denied, InvalidName, NoSpace.
        """

    def rmdir(self, path: str) -> None:
        """Remove an empty directory (partial uploads in it count as nothing).

        Raises NotFound, NotEmpty, NotADirectory, Denied.
        """

    def remove(self, path: str) -> None:
        """Remove a file or a link. Raises NotFound, IsADirectory, Denied, Busy."""

    def rename(self, source: str, target: str) -> None:
        """Rename, replacing a file that bears the name ``target``.

        Raises NotFound, AlreadyExists (a directory), Denied.
        """

    def change(
        self, path: str, *, mode: int | None = None, modified_ns: int | None = None, accessed_ns: int | None = None
    ) -> os.stat_result:
        """Set permission bits or times (nanoseconds since the epoch, UTC); returns the status as it is now."""

    def free(self, path: str) -> int:
        """How many octets can still be stored in the directory ``path``."""
