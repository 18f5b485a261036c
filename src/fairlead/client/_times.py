"""Setting a file's time on the server: MFMT, MFF (draft-somers-ftp-mfxx), else what some servers have instead."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from fairlead.client._control import refused
from fairlead.client._core import Session, check_paths
from fairlead.client._facts import mtime
from fairlead.client._retry import repeatable
from fairlead.errors import ArgumentError
from fairlead.proto.reply import Reply
from fairlead.proto.times import moment, parse_server_time

_MODIFY = re.compile(r"modify=([0-9.]+)", re.IGNORECASE)
_NOT_IMPLEMENTED = {500, 501, 502, 504}


@repeatable
async def set_mtime(session: Session, path: str, when: datetime) -> datetime | None:
    """See :meth:`fairlead.client.sync.Client.set_mtime`."""
    check_paths(path)
    when = when.astimezone(UTC).replace(microsecond=0)
    stamp = f"{when:%Y%m%d%H%M%S}".rjust(14, "0")
    features = session.features or {}
    for verb, argument in (("MFMT", f"{stamp} {path}"), ("MFF", f"Modify={stamp}; {path}")):
        if verb not in features or (verb == "MFF" and "MODIFY" not in features[verb].upper()):
            continue
        reply = await session.try_command(verb, argument)
        if reply is not None and not reply.completed:
            raise refused(reply, f"{verb} {path}")
        if reply is not None:
            return _told(reply) or await mtime(session, path)
    return await _probe(session, path, when, stamp) if session.may_set_times else None


async def _probe(session: Session, path: str, when: datetime, stamp: str) -> datetime | None:
    """Try what no FEAT tells of; only MDTM can show whether it did anything."""
    if await mtime(session, path) is None:
        return None
    answers = []
    for verb, argument in (("MDTM", f"{stamp} {path}"), ("SITE", f"UTIME {stamp} {path}")):
        reply = await session.control.command(verb, argument)
        if reply.completed and await mtime(session, path) == when:
            return when
        answers.append(reply.code in _NOT_IMPLEMENTED)
    session.may_set_times = not all(answers)
    return None


def _told(reply: Reply) -> datetime | None:
    match = _MODIFY.search(reply.text)
    try:
        return moment(parse_server_time(match[1])) if match is not None else None
    except ArgumentError:
        return None
