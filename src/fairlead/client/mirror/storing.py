"""Mirrors of what is here, on a server."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime

from fairlead.client import _files, _namespace, _times
from fairlead.client._control import refused
from fairlead.client._core import Session
from fairlead.client._face import exclusively, session_of
from fairlead.client._files import Transferred
from fairlead.client._flow import Progress
from fairlead.client._local import LocalPath
from fairlead.client.aio import AsyncClient
from fairlead.client.mirror.clearing import Clearing
from fairlead.client.mirror.direction import Options
from fairlead.client.mirror.local import LocalFolder, scan
from fairlead.client.mirror.parts import Parts, part_of
from fairlead.client.mirror.plan import Action, Rules, Step
from fairlead.client.mirror.remote import RemoteFolder
from fairlead.client.mirror.tree import Item, Tree
from fairlead.errors import NoSuchName, ReplyError
from fairlead.proto.entry import Kind

_ASK_FOR_PART = 256 * 1024
"""Octets from which on a server is asked for a part that its listing may not show."""


class Storing:
    """From the local directory into ``remote``."""

    changes_server = True

    def __init__(self, local: LocalPath, remote: RemoteFolder, options: Options) -> None:
        self._remote = remote
        self._local = LocalFolder(local)
        self._options = options
        self._clearing = Clearing(remote, ())
        self._parts = Parts()
        """What this mirror began is among them also where files are written in place."""

    async def look(self) -> tuple[Tree, Tree, Rules]:
        """See :class:`fairlead.client.mirror.direction.Direction`."""
        options, top = self._options, self._local.top
        source = await asyncio.to_thread(scan, top, options.wanted, follow_links=options.follow_links)
        if not source.exists:
            message = f"there is no directory {top} here; check the path"
            raise NoSuchName(message)
        target = await self._remote.tree(options.wanted, follow_links=False, local_names=False)
        self._parts = Parts(() if options.in_place else target.parts)
        staying = {path for path, item in source.items.items() if item.kind is Kind.DIRECTORY}
        self._clearing = Clearing(self._remote, staying)
        rules = Rules(
            delete=options.delete,
            only_newer=options.newer,
            dated=options.times and await self._remote.sets_times(),
            prune=options.prune,
        )
        return source, target, rules

    async def make_top(self) -> None:
        """See :class:`fairlead.client.mirror.direction.Direction`."""
        await self._remote.make_top()

    async def change(self, ftp: AsyncClient | None, step: Step) -> None:
        """See :class:`fairlead.client.mirror.direction.Direction`."""
        assert ftp is not None
        if step.action is Action.MKDIR:
            await ftp.makedirs(self._remote.at(step.path), exist_ok=True)
        else:
            await self._clearing.remove(ftp, step)

    async def prepare(self, ftp: AsyncClient, steps: Sequence[Step]) -> None:
        """See :class:`fairlead.client.mirror.direction.Direction`: all that is known here."""

    async def copy(self, ftp: AsyncClient, step: Step, progress: Progress | None) -> Transferred:
        """See :class:`fairlead.client.mirror.direction.Direction`."""
        session = session_of(ftp)
        return await exclusively(session, self._copy(session, step, progress))

    async def _copy(self, session: Session, step: Step, progress: Progress | None) -> Transferred:
        item, options, final = step.item, self._options, self._remote.at(step.path)
        part = part_of(item)
        place = final if options.in_place else self._remote.at(part)
        await self._forget_outdated(session, item)
        resume = part in self._parts or (not options.in_place and (item.size or 0) >= _ASK_FOR_PART)
        self._parts.begin(part)
        result = await _files.upload(
            session,
            self._local.source(step.path),
            place,
            resume=resume,
            text=False,
            verify=options.verify,
            times=options.times and options.in_place,
            on_progress=progress,
        )
        if not options.in_place:
            await _take_place(session, item if options.times else None, place, final, replacing=bool(step.replaces))
        self._parts.end(part)
        return result

    async def _forget_outdated(self, session: Session, item: Item) -> None:
        for outdated in self._parts.outdated(item):
            self._parts.end(outdated)
            await session.control.command("DELE", self._remote.at(outdated))

    def close(self) -> None:
        """See :class:`fairlead.client.mirror.direction.Direction`."""
        self._local.close()


async def _take_place(session: Session, dated: Item | None, part: str, final: str, *, replacing: bool) -> None:
    """Give ``part`` the time of ``dated`` and its name, at once; some servers rename over nothing that is there.

    A time that the server refuses is no failure: the octets are there.
    """
    when = None if dated is None or dated.modified is None else datetime.fromtimestamp(dated.modified.first, UTC)
    dating = None if when is None else _times.dating(session, part, when)
    if dating is None and when is not None:
        with suppress(ReplyError):
            await _times.set_mtime(session, part, when)
    renaming = ("RNFR", part), ("RNTO", final)
    replies = await session.control.commands(*([dating] if dating else []), *renaming)
    ready, renamed = replies[-2:]
    if renamed.completed:
        return
    if ready.intermediate and renamed.permanent and replacing:
        await _namespace.remove(session, final)
        await _namespace.rename(session, part, final)
    elif ready.intermediate:
        raise refused(renamed, f"RNTO {final}")
    else:
        raise refused(ready, f"RNFR {part}")
