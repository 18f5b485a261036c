"""Files on the server, open in asynchronous code: what file objects are there, with ``await``."""

from __future__ import annotations

import codecs
import io
import os
import re
import warnings
from collections.abc import Coroutine, Generator
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any, AnyStr, Generic, Protocol, Self, TypeVar, cast

from fairlead.client._opened import Fetch, Mode, Store

if TYPE_CHECKING:
    from fairlead.client._core import Holder, Session

T = TypeVar("T")
_BUFFER = 128 * 1024
"""Octets that are written together."""


class Run(Protocol):
    """Runs an operation to its end; ``holder`` is the open file that it belongs to."""

    async def __call__(self, operation: Coroutine[Any, Any, T], holder: Holder | None = None, /) -> T:
        """What the operation returns."""


class Opening(Generic[AnyStr]):
    """A file about to be opened: to be awaited, or to be used in ``async with``."""

    def __init__(self, file: AsyncFile[AnyStr]) -> None:
        self._file: AsyncFile[AnyStr] = file

    def __await__(self) -> Generator[Any, Any, AsyncFile[AnyStr]]:
        return self._file.begin().__await__()

    async def __aenter__(self) -> AsyncFile[AnyStr]:
        return await self._file.begin()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._file.__aexit__(kind, error, trace)


class AsyncFile(Generic[AnyStr]):
    """A file open for reading or for writing, of bytes or of text; as the file objects of :mod:`io`, with ``await``.

    As a context manager it is closed at the end, and a file for writing is broken off by an exception, so that nothing
    half-written counts. ``async for`` gives its lines.
    """

    def __init__(
        self,
        session: Session,
        run: Run,
        path: str,
        mode: str,
        *,
        offset: int,
        atomic: bool,
        **text: str | None,
    ) -> None:
        wanted = Mode.of(mode, offset=offset, atomic=atomic, **text)
        self.name = path
        self.mode = mode
        self.closed = False
        self._run = run
        self._new = wanted.kind == "x"
        new = wanted.kind != "a" and not offset
        self._form: _Form[AnyStr] = cast("_Form[AnyStr]", _Text(new=new, **text) if wanted.text else _Octets())
        self._fetch = Fetch(session, path, offset) if wanted.kind == "r" else None
        append = wanted.kind == "a"
        self._store = None if self._fetch else Store(session, path, append=append, offset=offset, atomic=atomic)
        self._come: AnyStr = self._form.empty
        self._read = 0
        """How much of what came was read."""
        self._kept = bytearray()
        """What was written and not sent yet."""

    async def begin(self) -> Self:
        """Ask the server for the file, or to take it; what :class:`Opening` does."""
        if self._fetch is not None:
            await self._run(self._fetch.open(), self._fetch)
        else:
            store = self._writing()
            await self._run(store.open(new=self._new), store)
        return self

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None and self._store is not None and not self.closed:
            self.closed = True
            with suppress(Exception):  # what led here is more telling
                await self._run(self._store.discard(), self._store)
        await self.close()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> AnyStr:
        line = await self.readline()
        if not line:
            raise StopAsyncIteration
        return line

    def __del__(self) -> None:
        if getattr(self, "closed", True):
            return
        if self._fetch is not None:
            self._fetch.abandon()
        elif self._store is not None and self._store.begun:
            self._store.abandon()
            warnings.warn(f"{self.name} was written and never closed, so that it is not whole", ResourceWarning, 1)

    def readable(self) -> bool:
        """Whether it is open for reading."""
        return self._fetch is not None

    def writable(self) -> bool:
        """Whether it is open for writing."""
        return self._store is not None

    def seekable(self) -> bool:
        """Whether :meth:`seek` leads anywhere: in what is read."""
        return self._fetch is not None

    async def read(self, size: int = -1) -> AnyStr:
        """The next ``size`` octets or characters, fewer at the end; all that is left where it is negative.

        Raises TransferError when the data ends before the file does.
        """
        while (size < 0 or len(self._come) - self._read < size) and await self._receive():
            pass
        return self._take(len(self._come) if size < 0 else self._read + size)

    async def read1(self, size: int = -1) -> AnyStr:
        """What is here, or comes next, ``size`` at most; empty at the end. Raises as :meth:`read` does."""
        while size and self._read == len(self._come) and await self._receive():
            pass
        return self._take(len(self._come) if size < 0 else self._read + size)

    async def readline(self, limit: int = -1) -> AnyStr:
        """The next line with its end, or ``limit`` of it; empty at the end. Raises as :meth:`read` does."""
        searched = 0
        while not (end := self._form.line_end(self._come, self._read + searched)):
            searched = len(self._come) - self._read
            if 0 <= limit <= searched or not await self._receive():
                end = len(self._come)
                break
            searched = max(0, searched - 1)  # the first half of CR LF may have been here
        return self._take(end if limit < 0 else min(end, self._read + limit))

    async def write(self, data: AnyStr) -> int:
        """Take ``data``; it is sent in larger pieces. Raises TransferError when the server takes no more."""
        self._writing()
        self._kept += self._form.encode(data)
        if len(self._kept) >= _BUFFER:
            await self.flush()
        return len(data)

    async def flush(self) -> None:
        """Send what was written."""
        if self._store is not None and self._kept:
            kept, self._kept = self._kept, bytearray()
            await self._run(self._store.write(memoryview(kept)), self._store)

    async def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go elsewhere in a file of bytes, in one of text to its beginning; returns where.

        Nothing is sent until it is read there. Raises io.UnsupportedOperation, ValueError.
        """
        fetch = self._reading()
        if whence == os.SEEK_CUR:
            offset -= len(self._come) - self._read
        if not self._form.seekable and (offset, whence) != (0, os.SEEK_SET):
            message = "in text only its beginning can be sought, since characters differ in their length"
            raise io.UnsupportedOperation(message)
        position = fetch.seek(offset, whence)
        self._form.reset()
        self._come, self._read = self._form.empty, 0
        return position

    def tell(self) -> int:
        """Where it stands. Raises io.UnsupportedOperation in text that is read."""
        self._check_open()
        if self._store is not None:
            return self._store.position + len(self._kept)
        if not self._form.seekable:
            message = "in text there is no telling where it stands, since characters differ in their length"
            raise io.UnsupportedOperation(message)
        return self._reading().position - (len(self._come) - self._read)

    async def close(self) -> None:
        """Send what is left and wait until the server has it all; of what is read, break off what did not come.

        Raises TransferError where the server does not have it all, or something was wrong with what came.
        """
        if self.closed:
            return
        try:
            if self._fetch is not None:
                await self._run(self._fetch.close(), self._fetch)
            elif self._store is not None:
                await self.flush()
                await self._run(self._store.close(), self._store)
        finally:
            self.closed = True
            for file in (self._fetch, self._store):
                if file is not None:
                    file.abandon()

    async def _receive(self) -> bool:
        """Whether more came."""
        fetch = self._reading()
        piece = await self._run(fetch.read(), fetch)
        rest = self._come[self._read :] if self._read else self._come
        self._come, self._read = rest + self._form.decode(bytes(piece)), 0
        return bool(piece)

    def _take(self, end: int) -> AnyStr:
        self._reading()
        taken = self._come[self._read : end]
        self._read += len(taken)
        return taken

    def _reading(self) -> Fetch:
        self._check_open()
        if self._fetch is None:
            message = f"{self.name} is open for writing"
            raise io.UnsupportedOperation(message)
        return self._fetch

    def _writing(self) -> Store:
        self._check_open()
        if self._store is None:
            message = f"{self.name} is open for reading"
            raise io.UnsupportedOperation(message)
        return self._store

    def _check_open(self) -> None:
        if self.closed:
            message = "the file is closed"
            raise ValueError(message)


class Pieces:
    """A file as its octets arrive. Leaving the loop early breaks it off, as :meth:`aclose` does."""

    def __init__(self, session: Session, run: Run, path: str, offset: int) -> None:
        self._run = run
        self._fetch = Fetch(session, path, offset)
        self._begun = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        if not self._begun:
            self._begun = True
            await self._run(self._fetch.open(), self._fetch)
        piece = bytes(await self._run(self._fetch.read(), self._fetch))
        if not piece:
            raise StopAsyncIteration
        return piece

    async def aclose(self) -> None:
        """Ask for no more."""
        self._fetch.abandon()

    def __del__(self) -> None:
        self._fetch.abandon()


class _Form(Protocol[AnyStr]):
    """Octets, or text."""

    empty: AnyStr
    seekable: bool

    def decode(self, octets: bytes) -> AnyStr:
        """What ``octets`` mean; none are the end."""

    def encode(self, data: AnyStr) -> bytes:
        """The octets of ``data``."""

    def line_end(self, data: AnyStr, start: int) -> int:
        """Where the line ends that is searched from ``start`` on; 0 where that is not here."""

    def reset(self) -> None:
        """What is decoded next has nothing before it."""


class _Octets:
    empty = b""
    seekable = True

    def decode(self, octets: bytes) -> bytes:
        return octets

    def encode(self, data: bytes) -> bytes:
        return data

    def line_end(self, data: bytes, start: int) -> int:
        return data.find(b"\n", start) + 1

    def reset(self) -> None:
        pass


class _Text:
    """Text with the arguments of :class:`io.TextIOWrapper`."""

    empty = ""
    seekable = False

    def __init__(self, *, encoding: str | None, errors: str | None, newline: str | None, new: bool) -> None:
        self._encoder = codecs.getincrementalencoder(encoding or "utf-8")(errors or "strict")
        if not new:
            self._encoder.setstate(0)  # no byte order mark
        decoder = codecs.getincrementaldecoder(encoding or "utf-8")(errors or "strict")
        universal = newline in {None, ""}
        self._decoder = io.IncrementalNewlineDecoder(decoder, translate=newline is None) if universal else decoder
        self._end = re.compile(r"\r\n|\r|\n" if newline == "" else re.escape(newline or "\n"))
        self._newline = os.linesep if newline is None else newline or "\n"

    def decode(self, octets: bytes) -> str:
        return self._decoder.decode(octets, final=not octets)

    def encode(self, data: str) -> bytes:
        return self._encoder.encode(data if self._newline == "\n" else data.replace("\n", self._newline))

    def line_end(self, data: str, start: int) -> int:
        found = self._end.search(data, start)
        return found.end() if found else 0

    def reset(self) -> None:
        self._decoder.reset()
