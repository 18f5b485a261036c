"""Files on the server as file objects of the standard library."""

from __future__ import annotations

import codecs
import io
import os
from collections.abc import Coroutine, Iterator
from contextlib import suppress
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any, Protocol, TypeVar

from fairlead.client._opened import Fetch, Mode, Store

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

    from fairlead.client._core import Holder, Session

T = TypeVar("T")
_BUFFER = 128 * 1024
_MARKED = {"utf-16", "utf-32"}
"""Encodings that begin with a byte order mark, which the library leaves out where it cannot seek."""


class Run(Protocol):
    """Runs an operation to its end; ``holder`` is the open file that it belongs to."""

    def __call__(self, operation: Coroutine[Any, Any, T], holder: Holder | None = None, /) -> T:
        """What the operation returns."""


def opened(
    session: Session, run: Run, path: str, mode: str, *, offset: int, atomic: bool, **text: str | None
) -> IO[Any]:
    """See :meth:`fairlead.client.sync.Client.open`."""
    wanted = Mode.of(mode, offset=offset, atomic=atomic, **text)
    binary: io.BufferedReader | FileWriter
    if wanted.kind == "r":
        fetch = Fetch(session, path, offset)
        run(fetch.open())
        binary = io.BufferedReader(RawReader(run, fetch), _BUFFER)
        return io.TextIOWrapper(binary, **_encoded(text)) if wanted.text else binary
    store = Store(session, path, append=wanted.kind == "a", offset=offset, atomic=atomic)
    run(store.open(new=wanted.kind == "x"))
    binary = FileWriter(RawWriter(run, store), _BUFFER)
    return TextWriter(binary, new=wanted.kind != "a" and not offset, **_encoded(text)) if wanted.text else binary


def pieces(session: Session, run: Run, path: str, offset: int) -> Iterator[bytes]:
    """See :meth:`fairlead.client.sync.Client.stream`."""
    with RawReader(run, Fetch(session, path, offset)) as file:
        file.begin()
        while piece := file.next():
            yield piece


def _encoded(text: dict[str, str | None]) -> dict[str, Any]:
    """What the system's settings say of encodings is true of files here."""
    return {**text, "encoding": text["encoding"] or "utf-8"}


class RawReader(io.RawIOBase):
    """Reads what a :class:`fairlead.client._opened.Fetch` brings."""

    def __init__(self, run: Run, fetch: Fetch) -> None:
        self._run = run
        self._fetch = fetch
        self.name = fetch.path
        self.mode = "rb"

    def begin(self) -> None:
        """Ask for the file."""
        self._run(self._fetch.open(), self._fetch)

    def next(self) -> bytes:
        """What came, empty at the end."""
        return bytes(self._run(self._fetch.read(), self._fetch))

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Fill ``buffer`` with what came."""
        self._check_open()
        room = memoryview(buffer).cast("B")
        piece = self._run(self._fetch.read(len(room)), self._fetch)
        room[: len(piece)] = piece
        return len(piece)

    def readall(self) -> bytes:
        """All up to the end."""
        self._check_open()
        octets = bytearray()
        while piece := self._run(self._fetch.read(), self._fetch):
            octets += piece
        return bytes(octets)

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Go elsewhere; nothing is sent until the next octet is read there."""
        self._check_open()
        return self._fetch.seek(offset, whence)

    def tell(self) -> int:
        """Where the next octet comes from."""
        self._check_open()
        return self._fetch.position

    def close(self) -> None:
        """Ask for no more; what did not come yet is broken off."""
        if not self.closed:
            try:
                self._run(self._fetch.close(), self._fetch)
            finally:
                self._fetch.abandon()
                super().close()

    def _check_open(self) -> None:
        if self.closed:
            message = "the file is closed"
            raise ValueError(message)


class RawWriter(io.RawIOBase):
    """Writes into a :class:`fairlead.client._opened.Store`."""

    def __init__(self, run: Run, store: Store) -> None:
        self._run = run
        self._store = store
        self._given_up = False
        self.name = store.path
        self.mode = "wb"

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, data: Any, /) -> int:
        """Send ``data``."""
        octets = memoryview(data).cast("B")
        if not self._given_up:
            self._run(self._store.write(octets), self._store)
        return len(octets)

    def tell(self) -> int:
        """How far it was written; of a file that is appended to, what was added."""
        return self._store.position

    def give_up(self) -> None:
        """What was written so far is not the file: :meth:`close` leaves it broken off."""
        if not self.closed and not self._given_up:
            self._given_up = True
            with suppress(Exception):  # what led here is more telling
                self._run(self._store.discard(), self._store)

    def close(self) -> None:
        """Wait until the server has it all."""
        if not self.closed:
            try:
                if not self._given_up:
                    self._run(self._store.close(), self._store)
            finally:
                self._store.abandon()
                super().close()


class FileWriter(io.BufferedWriter):
    """A file open for writing, which an exception in its ``with`` block breaks off: nothing half-written counts."""

    raw: RawWriter

    def __init__(self, raw: RawWriter, buffer_size: int) -> None:
        super().__init__(raw, buffer_size)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self.raw.give_up()
        self.close()


class TextWriter(io.TextIOWrapper):
    """As :class:`FileWriter`, for text."""

    buffer: FileWriter

    def __init__(self, buffer: FileWriter, *, encoding: str, new: bool, **text: Any) -> None:
        super().__init__(buffer, encoding, **text)
        if new and codecs.lookup(encoding).name in _MARKED:
            buffer.write("".encode(encoding))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self.buffer.raw.give_up()
        self.close()
