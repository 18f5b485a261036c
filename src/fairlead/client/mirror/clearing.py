"""Removing on the server what the source has not, without reaching through links.

Servers may show a link as the directory that it leads to, with what lies there as if it lay below. DELE removes a link
and no directory: it is tried on each directory that is to go before anything below is removed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection

from fairlead.client.aio import AsyncClient
from fairlead.client.mirror.plan import Action, Step
from fairlead.client.mirror.remote import RemoteFolder
from fairlead.client.mirror.tree import above
from fairlead.errors import PermanentError


class Clearing:
    """Takes removals from ``remote``, where the directories ``staying`` are those of the source."""

    def __init__(self, remote: RemoteFolder, staying: Collection[str]) -> None:
        self._remote = remote
        self._staying = staying
        self._directories: set[str] = set()
        """Those that DELE did not remove."""
        self._links: set[str] = set()
        """Those that it did."""
        self._one_at_a_time = asyncio.Lock()

    async def remove(self, ftp: AsyncClient, step: Step) -> None:
        """Remove a file or an empty directory; what only lay behind a link is gone with the link."""
        own = (step.path,) if step.action is Action.RMDIR else ()
        for path in (*reversed([*above(step.path)]), *own):
            if path not in self._staying and await self._was_link(ftp, path):
                return
        place = self._remote.at(step.path)
        await (ftp.rmdir(place) if own else ftp.remove(place))

    async def _was_link(self, ftp: AsyncClient, path: str) -> bool:
        async with self._one_at_a_time:
            if path not in self._links | self._directories:
                try:
                    await ftp.remove(self._remote.at(path))
                except PermanentError:
                    self._directories.add(path)
                else:
                    self._links.add(path)
            return path in self._links
