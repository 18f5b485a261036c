"""Trees on the server: walking through one, making the directories on the way to a path, removing all below one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import NamedTuple

from fairlead.client._core import Session, check_paths
from fairlead.client._facts import is_dir
from fairlead.client._listing import contents
from fairlead.client._namespace import mkdir, remove, rmdir
from fairlead.client.names import local_name
from fairlead.errors import LimitError, PermanentError, ReplyError
from fairlead.proto.entry import Entry, Kind

DEEPEST = 100
"""Directories within one another; what goes deeper is taken for a loop."""


class Directory(NamedTuple):
    """One directory of a walk."""

    path: str
    directories: list[Entry]
    """Where the walk goes next, in this order; what is taken out of the list is left out."""
    others: list[Entry]
    """Files, links and whatever else is no directory; links are not followed."""


async def walk(session: Session, top: str, on_error: Callable[[ReplyError], None] | None) -> AsyncIterator[Directory]:
    """See :meth:`fairlead.client.sync.Client.walk`."""
    check_paths(top)
    waiting: list[tuple[str, tuple[str, ...], int]] = [(top, (), 0)]
    while waiting:
        path, above, depth = waiting.pop()
        _check_depth(path, depth)
        try:
            entries = await contents(session, path)
        except ReplyError as error:
            if on_error is None:
                raise
            on_error(error)
            continue
        here = Directory(path, [], [])
        for entry in entries:
            if "/" in entry.name or (
                entry.kind is Kind.DIRECTORY and entry.unique is not None and entry.unique in above
            ):
                continue  # it would lead elsewhere, or back up
            (here.directories if entry.kind is Kind.DIRECTORY else here.others).append(entry)
        yield here
        for entry in reversed(here.directories):
            known = above if entry.unique is None else (*above, entry.unique)
            waiting.append((below(path, entry.name), known, depth + 1))


def below(directory: str, name: str) -> str:
    """The path of ``name`` in ``directory``, which may be the working directory, ``""``."""
    return f"{directory.rstrip('/')}/{name}" if directory else name


async def makedirs(session: Session, path: str, *, exist_ok: bool) -> None:
    """See :meth:`fairlead.client.sync.Client.makedirs`."""
    check_paths(path)
    missing = [path.rstrip("/") or path]
    while missing:
        try:
            await mkdir(session, missing[-1])
        except PermanentError:
            if await is_dir(session, missing[-1]):
                if len(missing) == 1 and not exist_ok:
                    raise
            else:
                parent = missing[-1].rpartition("/")[0].rstrip("/")
                if not parent or await is_dir(session, parent):
                    raise
                missing.append(parent)
                continue
        missing.pop()


async def rmtree(session: Session, path: str, on_removed: Callable[[str, Kind], None] | None) -> None:
    """See :meth:`fairlead.client.sync.Client.rmtree`."""
    check_paths(path)
    await _remove_tree(session, path, on_removed or _untold, 0)


async def _remove_tree(session: Session, path: str, tell: Callable[[str, Kind], None], depth: int) -> None:
    """DELE goes first: it removes a link that the server shows as the directory it leads to, and no directory."""
    _check_depth(path, depth)
    try:
        await remove(session, path)
    except PermanentError:
        await _remove_directory(session, path, tell, depth)
    else:
        tell(path, Kind.LINK)


async def _remove_directory(session: Session, path: str, tell: Callable[[str, Kind], None], depth: int) -> None:
    for entry in await contents(session, path):
        name = below(path, local_name(entry.name, windows=False))
        if entry.kind is Kind.DIRECTORY:
            await _remove_tree(session, name, tell, depth + 1)
        else:
            await remove(session, name)
            tell(name, entry.kind)
    await rmdir(session, path)
    tell(path, Kind.DIRECTORY)


def _untold(_path: str, _kind: Kind) -> None:
    """Nobody wants to know."""


def _check_depth(path: str, depth: int) -> None:
    if depth > DEEPEST:
        message = f"{path} lies more than {DEEPEST} directories deep, which looks like a loop; begin further down"
        raise LimitError(message)
