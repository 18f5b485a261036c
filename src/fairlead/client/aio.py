"""The asynchronous client."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine
from os import PathLike
from types import TracebackType
from typing import TYPE_CHECKING, Any, BinaryIO, Concatenate, ParamSpec, Self, TypeVar, Unpack, overload

from fairlead.client import _core, _listing, _namespace, _retry
from fairlead.client._deferred import Deferred
from fairlead.client._face import Face, exclusively, session_of
from fairlead.client._wires.asyncio import AsyncioWire

if TYPE_CHECKING:
    from datetime import datetime

    from fairlead.client import _checksum, _facts, _files, _glob, _times, _walk
    from fairlead.client._checksum import Checksum
    from fairlead.client._copy import Copied
    from fairlead.client._files import Transferred
    from fairlead.client._flow import Progress
    from fairlead.client._local import LocalPath, Writable
    from fairlead.client._opened import Opens, ReadsOctets, ReadsText, WritesOctets, WritesText
    from fairlead.client._walk import Directory
    from fairlead.client._wires.tunnelled import TunnelledWire
    from fairlead.client.aiofile import Opening
    from fairlead.client.mirror.direction import Choices
    from fairlead.client.mirror.run import Listener, Mirrored
    from fairlead.client.path import AsyncFtpPath, RemotePath
    from fairlead.client.proxy import Tunnel
    from fairlead.errors import ReplyError
    from fairlead.proto.entry import Entry, Kind
    from fairlead.proto.reply import Reply
else:
    _checksum, _facts, _files, _glob, _times, _walk = map(
        Deferred, ("_checksum", "_facts", "_files", "_glob", "_times", "_walk")
    )

P = ParamSpec("P")
T = TypeVar("T")


class AsyncClient(Face):
    """The asynchronous client; its arguments are those of :class:`fairlead.client._face.Face`.

    As a context manager it connects and logs in, and closes the session at the end::

        async with AsyncClient("ftp://me@host") as ftp:
            for entry in await ftp.scandir("/docs"):
                print(entry.name, entry.size)

    Every method but :meth:`close` raises SessionLost when the session ended, DeadlineError when the server does not
    answer in time, TransientError on 4yz and PermanentError on 5yz, and ArgumentError, with nothing sent, when a path
    holds a line end or NUL. After SessionLost and DeadlineError, :meth:`connect` and :meth:`login` begin anew.
    A task that is cancelled leaves a usable session: what was under way is aborted before the next command.
    """

    async def __aenter__(self) -> Self:
        await self.connect()
        try:
            await self.login()
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def connect(self) -> Reply:
        """See :meth:`fairlead.client.sync.Client.connect`."""
        return await self._run(_retry.connect)

    async def login(self) -> Reply:
        """See :meth:`fairlead.client.sync.Client.login`."""
        return await self._run(_core.Session.login)

    async def close(self) -> None:
        """See :meth:`fairlead.client.sync.Client.close`."""
        return await self._session.close()

    async def command(self, verb: str, argument: str = "") -> Reply:
        """See :meth:`fairlead.client.sync.Client.command`."""
        return await self._run(_namespace.command, verb, argument)

    async def cwd(self, path: str) -> None:
        """See :meth:`fairlead.client.sync.Client.cwd`."""
        return await self._run(_namespace.cwd, path)

    async def pwd(self) -> str:
        """See :meth:`fairlead.client.sync.Client.pwd`."""
        return await self._run(_namespace.pwd)

    async def mkdir(self, path: str) -> str:
        """See :meth:`fairlead.client.sync.Client.mkdir`."""
        return await self._run(_namespace.mkdir, path)

    async def makedirs(self, path: str, *, exist_ok: bool = False) -> None:
        """See :meth:`fairlead.client.sync.Client.makedirs`."""
        return await self._run(_walk.makedirs, path, exist_ok=exist_ok)

    async def rmdir(self, path: str) -> None:
        """See :meth:`fairlead.client.sync.Client.rmdir`."""
        return await self._run(_namespace.rmdir, path)

    async def rmtree(self, path: str, *, on_removed: Callable[[str, Kind], None] | None = None) -> None:
        """See :meth:`fairlead.client.sync.Client.rmtree`."""
        return await self._run(_walk.rmtree, path, on_removed)

    async def remove(self, path: str) -> None:
        """See :meth:`fairlead.client.sync.Client.remove`."""
        return await self._run(_namespace.remove, path)

    async def rename(self, source: str, target: str) -> None:
        """See :meth:`fairlead.client.sync.Client.rename`."""
        return await self._run(_namespace.rename, source, target)

    async def size(self, path: str) -> int | None:
        """See :meth:`fairlead.client.sync.Client.size`."""
        return await self._run(_facts.size, path)

    async def mtime(self, path: str) -> datetime | None:
        """See :meth:`fairlead.client.sync.Client.mtime`."""
        return await self._run(_facts.mtime, path)

    async def set_mtime(self, path: str, when: datetime) -> datetime | None:
        """See :meth:`fairlead.client.sync.Client.set_mtime`."""
        return await self._run(_times.set_mtime, path, when)

    async def checksum(self, path: str) -> Checksum | None:
        """See :meth:`fairlead.client.sync.Client.checksum`."""
        return await self._run(_checksum.checksum, path)

    async def stat(self, path: str = "") -> Entry:
        """See :meth:`fairlead.client.sync.Client.stat`."""
        return await self._run(_facts.stat, path)

    async def exists(self, path: str) -> bool:
        """See :meth:`fairlead.client.sync.Client.exists`."""
        return await self._run(_facts.exists, path)

    async def is_dir(self, path: str) -> bool:
        """See :meth:`fairlead.client.sync.Client.is_dir`."""
        return await self._run(_facts.is_dir, path)

    async def is_file(self, path: str) -> bool:
        """See :meth:`fairlead.client.sync.Client.is_file`."""
        return await self._run(_facts.is_file, path)

    async def scandir(self, path: str = "") -> list[Entry]:
        """See :meth:`fairlead.client.sync.Client.scandir`."""
        return await self._run(_listing.scandir, path)

    async def machine_listing(self, path: str = "") -> bytes | None:
        """See :meth:`fairlead.client.sync.Client.machine_listing`."""
        return await self._run(_listing.machine_listing, path)

    def walk(self, path: str = "", *, on_error: Callable[[ReplyError], None] | None = None) -> AsyncIterator[Directory]:
        """See :meth:`fairlead.client.sync.Client.walk`."""
        return self._iterate(_walk.walk(self._session, path, on_error))

    async def glob(self, pattern: str) -> list[Entry]:
        """See :meth:`fairlead.client.sync.Client.glob`."""
        return await self._run(_glob.glob, pattern)

    async def names(self, path: str = "") -> list[str]:
        """See :meth:`fairlead.client.sync.Client.names`."""
        return await self._run(_listing.names, path)

    async def download(
        self,
        remote: str,
        local: LocalPath | Writable,
        *,
        resume: bool = False,
        text: bool = False,
        verify: bool = False,
        times: bool = False,
        parallel: int = 1,
        expected: int | None = None,
        on_progress: Progress | None = None,
    ) -> Transferred:
        """See :meth:`fairlead.client.sync.Client.download`."""
        if parallel > 1 and not text and isinstance(local, str | PathLike):
            from fairlead.client.segments.fetch import fetch

            place = await self._run(_namespace.absolute, remote)
            fetched = await fetch(
                self,
                place,
                local,
                parallel=parallel,
                resume=resume,
                verify=verify,
                times=times,
                on_progress=on_progress,
            )
            if fetched is not None:
                return fetched
        return await self._run(
            _files.download,
            remote,
            local,
            resume=resume,
            text=text,
            verify=verify,
            times=times,
            expected=expected,
            on_progress=on_progress,
        )

    async def upload(
        self,
        local: LocalPath | BinaryIO,
        remote: str,
        *,
        resume: bool = False,
        text: bool = False,
        verify: bool = False,
        times: bool = False,
        on_progress: Progress | None = None,
    ) -> Transferred:
        """See :meth:`fairlead.client.sync.Client.upload`."""
        return await self._run(
            _files.upload, local, remote, resume=resume, text=text, verify=verify, times=times, on_progress=on_progress
        )

    async def append(
        self,
        local: LocalPath | BinaryIO,
        remote: str,
        *,
        text: bool = False,
        on_progress: Progress | None = None,
    ) -> Transferred:
        """See :meth:`fairlead.client.sync.Client.append`."""
        return await self._run(_files.append, local, remote, text=text, on_progress=on_progress)

    async def upload_unique(
        self,
        local: LocalPath | BinaryIO,
        remote: str = "",
        *,
        text: bool = False,
        on_progress: Progress | None = None,
    ) -> Transferred:
        """Store under a name that the server makes (STOU, ``remote`` may suggest one); it is in the result's ``path``.

        Raises as :meth:`upload` does.
        """
        return await self._run(_files.upload_unique, local, remote, text=text, on_progress=on_progress)

    @overload
    def open(self, path: str, mode: ReadsOctets | WritesOctets, **options: Unpack[Opens]) -> Opening[bytes]: ...
    @overload
    def open(self, path: str, mode: ReadsText | WritesText = "r", **options: Unpack[Opens]) -> Opening[str]: ...
    @overload
    def open(self, path: str, mode: str, **options: Unpack[Opens]) -> Opening[Any]: ...

    def open(
        self,
        path: str,
        mode: str = "r",
        *,
        offset: int = 0,
        atomic: bool = False,
        encoding: str | None = None,
        errors: str | None = None,
        newline: str | None = None,
    ) -> Opening[Any]:
        """See :meth:`fairlead.client.sync.Client.open`; to be awaited, or used in ``async with``."""
        from fairlead.client.aiofile import AsyncFile, Opening

        options = {"encoding": encoding, "errors": errors, "newline": newline}
        return Opening(AsyncFile(self._session, self._hold, path, mode, offset=offset, atomic=atomic, **options))

    def stream(self, path: str, *, offset: int = 0) -> AsyncIterator[bytes]:
        """See :meth:`fairlead.client.sync.Client.stream`."""
        from fairlead.client.aiofile import Pieces

        return Pieces(self._session, self._hold, path, offset)

    def path(self, *segments: str | RemotePath) -> AsyncFtpPath:
        """See :meth:`fairlead.client.sync.Client.path`."""
        from fairlead.client.path import AsyncFtpPath

        return AsyncFtpPath(self, self._run, *segments)

    async def copy(self, source: str, other: Face, target: str, *, on_progress: Progress | None = None) -> Copied:
        """See :meth:`fairlead.client.sync.Client.copy`."""
        from fairlead.client import _copy

        return await self._run(_copy.copy, source, session_of(other), target, on_progress=on_progress)

    async def mirror(
        self,
        remote: str,
        local: LocalPath,
        *,
        upload: bool = False,
        parallel: int = 4,
        dry_run: bool = False,
        listener: Listener | None = None,
        **choices: Unpack[Choices],
    ) -> Mirrored:
        """See :meth:`fairlead.client.sync.Client.mirror`."""
        from fairlead.client.mirror.run import mirror

        return await mirror(
            self, remote, local, choices, upload=upload, parallel=parallel, dry_run=dry_run, listener=listener
        )

    async def _hold(self, operation: Coroutine[Any, Any, T], holder: _core.Holder | None = None, /) -> T:
        """Run a part of what lasts longer, an open file."""
        return await exclusively(self._session, operation, holder)

    def _make_wire(self) -> AsyncioWire:
        return AsyncioWire()

    def _make_tunnelled(self, tunnel: Tunnel, timeout: float) -> TunnelledWire:
        from fairlead.client._wires.tunnelled import TunnelledWire

        return TunnelledWire(self._make_wire(), tunnel, timeout=timeout)

    async def _run(
        self,
        operation: Callable[Concatenate[_core.Session, P], Coroutine[Any, Any, T]],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        session = self._session
        session.claim()
        try:
            return await operation(session, *args, **kwargs)
        finally:
            session.busy = False

    async def _iterate(self, steps: AsyncIterator[T]) -> AsyncIterator[T]:
        """What ``steps`` gives; the session is busy during each step, and free between two of them."""
        while (item := await exclusively(self._session, anext(steps, None))) is not None:
            yield item
