"""Facts about single files: SIZE, MDTM, MLST and OPTS MLST (RFC 3659)."""

from __future__ import annotations

import re
import stat
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from fairlead.accounts.base import Right
from fairlead.errors import IsADirectory, MismatchError, NotADirectory, NotFound
from fairlead.proto.codec import transmitted_length
from fairlead.proto.facts import facts_text, feature_text, parse_facts
from fairlead.proto.reply import Reply
from fairlead.proto.times import SECOND, format_time, parse_time
from fairlead.server.registry import Argument, command, option
from fairlead.server.rights import permitted
from fairlead.server.work import Work

if TYPE_CHECKING:
    import os

    from fairlead.server.session import Session

SETTING = r"(?s)([0-9]{14}(?:\.[0-9]+)?)([+-][0-9]{1,4})? (.+)"
"""The form of MDTM that sets a time: the time, how many minutes its zone is before UTC, the path."""


def _regular(session: Session, path: str) -> os.stat_result:
    status = session.storage.stat(path, owner=session.logged_in.name)
    if not stat.S_ISREG(status.st_mode):
        raise IsADirectory(path, "It is not a plain file")
    return status


@command(
    "SIZE", syntax="path", argument=Argument.REQUIRED, path=True, right=Right.LIST, storage=True,
    feature="SIZE",
)  # fmt: skip
def size(session: Session, path: str) -> Reply | Coroutine[Any, Any, Reply]:
    """How many octets RETR would send in the representation that is set (RFC 3659 section 4)."""
    status = _regular(session, path)
    if transmitted_length(session.representation, status.st_size) == status.st_size:
        return Reply(213, str(status.st_size))
    if status.st_size > session.server.settings.ascii_size_limit:
        return Reply(550, "The file is too large to count in this representation; use TYPE I, STRU F and MODE S.")
    return _counted_size(session, path)


async def _counted_size(session: Session, path: str) -> Reply:
    from fairlead.server.encoded import counted

    pieces = counted(session.storage, path, session.representation, session.logged_in.name)
    try:
        octets = await Work(session, "SIZE", path).run(pieces)
    except MismatchError as error:
        return Reply(550, f"{error}.")
    return Reply(213, str(octets))


@command("MDTM", syntax="[time[+minutes] ]path", argument=Argument.REQUIRED, storage=True, feature="MDTM")
def modification_time(session: Session, argument: str) -> Reply:
    """When a file was last modified, in UTC (RFC 3659 section 3); with a time, by custom, sets it.

    A file whose name looks like a time and a path comes first.
    """
    try:
        status = session.storage.stat(permitted(session, argument, Right.LIST))
    except (NotFound, NotADirectory):
        setting = re.fullmatch(SETTING, argument)
        if setting is None:
            raise
        text, zone, name = setting.groups()
        path = permitted(session, name, Right.CHANGE)
        status = session.storage.change(path, modified_ns=parse_time(text) - int(zone or 0) * 60 * SECOND)
        session.server.record_change(session, "MDTM", path, text)
    return Reply(213, format_time(status.st_mtime_ns, fraction=True))


def _mlst_feature(session: Session) -> str:
    return feature_text(session.facts)


@command(
    "MLST", syntax="[path]", argument=Argument.OPTIONAL, path=True, right=Right.LIST, storage=True,
    feature=_mlst_feature,
)  # fmt: skip
def machine_list_one(session: Session, path: str) -> Reply:
    """The facts of one file or directory, on the control connection (RFC 3659 section 7)."""
    from fairlead.server.formats import mlsx_formatter, shown_status

    status, target = shown_status(session, path)
    formatter = mlsx_formatter(session, path)
    return Reply(250, "Facts follow.", f" {formatter.line(path, status, target)}", "End.")


@option("MLST")
def choose_facts(session: Session, argument: str) -> Reply:
    """Choose which facts MLST and MLSD send (RFC 3659 section 7.9)."""
    session.facts = parse_facts(argument)
    return Reply(200, f"MLST OPTS {facts_text(session.facts)}".rstrip())
