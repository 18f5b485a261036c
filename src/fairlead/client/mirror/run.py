"""A mirror from beginning to end: look at both ends, draw up the plan, carry it out."""

from __future__ import annotations

import errno
import time
from collections.abc import Callable, Sequence
from functools import partial
from itertools import groupby
from typing import NamedTuple, TypeAlias

from fairlead.client._face import Face, likewise
from fairlead.client._files import Transferred
from fairlead.client._local import LocalPath
from fairlead.client.aio import AsyncClient
from fairlead.client.mirror.crew import Crew, persistently
from fairlead.client.mirror.direction import Choices, Direction, Options
from fairlead.client.mirror.fetching import Fetching
from fairlead.client.mirror.plan import Action, Plan, Step, draw_up
from fairlead.client.mirror.remote import RemoteFolder
from fairlead.client.mirror.storing import Storing
from fairlead.client.mirror.tree import Trouble, above
from fairlead.client.pool import SIZE, Pool
from fairlead.errors import ArgumentError, FairleadError, LoginError, ReplyError, TransferError

RETRIES = 3
"""How many times in a row a step is tried again, unless the client was told."""

_HANDFUL = 50
"""Files that are asked about at once."""

_OF_ONE_FILE = (ReplyError, TransferError, ArgumentError, OSError)
"""What others may be spared of."""
_NO_ROOM_HERE = {errno.ENOSPC, errno.EDQUOT, errno.EROFS}
_NO_ROOM_THERE = {452, 552}


class Planned(NamedTuple):
    """The plan is there; nothing was done yet."""

    plan: Plan


class Began(NamedTuple):
    """A step begins."""

    step: Step


class Moved(NamedTuple):
    """Octets of a file arrived: ``done`` of ``total``, those of an earlier part included."""

    step: Step
    done: int
    total: int | None


class Done(NamedTuple):
    """A step is done; ``transferred`` says how, of a copy."""

    step: Step
    transferred: Transferred | None


class Again(NamedTuple):
    """A step failed and will be tried again."""

    step: Step
    why: str


class Failed(NamedTuple):
    """A step could not be done."""

    step: Step
    why: str


Event: TypeAlias = Planned | Began | Moved | Done | Again | Failed
Listener: TypeAlias = Callable[[Event], None]


class Mirrored:
    """What a mirror came to."""

    def __init__(self, plan: Plan, *, octets: int = 0, kept: int | None = None, seconds: float = 0.0) -> None:
        self.plan = plan
        self.done = dict.fromkeys(Action, 0)
        """How many steps of each kind were taken."""
        self.octets = octets
        """What went over data connections of files that were copied, in the last attempt at each."""
        self.troubles = list(plan.troubles)
        """What stayed undone, and why: that of the plan, and what failed."""
        self.kept = plan.kept if kept is None else kept
        """What was to be removed but was not, since something else had failed."""
        self.seconds = seconds

    @property
    def complete(self) -> bool:
        """Whether the target is what it should be."""
        return not self.troubles


class Mirror:
    """One mirror. ``remote`` is a directory of the server that ``pool`` has sessions with, ``local`` one here.

    ``upload`` makes ``remote`` like ``local``; else it is the other way round. ``listener`` hears of each step.
    """

    def __init__(
        self,
        pool: Pool,
        remote: str,
        local: LocalPath,
        options: Options,
        *,
        upload: bool = False,
        parallel: int = SIZE,
        listener: Listener | None = None,
    ) -> None:
        folder = RemoteFolder(pool, remote, parallel=parallel)
        self._direction: Direction = Storing(local, folder, options) if upload else Fetching(folder, local, options)
        self._pool = pool
        self._parallel = parallel
        self._tell = listener or _nobody
        self._failed: set[str] = set()

    async def run(self, *, dry: bool = False) -> Mirrored:
        """Do it all; a ``dry`` run ends with the plan.

        Raises NoSuchName where there is no source, and what ends every session.
        """
        began = time.monotonic()
        try:
            source, target, rules = await self._direction.look()
            plan = draw_up(source, target, rules)
            result = Mirrored(plan)
            self._tell(Planned(plan))
            if not dry:
                await self._carry_out(plan, result)
        finally:
            self._direction.close()
        result.seconds = time.monotonic() - began
        return result

    async def _carry_out(self, plan: Plan, result: Mirrored) -> None:
        if plan.make_top:
            await self._direction.make_top()
        await self._change(plan.clear, result, deepest_first=True)
        await self._change(plan.directories, result)
        handfuls = (plan.copies[start : start + _HANDFUL] for start in range(0, len(plan.copies), _HANDFUL))
        await Crew(self._pool, self._parallel, self._direction.prepare).work(handfuls)
        await self._crew(result).work(plan.copies)
        if result.troubles and plan.removals:
            result.kept = len(plan.removals)
        else:
            await self._change(plan.removals, result, deepest_first=True)

    async def _change(self, steps: Sequence[Step], result: Mirrored, *, deepest_first: bool = False) -> None:
        """What lies equally deep is done side by side."""
        ordered = sorted(steps, key=_depth, reverse=deepest_first)
        for _, level in groupby(ordered, key=_depth):
            if self._direction.changes_server:
                await self._crew(result).work(level)
            else:
                for step in level:
                    await self._take(None, step, result)

    def _crew(self, result: Mirrored) -> Crew[Step]:
        return Crew(self._pool, self._parallel, partial(self._take, result=result))

    async def _take(self, ftp: AsyncClient | None, step: Step, result: Mirrored) -> None:
        """Take one step; what concerns only its file is noted, and the others go on."""
        if self._failed and not self._failed.isdisjoint(above(step.path)):
            self._fail(step, "its directory could not be made", result)
            return
        self._tell(Began(step))
        try:
            transferred = await self._attempt(ftp, step)
        except _OF_ONE_FILE as error:
            if _concerns_all(error):
                raise
            self._fail(step, _sentence(error), result)
            return
        result.done[step.action] += 1
        result.octets += transferred.size if transferred is not None else 0
        self._tell(Done(step, transferred))

    async def _attempt(self, ftp: AsyncClient | None, step: Step) -> Transferred | None:
        if ftp is None:
            await self._direction.change(None, step)
            return None
        client, direction = ftp, self._direction
        furthest, failure = 0, ""

        def progress(done: int, total: int | None) -> None:
            nonlocal furthest
            furthest = max(furthest, done)
            self._tell(Moved(step, done, total))

        async def attempt() -> Transferred | None:
            nonlocal failure
            if failure:
                self._tell(Again(step, failure))
            try:
                if step.action is not Action.COPY:
                    await direction.change(client, step)
                    return None
                return await direction.copy(client, step, progress)
            except FairleadError as error:
                failure = str(error)
                raise

        return await persistently(client, attempt, reached=lambda: furthest)

    def _fail(self, step: Step, why: str, result: Mirrored) -> None:
        if step.action is Action.MKDIR:
            self._failed.add(step.path)
        result.troubles.append(Trouble(step.path, why))
        self._tell(Failed(step, why))


def _nobody(event: Event) -> None:
    """Hear nothing."""


def _depth(step: Step) -> int:
    return step.path.count("/")


def _concerns_all(error: Exception) -> bool:
    """Whether nothing else would fare better."""
    if isinstance(error, LoginError):
        return True
    if isinstance(error, ReplyError):
        return error.reply.code in _NO_ROOM_THERE
    return isinstance(error, OSError) and error.errno in _NO_ROOM_HERE


def _sentence(error: Exception) -> str:
    return error.strerror or str(error) if isinstance(error, OSError) else str(error)


async def mirror(
    client: Face,
    remote: str,
    local: LocalPath,
    choices: Choices,
    *,
    upload: bool,
    parallel: int,
    dry_run: bool,
    listener: Listener | None,
) -> Mirrored:
    """See :meth:`fairlead.client.sync.Client.mirror`; in sessions like that of ``client``."""
    options, settings = Options(**choices), likewise(client)
    if settings["retries"] is None:
        settings["retries"] = RETRIES
    async with Pool(size=parallel, **settings) as pool:
        work = Mirror(pool, remote, local, options, upload=upload, parallel=parallel, listener=listener)
        return await work.run(dry=dry_run)
