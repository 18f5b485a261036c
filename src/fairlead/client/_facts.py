"""What the server knows of one file: SIZE, MDTM, MLST (RFC 3659)."""

from __future__ import annotations

from datetime import datetime

from fairlead.client._control import refused
from fairlead.client._core import Session, check_paths
from fairlead.errors import ArgumentError, ProtocolError
from fairlead.proto.entry import Entry
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
    """MLST. Raises ReplyError, ProtocolError when the reply has no facts."""
    reply = await session.control.command("MLST", path)
    if not reply.completed:
        raise refused(reply, f"MLST {path}")
    for line in reply.lines[1:-1]:
        if line.startswith(" "):
            return parse_mlsx(line[1:])
    message = "the server's reply to MLST holds no facts"
    raise ProtocolError(message)


def _status(reply: Reply | None) -> str | None:
    return reply.text.strip() if reply is not None and reply.code == _FILE_STATUS else None
