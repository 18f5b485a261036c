"""The end of a mirror that is on a server: what a directory there holds, and changes to it."""

from __future__ import annotations

import os
import posixpath
from typing import NamedTuple

from fairlead.client._face import exclusively, session_of
from fairlead.client._listing import listed
from fairlead.client._walk import DEEPEST, below
from fairlead.client.aio import AsyncClient
from fairlead.client.mirror.crew import Crew
from fairlead.client.mirror.parts import is_part
from fairlead.client.mirror.tree import Item, Tree, Trouble, Wanted, span_of
from fairlead.client.names import local_name
from fairlead.client.pool import Pool
from fairlead.errors import LimitError, NoSuchName, PermanentError, ReplyError, TransferError, UnsafeName
from fairlead.proto.entry import Entry, Kind

_NAMES_NOTHING = {"", ".", "/"}


class _Directory(NamedTuple):
    """One to be listed."""

    path: str
    real: str
    """Where it is when all links on the way are resolved, as far as their texts tell."""
    chain: frozenset[str] = frozenset()
    """The directories above it, by their unique facts and by where they really are."""
    depth: int = 0


class RemoteFolder:
    """The directory ``top`` of a server; what is done side by side takes sessions from ``pool``."""

    def __init__(self, pool: Pool, top: str, *, parallel: int) -> None:
        self.pool = pool
        self.top = top
        self.parallel = parallel
        self._start = top.rstrip(".") if top in _NAMES_NOTHING else f"{top.rstrip('/')}/"
        """What goes before the path of what is below the top."""

    def at(self, path: str) -> str:
        """The path of ``path`` for a command."""
        if not path:
            return self.top if self._start.strip("/") else self._start
        return f"./{path}" if not self._start and path.startswith(("-", "~")) else f"{self._start}{path}"

    async def exists(self) -> bool:
        """Whether there is such a directory. Some servers list one that is not there as an empty one."""
        if self.top in _NAMES_NOTHING:
            return True
        async with self.pool.client() as ftp:
            try:
                await ftp.cwd(self.top)
            except PermanentError:
                return False
        return True

    async def sets_times(self) -> bool:
        """Whether the server tells by FEAT that copies can have the times of their originals."""
        async with self.pool.client() as ftp:
            features = ftp.features or {}
        return "MFMT" in features or "MODIFY" in features.get("MFF", "").upper()

    async def make_top(self) -> None:
        """Make the top, and the directories above it."""
        async with self.pool.client() as ftp:
            await ftp.makedirs(self.top, exist_ok=True)

    async def tree(self, wanted: Wanted, *, follow_links: bool, local_names: bool) -> Tree:
        """All below the top that is ``wanted``; ``local_names`` says that its names will be those of files here."""
        tree = Tree(exists=await self.exists())
        if tree.exists:
            await _Walk(self, tree, wanted, follow_links=follow_links, local_names=local_names).run()
        return tree


class _Walk:
    """Lists directories side by side."""

    def __init__(
        self, folder: RemoteFolder, tree: Tree, wanted: Wanted, *, follow_links: bool, local_names: bool
    ) -> None:
        self._folder = folder
        self._tree = tree
        self._wanted = wanted
        self._follow = follow_links
        self._windows = os.name == "nt" and local_names
        self._crew = Crew(folder.pool, folder.parallel, self._try)

    async def run(self) -> None:
        """List the top and all below. Raises what listing the top raises, and what ends every session."""
        await self._crew.work([_Directory("", posixpath.normpath(f"/{self._folder.top}"))])

    async def _try(self, ftp: AsyncClient, directory: _Directory) -> None:
        try:
            await self._list(ftp, directory)
        except ReplyError as error:
            if not directory.path:
                raise
            self._trouble(directory.path, f"it cannot be listed: {error.reply.code} {error.reply.text}")
        except (TransferError, LimitError) as error:
            if not directory.path:
                raise
            self._trouble(directory.path, f"it cannot be listed: {error}")

    async def _list(self, ftp: AsyncClient, directory: _Directory) -> None:
        session, items = session_of(ftp), self._tree.items
        found = await exclusively(session, listed(session, self._folder.at(directory.path)))
        for line in found.unread:
            self._trouble(below(directory.path, repr(line)), "this line of the listing cannot be read")
        start, exact = f"{directory.path}/" if directory.path else "", session.machine_listings
        for entry in found.entries:
            try:
                path = start + local_name(entry.name, windows=self._windows)
            except UnsafeName:
                self._trouble(below(directory.path, repr(entry.name)), "no file may have this name here")
                continue
            if path in items:
                continue
            real = None
            if entry.kind is Kind.LINK and self._follow:
                real = posixpath.normpath(posixpath.join(directory.real, entry.target or entry.name))
                entry = await self._resolved(ftp, path, entry)  # noqa: PLW2901 - what it leads to takes its place
            self._take(directory, path, entry, real, exact=exact)

    def _take(self, directory: _Directory, path: str, entry: Entry, real: str | None, *, exact: bool) -> None:
        kind = entry.kind
        if kind is Kind.FILE and is_part(entry.name):
            self._tree.parts[path] = entry.size or 0
        elif not self._wanted(path, kind is Kind.DIRECTORY):
            self._tree.left_out.add(directory.path)
        elif kind is Kind.DIRECTORY:
            self._tree.add(Item(path, kind))
            self._descend(directory, path, real or posixpath.join(directory.real, entry.name), entry.unique)
        else:
            size = entry.size if kind is Kind.FILE else None
            self._tree.add(Item(path, kind, size, span_of(entry.modified, exact=exact)))

    def _descend(self, directory: _Directory, path: str, real: str, unique: str | None) -> None:
        chain = directory.chain | {directory.real}
        marks = {real} if unique is None else {real, f"unique {unique}"}
        if not chain.isdisjoint(marks):
            self._trouble(path, "it leads back to a directory above it")
        elif directory.depth >= DEEPEST:
            self._trouble(path, f"there are more than {DEEPEST} directories in one another")
        else:
            self._crew.add(_Directory(path, real, chain | marks, directory.depth + 1))

    async def _resolved(self, ftp: AsyncClient, path: str, link: Entry) -> Entry:
        """What a link leads to, as far as the server tells; the link itself where it does not."""
        place = self._folder.at(path)
        try:
            found = await ftp.stat(place)
            if found.kind is not Kind.LINK:
                return found._replace(name=link.name)
        except (ReplyError, NoSuchName):
            return link
        size = await ftp.size(place)
        if size is not None:
            return Entry(link.name, Kind.FILE, size, await ftp.mtime(place))
        return Entry(link.name, Kind.DIRECTORY) if await ftp.is_dir(place) else link

    def _trouble(self, path: str, why: str) -> None:
        self._tree.troubles.append(Trouble(path, why))
