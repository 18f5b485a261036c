"""The server's time zone: LIST shows its local time mostly, MDTM tells UTC (RFC 3659 section 3), one file has both."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta

from fairlead.client._core import Session
from fairlead.errors import ArgumentError
from fairlead.proto.entry import Entry, Kind
from fairlead.proto.times import moment, parse_server_time

_FILE_STATUS = 213
_PLAIN = re.compile(r"[^\x00-\x1f\x7f/]+")
_STEP = timedelta(minutes=15)
_FARTHEST = timedelta(hours=15)
_SHOWN = timedelta(minutes=1)
"""Most listings show no seconds."""


async def in_utc(session: Session, path: str, entries: list[Entry]) -> list[Entry]:
    """The entries of the directory ``path`` with their times in UTC, as far as the server tells the difference.

    It is asked for the time of one file, once in a session. Dates without a time of day stay as they are.
    """
    if session.ahead is None and "MDTM" in (session.features or {}):
        witness = next((entry for entry in entries if _is_witness(entry)), None)
        if witness is not None:
            session.ahead = await _ahead(session, path, witness)
    return list(_moved(entries, session.ahead)) if session.ahead else entries


def _is_witness(entry: Entry) -> bool:
    return entry.kind is Kind.FILE and _has_clock(entry.modified) and _PLAIN.fullmatch(entry.name) is not None


def _has_clock(modified: datetime | None) -> bool:
    """Whether it is more than a date, as far as can be seen."""
    return modified is not None and (modified.hour, modified.minute) != (0, 0)


async def _ahead(session: Session, path: str, witness: Entry) -> timedelta:
    place = f"{path.rstrip('/')}/" if path else ""
    reply = await session.try_command("MDTM", place + witness.name)
    if reply is None or reply.code != _FILE_STATUS or witness.modified is None:
        return timedelta()
    try:
        told = moment(parse_server_time(reply.text.strip()))
    except ArgumentError:
        return timedelta()
    difference = witness.modified - told
    zone = round(difference / _STEP) * _STEP
    return zone if abs(zone) <= _FARTHEST and abs(difference - zone) < _SHOWN else timedelta()


def _moved(entries: Iterable[Entry], ahead: timedelta) -> Iterable[Entry]:
    for entry in entries:
        modified = entry.modified
        if modified is None or not _has_clock(modified):
            yield entry
        else:
            try:
                yield entry._replace(modified=modified - ahead)
            except OverflowError:
                yield entry
