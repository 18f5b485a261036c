"""Mirrors of what a server has, here."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime

from fairlead.client import _files
from fairlead.client._core import Session
from fairlead.client._face import exclusively, session_of
from fairlead.client._facts import mtime, mtimes, size
from fairlead.client._files import Known, Transferred
from fairlead.client._flow import Progress
from fairlead.client._local import LocalPath
from fairlead.client.aio import AsyncClient
from fairlead.client.mirror.direction import Options
from fairlead.client.mirror.local import LocalFolder, scan, tells_case_apart
from fairlead.client.mirror.parts import Parts, part_of
from fairlead.client.mirror.plan import Action, Rules, Step, folded
from fairlead.client.mirror.remote import RemoteFolder
from fairlead.client.mirror.tree import Item, Span, Tree, exactly
from fairlead.errors import ArgumentError, NoSuchName
from fairlead.proto.codec import Representation

_OCTETS = Representation("I")


class Fetching:
    """From the directory ``remote`` of a server into the local one."""

    changes_server = False

    def __init__(self, remote: RemoteFolder, local: LocalPath, options: Options) -> None:
        self._remote = remote
        self._local = LocalFolder(local)
        self._options = options
        self._parts = Parts()
        self._times: dict[str, datetime] = {}
        """Those that were asked for beforehand."""

    async def look(self) -> tuple[Tree, Tree, Rules]:
        """See :class:`fairlead.client.mirror.direction.Direction`."""
        options, top = self._options, self._local.top
        target = asyncio.create_task(asyncio.to_thread(scan, top, options.wanted))
        try:
            source = await self._remote.tree(options.wanted, follow_links=options.follow_links, local_names=True)
        finally:
            await asyncio.wait([target])
        if not source.exists:
            message = f"there is no directory {self._remote.top} on the server; check the path"
            raise NoSuchName(message)
        self._parts = Parts(target.result().parts)
        rules = Rules(
            delete=options.delete,
            only_newer=options.newer,
            dated=options.times,
            prune=options.prune,
            fold=None if tells_case_apart(top) else folded,
        )
        return source, target.result(), rules

    async def make_top(self) -> None:
        """See :class:`fairlead.client.mirror.direction.Direction`."""
        self._local.make_top()

    async def change(self, ftp: AsyncClient | None, step: Step) -> None:
        """See :class:`fairlead.client.mirror.direction.Direction`."""
        change = {Action.MKDIR: self._local.mkdir, Action.RMDIR: self._local.rmdir, Action.REMOVE: self._local.remove}
        change[step.action](step.path)

    async def prepare(self, ftp: AsyncClient, steps: Sequence[Step]) -> None:
        """See :class:`fairlead.client.mirror.direction.Direction`: the times of files whose listing has no seconds."""
        paths = [step.path for step in steps if not _exact(step.item.modified)] if self._options.times else []
        if not paths:
            return
        session = session_of(ftp)
        with suppress(ArgumentError):  # each is asked about alone, and the one that no command can carry told
            told = await exclusively(session, mtimes(session, [self._remote.at(path) for path in paths]))
            self._times.update((path, time) for path, time in zip(paths, told, strict=True) if time is not None)

    async def copy(self, ftp: AsyncClient, step: Step, progress: Progress | None) -> Transferred:
        """See :class:`fairlead.client.mirror.direction.Direction`."""
        session = session_of(ftp)
        return await exclusively(session, self._copy(session, step, progress))

    async def _copy(self, session: Session, step: Step, progress: Progress | None) -> Transferred:
        item, options, remote = step.item, self._options, self._remote.at(step.path)
        part = part_of(item)
        modified = self._times.get(step.path)
        if modified is None and options.times:
            modified = await _modified(session, remote, item.modified)
        for outdated in self._parts.outdated(item):
            self._local.remove(outdated)
            self._parts.end(outdated)
        target = self._local.part(step.path, part)
        try:
            offset = target.size() if part in self._parts else 0
            if offset and not await _is_still(session, remote, item):
                offset = 0
            self._parts.begin(part)
            result = await _files.fetch(
                session,
                remote,
                target,
                Known(item.size, modified),
                _OCTETS,
                offset,
                verify=options.verify,
                times=modified is not None,
                on_progress=progress,
            )
        finally:
            target.close()
        self._parts.end(part)
        return result

    def close(self) -> None:
        """See :class:`fairlead.client.mirror.direction.Direction`."""
        self._local.close()


def _exact(listed: Span | None) -> bool:
    return listed is not None and listed.first == listed.last


async def _modified(session: Session, remote: str, listed: Span | None) -> datetime | None:
    """When the file was changed, to the second where the server tells, else as its listing has it."""
    if listed is not None and _exact(listed):
        return datetime.fromtimestamp(listed.first, UTC)
    told = await mtime(session, remote)
    return told if told is not None or listed is None else datetime.fromtimestamp(listed.first, UTC)


async def _is_still(session: Session, remote: str, item: Item) -> bool:
    """Whether the file is the one that was listed, which nobody may go on with otherwise."""
    there, told = await size(session, remote), await mtime(session, remote)
    if told is not None and item.modified is not None and not exactly(told.timestamp()).meets(item.modified):
        return False
    return item.size is not None and there in {None, item.size}
