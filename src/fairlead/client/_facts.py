"""What the server knows of one file: SIZE, MDTM, MLST (RFC 3659)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from fairlead.client._control import refused
from fairlead.client._core import Session, check_paths
from fairlead.client._listing import contents, scandir
from fairlead.client._namespace import cwd, pwd
from fairlead.client._retry import repeatable
from fairlead.errors import ArgumentError, NoSuchName, PermanentError, ProtocolError, ReplyError
from fairlead.proto.entry import Entry, Kind, parse_size
from fairlead.proto.listing.dialects.mlsx import parse_mlsx
from fairlead.proto.reply import Reply
from fairlead.proto.times import moment, parse_server_time

if TYPE_CHECKING:
    from datetime import datetime

_FILE_STATUS = 213
_NOT_THERE = {450, 550, 553}


@repeatable
async def size(session: Session, path: str) -> int | None:
    """SIZE under TYPE I; None when the server does not tell, which says nothing about the file (section 4.2)."""
    check_paths(path)
    await session.set_type("I")
    return told_size(await session.try_command("SIZE", path))


def told_size(reply: Reply | None) -> int | None:
    """What the reply to SIZE tells, None where it tells nothing."""
    value = _status(reply)
    return None if value is None else parse_size(value)


@repeatable
async def mtime(session: Session, path: str) -> datetime | None:
    """MDTM; None when the server does not tell."""
    return _moment(await session.try_command("MDTM", path))


@repeatable
async def mtimes(session: Session, paths: Sequence[str]) -> list[datetime | None]:
    """As :func:`mtime`, of several files with one wait for all of them, where the server shows MDTM in FEAT."""
    check_paths(*paths)
    if "MDTM" not in (session.features or {}):
        return [None] * len(paths)
    return list(map(_moment, await session.control.commands(*(("MDTM", path) for path in paths))))


@repeatable
async def stat(session: Session, path: str) -> Entry:
    """MLST, else the line of the listing. Raises ReplyError, NoSuchName, ProtocolError when the reply has no facts."""
    check_paths(path)
    known = session.features is None or "MLST" in session.features
    reply = await session.try_command("MLST", path) if known else None
    if reply is None:
        return await _listed(session, path)
    if not reply.completed:
        raise refused(reply, f"MLST {path}")
    for line in reply.lines[1:-1]:
        if line.startswith(" "):
            return parse_mlsx(line[1:])
    message = "the server's reply to MLST holds no facts"
    raise ProtocolError(message)


async def find(session: Session, path: str) -> Entry | None:
    """As :func:`stat`, None where there is nothing of that name."""
    try:
        return await stat(session, path)
    except NoSuchName:
        return None
    except ReplyError as error:
        if error.reply.code not in _NOT_THERE:
            raise
        return None


async def exists(session: Session, path: str) -> bool:
    """See :meth:`fairlead.client.sync.Client.exists`."""
    return await find(session, path) is not None


async def is_dir(session: Session, path: str) -> bool:
    """See :meth:`fairlead.client.sync.Client.is_dir`."""
    entry = await find(session, path)
    if entry is not None and entry.kind is Kind.LINK:
        return await _leads_to_directory(session, path)
    return entry is not None and entry.kind is Kind.DIRECTORY


async def is_file(session: Session, path: str) -> bool:
    """See :meth:`fairlead.client.sync.Client.is_file`."""
    entry = await find(session, path)
    if entry is not None and entry.kind is Kind.LINK:
        return await size(session, path) is not None
    return entry is not None and entry.kind is Kind.FILE


async def _leads_to_directory(session: Session, path: str) -> bool:
    """Whether the link ``path`` can be changed to, which nothing else tells of a link."""
    here = await pwd(session)
    try:
        await cwd(session, path)
    except PermanentError:
        return False
    await cwd(session, here)
    return True


async def _listed(session: Session, path: str) -> Entry:
    place, slash, name = path.rstrip("/").rpartition("/")
    if name in {"", ".", ".."}:
        return Entry(path, Kind.DIRECTORY)
    for entry in await (contents if name.startswith(".") else scandir)(session, place or slash):
        if entry.name == name:
            return entry._replace(name=path)
    message = f"the server lists no {path}; check the path"
    raise NoSuchName(message)


def _moment(reply: Reply | None) -> datetime | None:
    value = _status(reply)
    if value is None:
        return None
    try:
        return moment(parse_server_time(value))
    except ArgumentError:
        return None


def _status(reply: Reply | None) -> str | None:
    return reply.text.strip() if reply is not None and reply.code == _FILE_STATUS else None
