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
_FORMS = {
    "MFMT": "{stamp} {path}",
    "MFF": "Modify={stamp}; {path}",
    "MDTM": "{stamp} {path}",
    "SITE": "UTIME {stamp} {path}",
}
"""Verbs that set a time, and their arguments."""


@repeatable
async def set_mtime(session: Session, path: str, when: datetime) -> datetime | None:
    """See :meth:`fairlead.client.sync.Client.set_mtime`."""
    check_paths(path)
    when = when.astimezone(UTC).replace(microsecond=0)
    for verb in _known(session):
        reply = await session.try_command(verb, _argument(verb, path, when))
        if reply is not None and not reply.completed:
            raise refused(reply, f"{verb} {path}")
        if reply is not None:
            return _told(reply) or await mtime(session, path)
    return await _probe(session, path, when) if session.may_set_times else None


def dating(session: Session, path: str, when: datetime) -> tuple[str, str] | None:
    """The command that sets the time of ``path``: the server shows it in FEAT, or took it for another file.

    None where no way is known.
    """
    verb = next(iter(_known(session)), None)
    return None if verb is None else (verb, _argument(verb, path, when))


def _known(session: Session) -> list[str]:
    """The verbs that set times here: that which served before, or those of which FEAT tells."""
    if session.dates_by is not None:
        return [session.dates_by]
    features = session.features or {}
    modifies = "MODIFY" in features.get("MFF", "").upper()
    return ["MFMT"] * ("MFMT" in features) + ["MFF"] * modifies


async def _probe(session: Session, path: str, when: datetime) -> datetime | None:
    """Try what no FEAT tells of; only MDTM can show whether it did anything."""
    if await mtime(session, path) is None:
        return None
    answers = []
    for verb in ("MDTM", "SITE"):
        reply = await session.control.command(verb, _argument(verb, path, when))
        if reply.completed and await mtime(session, path) == when:
            session.dates_by = verb
            return when
        answers.append(reply.code in _NOT_IMPLEMENTED)
    session.may_set_times = not all(answers)
    return None


def _argument(verb: str, path: str, when: datetime) -> str:
    stamp = f"{when.astimezone(UTC):%Y%m%d%H%M%S}".rjust(14, "0")
    return _FORMS[verb].format(stamp=stamp, path=path)


def _told(reply: Reply) -> datetime | None:
    match = _MODIFY.search(reply.text)
    try:
        return moment(parse_server_time(match[1])) if match is not None else None
    except ArgumentError:
        return None
