"""A file fetched in several sessions at once, each one of them a part of it (RFC 3659 section 5)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from fairlead.client import _checksum
from fairlead.client._core import Session, check_paths
from fairlead.client._face import Face, exclusively, likewise, session_of
from fairlead.client._facts import mtime, size
from fairlead.client._files import Transferred
from fairlead.client._flow import Inflow, Progress
from fairlead.client._local import LocalPath, is_directory, is_special
from fairlead.client._retry import persist
from fairlead.client.names import inside
from fairlead.client.pool import Pool
from fairlead.client.segments.board import SMALLEST, Board, Segment
from fairlead.client.segments.gapped import GappedFile
from fairlead.client.trace import InSegments
from fairlead.errors import ConnectError, FairleadError, LoginError, TransferError
from fairlead.proto.codec import Representation
from fairlead.reach.cause import Cause

_IMAGE = Representation("I")


class _CannotBegin(Exception):
    """The server does not begin where it is told to (REST)."""


class _Facts(NamedTuple):
    """What tells whether a file is still the same."""

    size: int | None
    modified: datetime | None


async def fetch(
    client: Face,
    remote: str,
    local: LocalPath,
    *,
    parallel: int,
    resume: bool,
    verify: bool,
    times: bool,
    on_progress: Progress | None,
) -> Transferred | None:
    """Fetch the absolute path ``remote`` in up to ``parallel`` sessions like that of ``client``; None if one is better.

    One is also better where the server takes no further session. Raises as :func:`fetch_from` does.
    """
    check_paths(remote)
    async with Pool(size=parallel, **likewise(client)) as pool:
        try:
            async with pool.client():
                pass
        except (ConnectError, LoginError):
            return None
        return await fetch_from(
            pool,
            remote,
            local,
            parallel=parallel,
            resume=resume,
            verify=verify,
            times=times,
            on_progress=on_progress,
        )


async def fetch_from(
    pool: Pool,
    remote: str,
    local: LocalPath,
    *,
    parallel: int,
    resume: bool,
    verify: bool,
    times: bool,
    on_progress: Progress | None,
) -> Transferred | None:
    """Fetch ``remote`` in up to ``parallel`` sessions of ``pool``; None where a single one does as well.

    It does where the file is short, and where the server does not tell its size or cannot begin within it. Raises as
    :meth:`fairlead.client.sync.Client.download` does.
    """
    check_paths(remote)
    target = Path(inside(local, remote.rpartition("/")[2]) if is_directory(local) else local)
    async with pool.client() as ftp:
        session = session_of(ftp)
        facts = await _ask(session, remote)
    begins_anywhere = session.features is None or "REST" in session.features
    as_stream = (session.settings.structure, session.settings.transmission) == ("F", "S")
    if is_special(target) or facts.size is None or facts.size < 2 * SMALLEST or not (begins_anywhere and as_stream):
        return None
    file = GappedFile(target, facts.size, facts.modified, resume=resume)
    try:
        return await _Fetch(pool, remote, file, facts, parallel, on_progress).run(verify=verify, times=times)
    except _CannotBegin:
        file.discard()
        return None
    finally:
        file.leave()


class _Fetch:
    def __init__(
        self, pool: Pool, remote: str, file: GappedFile, facts: _Facts, parallel: int, progress: Progress | None
    ) -> None:
        self._pool = pool
        self._remote = remote
        self._file = file
        self._facts = facts
        self._parallel = parallel
        self._progress = progress
        self._board = Board(file.gaps(), parallel)
        self._mode = ""
        self._resumed: bool | None = None
        self._errors: list[FairleadError] = []

    async def run(self, *, verify: bool, times: bool) -> Transferred:
        """Fetch what is missing, and see that it is the file that was there at the beginning."""
        began, had = asyncio.get_running_loop().time(), self._file.octets
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(self._parallel, len(self._board))):
                    group.create_task(self._work())
        except ExceptionGroup as group_of:
            raise group_of.exceptions[0] from None
        if not self._board.done:
            raise self._errors[0]
        async with self._pool.client() as ftp:
            how = await exclusively(session_of(ftp), self._check(session_of(ftp), verify=verify))
        octets = self._file.octets
        modified = self._facts.modified if times else None
        self._file.keep(modified)
        seconds = asyncio.get_running_loop().time() - began
        return Transferred(self._remote, octets - had, had, seconds, self._mode, self._resumed, how, modified)

    async def _work(self) -> None:
        """Fetch one segment after the other in one session; where that fails for good, the others go on."""
        try:
            async with self._pool.client() as ftp:
                session = session_of(ftp)
                while (segment := self._board.next(session.wire.now())) is not None:
                    session.control.tell(InSegments(segment.position, segment.end))
                    try:
                        await exclusively(session, self._segment(session, segment))
                    except BaseException:
                        self._board.give_back(segment)
                        raise
        except FairleadError as error:
            self._errors.append(error)

    async def _segment(self, session: Session, segment: Segment) -> None:
        assert self._facts.size is not None
        flow = _Span(_Place(self._file, self._board, segment, self._tell), self._facts.size)

        async def attempt() -> None:
            await session.set_type("I")
            outcome = await session.transfer("RETR", self._remote, flow, restart=segment.position)
            self._mode, self._resumed = outcome.mode, outcome.tls_resumed
            if segment.left > 0:
                message = f"{self._remote} is cut short: it ended {segment.left} bytes early; try to resume"
                raise TransferError(message, transferred=outcome.size, cause=Cause.DATA_CUT)

        await persist(session, attempt, reached=lambda: segment.position)

    def _tell(self) -> None:
        if self._progress is not None:
            self._progress(self._file.octets, self._facts.size)

    async def _check(self, session: Session, *, verify: bool) -> str | None:
        """Raises TransferError where the file on the server is another one by now, or not the one that came."""
        if await _facts(session, self._remote) != self._facts:
            self._file.discard()
            message = f"{self._remote} was changed on the server while it was fetched; fetch it again"
            raise TransferError(message, transferred=self._file.octets)
        if not verify:
            return None
        try:
            with self._file.whole() as file:
                return await _checksum.verify(session, self._remote, file.read, self._file.octets)
        except TransferError:
            self._file.discard()
            raise


class _Place:
    """Where the octets of one segment go. See :class:`fairlead.client._flow.Sink`."""

    def __init__(self, file: GappedFile, board: Board, segment: Segment, tell: Callable[[], None]) -> None:
        self._file = file
        self._board = board
        self._segment = segment
        self._tell = tell

    def begin(self, offset: int) -> None:
        """See :class:`fairlead.client._flow.Sink`. Raises _CannotBegin where the server begins elsewhere."""
        if offset != self._segment.position:
            raise _CannotBegin

    def write(self, data: memoryview) -> None:
        """Take what belongs to the segment, which may have become shorter; the rest is another one's."""
        segment = self._segment
        while data and not self.is_full():
            piece = data[: segment.left]
            self._file.write(segment.position, piece)
            segment.position += len(piece)
            data = data[len(piece) :]
        self._tell()

    def is_full(self) -> bool:
        """Whether all of the segment is here; it goes on with what nobody has yet behind it."""
        return self._segment.left <= 0 and not self._board.extend(self._segment)


class _Span(Inflow):
    """Receives one segment, and has ``enough`` at its end, unless that is the end of the file."""

    def __init__(self, place: _Place, size: int) -> None:
        super().__init__(place, _IMAGE)
        self._place = place
        self._size = size

    def _take(self, data: memoryview) -> None:
        super()._take(data)
        self.enough = self.offset + self.moved < self._size and self._place.is_full()


async def _ask(session: Session, remote: str) -> _Facts:
    return await exclusively(session, _facts(session, remote))


async def _facts(session: Session, remote: str) -> _Facts:
    return _Facts(await size(session, remote), await mtime(session, remote))
