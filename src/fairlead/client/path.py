"""Paths on the server with the habits of :mod:`pathlib`, for blocking and for asynchronous code."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from functools import total_ordering
from pathlib import PurePosixPath
from typing import IO, TYPE_CHECKING, Any, Concatenate, ParamSpec, Protocol, Self, TypeAlias, TypeVar, Unpack

from fairlead.client import _paths
from fairlead.client._core import Session
from fairlead.client._opened import Opens
from fairlead.client.aiofile import Opening
from fairlead.proto.entry import Entry

if TYPE_CHECKING:
    from fairlead.client.aio import AsyncClient
    from fairlead.client.sync import Client

P = ParamSpec("P")
T = TypeVar("T")
Operation: TypeAlias = Callable[Concatenate[Session, P], Coroutine[Any, Any, T]]


class Runs(Protocol):
    """Runs an operation in a session, as the blocking client does."""

    def __call__(self, operation: Operation[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What the operation returns."""


class RunsLater(Protocol):
    """Runs an operation in a session, as the asynchronous client does."""

    async def __call__(self, operation: Operation[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What the operation returns."""


@total_ordering
class RemotePath:
    """The names of a path: all that :class:`pathlib.PurePosixPath` does, and nothing that asks the server."""

    def __init__(self, client: Any, run: Any, *segments: str | RemotePath) -> None:
        self._client = client
        self._run = run
        self._pure = PurePosixPath(*map(str, segments))

    def __str__(self) -> str:
        return str(self._pure)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, RemotePath):
            return NotImplemented
        return self._pure == other._pure and self._client is other._client

    def __lt__(self, other: RemotePath) -> bool:
        return self._pure < other._pure

    def __hash__(self) -> int:
        return hash((self._pure, id(self._client)))

    def __truediv__(self, segment: str | RemotePath) -> Self:
        return self.joinpath(segment)

    @property
    def name(self) -> str:
        """The last name."""
        return self._pure.name

    @property
    def stem(self) -> str:
        """The last name without its suffix."""
        return self._pure.stem

    @property
    def suffix(self) -> str:
        """The end of the last name from its last dot on."""
        return self._pure.suffix

    @property
    def suffixes(self) -> list[str]:
        """All suffixes of the last name."""
        return self._pure.suffixes

    @property
    def parts(self) -> tuple[str, ...]:
        """The names, the root included."""
        return self._pure.parts

    @property
    def parent(self) -> Self:
        """The directory that it is in."""
        return self._with(self._pure.parent)

    @property
    def parents(self) -> Sequence[Self]:
        """The directories above, the nearest first."""
        return tuple(map(self._with, self._pure.parents))

    def is_absolute(self) -> bool:
        """Whether it begins at the root."""
        return self._pure.is_absolute()

    def joinpath(self, *segments: str | RemotePath) -> Self:
        """The path with ``segments`` behind it; an absolute one takes its place."""
        return self._with(self._pure.joinpath(*map(str, segments)))

    def with_name(self, name: str) -> Self:
        """The path with another last name."""
        return self._with(self._pure.with_name(name))

    def with_stem(self, stem: str) -> Self:
        """The path with another last name but for its suffix."""
        return self._with(self._pure.with_stem(stem))

    def with_suffix(self, suffix: str) -> Self:
        """The path with another suffix."""
        return self._with(self._pure.with_suffix(suffix))

    def relative_to(self, other: str | RemotePath) -> Self:
        """The path as seen from ``other``. Raises ValueError where it does not lie below."""
        return self._with(self._pure.relative_to(str(other)))

    def is_relative_to(self, other: str | RemotePath) -> bool:
        """Whether it is or lies below ``other``."""
        return self._pure.is_relative_to(str(other))

    def match(self, pattern: str) -> bool:
        """Whether its last names match ``pattern``."""
        return self._pure.match(pattern)

    def _with(self, path: object) -> Self:
        return type(self)(self._client, self._run, str(path))

    @property
    def _argument(self) -> str:
        """What commands are given: nothing for the working directory."""
        return str(self._pure) if self._pure.parts else ""


class FtpPath(RemotePath):
    """A path on the server of a :class:`fairlead.Client`, from :meth:`fairlead.Client.path`.

    Its methods do what those of :class:`pathlib.Path` do, and raise what the client's methods raise.
    """

    _client: Client
    _run: Runs

    def exists(self) -> bool:
        """Whether there is anything of that name."""
        return self._client.exists(self._argument)

    def is_dir(self) -> bool:
        """Whether it is a directory, or a link to one."""
        return self._client.is_dir(self._argument)

    def is_file(self) -> bool:
        """Whether it is a file, or a link to one."""
        return self._client.is_file(self._argument)

    def stat(self) -> Entry:
        """Its facts."""
        return self._client.stat(self._argument)

    def iterdir(self) -> Iterator[Self]:
        """What is in the directory."""
        yield from map(self.joinpath, self._run(_paths.children, self._argument))

    def glob(self, pattern: str) -> Iterator[Self]:
        """What lies below and matches ``pattern``; ``**`` is any number of directories."""
        yield from map(self._with, self._run(_paths.glob, self._argument, pattern))

    def rglob(self, pattern: str) -> Iterator[Self]:
        """What matches ``pattern`` at any depth below."""
        return self.glob(f"**/{pattern}")

    def open(self, mode: str = "r", **options: Unpack[Opens]) -> IO[Any]:
        """See :meth:`fairlead.Client.open`."""
        return self._client.open(self._argument, mode, **options)

    def read_bytes(self) -> bytes:
        """Its octets."""
        return self._run(_paths.read_bytes, self._argument)

    def read_text(self, encoding: str | None = None, errors: str | None = None) -> str:
        """Its text, UTF-8 unless ``encoding`` says otherwise; lines end with a line feed, however they do there."""
        return self._run(_paths.read_text, self._argument, encoding, errors)

    def write_bytes(self, data: bytes) -> int:
        """Store ``data`` in its place; returns how many octets."""
        return self._run(_paths.write_bytes, self._argument, data)

    def write_text(
        self, data: str, encoding: str | None = None, errors: str | None = None, newline: str | None = None
    ) -> int:
        """Store ``data`` in its place; returns how many characters."""
        return self._run(_paths.write_text, self._argument, data, encoding, errors, newline)

    def mkdir(self, *, parents: bool = False, exist_ok: bool = False) -> None:
        """Make the directory, with those on the way to it if ``parents``."""
        self._run(_paths.mkdir, self._argument, parents=parents, exist_ok=exist_ok)

    def rmdir(self) -> None:
        """Remove the directory, which must be empty."""
        self._client.rmdir(self._argument)

    def unlink(self, missing_ok: bool = False) -> None:
        """Remove the file."""
        self._run(_paths.unlink, self._argument, missing_ok=missing_ok)

    def touch(self, *, exist_ok: bool = True) -> None:
        """Make an empty file, or give the one that is there the present time as far as the server can."""
        self._run(_paths.touch, self._argument, exist_ok=exist_ok)

    def rename(self, target: str | RemotePath) -> Self:
        """Give it another path, which is returned; whether what is there gets replaced is the server's choice."""
        self._client.rename(self._argument, str(target))
        return self._with(target)


class AsyncFtpPath(RemotePath):
    """A path on the server of a :class:`fairlead.AsyncClient`; see :class:`FtpPath`."""

    _client: AsyncClient
    _run: RunsLater

    async def exists(self) -> bool:
        """See :meth:`FtpPath.exists`."""
        return await self._client.exists(self._argument)

    async def is_dir(self) -> bool:
        """See :meth:`FtpPath.is_dir`."""
        return await self._client.is_dir(self._argument)

    async def is_file(self) -> bool:
        """See :meth:`FtpPath.is_file`."""
        return await self._client.is_file(self._argument)

    async def stat(self) -> Entry:
        """See :meth:`FtpPath.stat`."""
        return await self._client.stat(self._argument)

    async def iterdir(self) -> AsyncIterator[Self]:
        """See :meth:`FtpPath.iterdir`."""
        for name in await self._run(_paths.children, self._argument):
            yield self.joinpath(name)

    async def glob(self, pattern: str) -> AsyncIterator[Self]:
        """See :meth:`FtpPath.glob`."""
        for path in await self._run(_paths.glob, self._argument, pattern):
            yield self._with(path)

    def rglob(self, pattern: str) -> AsyncIterator[Self]:
        """See :meth:`FtpPath.rglob`."""
        return self.glob(f"**/{pattern}")

    def open(self, mode: str = "r", **options: Unpack[Opens]) -> Opening[Any]:
        """See :meth:`fairlead.AsyncClient.open`."""
        return self._client.open(self._argument, mode, **options)

    async def read_bytes(self) -> bytes:
        """See :meth:`FtpPath.read_bytes`."""
        return await self._run(_paths.read_bytes, self._argument)

    async def read_text(self, encoding: str | None = None, errors: str | None = None) -> str:
        """See :meth:`FtpPath.read_text`."""
        return await self._run(_paths.read_text, self._argument, encoding, errors)

    async def write_bytes(self, data: bytes) -> int:
        """See :meth:`FtpPath.write_bytes`."""
        return await self._run(_paths.write_bytes, self._argument, data)

    async def write_text(
        self, data: str, encoding: str | None = None, errors: str | None = None, newline: str | None = None
    ) -> int:
        """See :meth:`FtpPath.write_text`."""
        return await self._run(_paths.write_text, self._argument, data, encoding, errors, newline)

    async def mkdir(self, *, parents: bool = False, exist_ok: bool = False) -> None:
        """See :meth:`FtpPath.mkdir`."""
        await self._run(_paths.mkdir, self._argument, parents=parents, exist_ok=exist_ok)

    async def rmdir(self) -> None:
        """See :meth:`FtpPath.rmdir`."""
        await self._client.rmdir(self._argument)

    async def unlink(self, missing_ok: bool = False) -> None:
        """See :meth:`FtpPath.unlink`."""
        await self._run(_paths.unlink, self._argument, missing_ok=missing_ok)

    async def touch(self, *, exist_ok: bool = True) -> None:
        """See :meth:`FtpPath.touch`."""
        await self._run(_paths.touch, self._argument, exist_ok=exist_ok)

    async def rename(self, target: str | RemotePath) -> Self:
        """See :meth:`FtpPath.rename`."""
        await self._client.rename(self._argument, str(target))
        return self._with(target)
