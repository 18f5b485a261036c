"""What the server knows of one file: SIZE, MDTM, MLST (RFC 3659)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from fairlead.client._control import refused
from fairlead.client._core import Session, check_paths
from fairlead.client._listing import scandir
from fairlead.errors import ArgumentError, NoSuchName, ProtocolError
from fairlead.proto.entry import Entry, Kind
from fairlead.proto.listing.mlsx import parse_mlsx
from fairlead.proto.reply import Reply
from fairlead.proto.times import moment, parse_server_time

_FILE_STATUS = 213


async def size(session: Session, path: str) -> int | None:
    """SIZE under TYPE I; None when the server does not tell, which says nothing about the file (section 4.2)."""
    check_paths(path)
    await session.set_type("I")
    value = _status(await session.try_command("SIZE", path))
    return int(value) if value is not None and value.isdecimal() and value.isascii() else None


async def mtime(session: Session, path: str) -> datetime | None:
    """MDTM; None when the server does not tell."""
    value = _status(await session.try_command("MDTM", path))
    if value is None:
        return None
    try:
        return moment(parse_server_time(value))
    except ArgumentError:
        return None


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


async def _listed(session: Session, path: str) -> Entry:
    place, slash, name = path.rstrip("/").rpartition("/")
    if name in {"", ".", ".."}:
        return Entry(path, Kind.DIRECTORY)
    for entry in await scandir(session, place or slash):
        if entry.name == name:
            return replace(entry, name=path)
    message = f"the server lists no {path}; check the path"
    raise NoSuchName(message)


def _status(reply: Reply | None) -> str | None:
    return reply.text.strip() if reply is not None and reply.code == _FILE_STATUS else None
