"""Fetching files: REST and RETR (RFC 959 section 4.1.3, RFC 3659 section 5)."""

from __future__ import annotations

import re
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from fairlead.accounts.base import Right
from fairlead.errors import ArgumentError
from fairlead.proto.codec import is_identity
from fairlead.proto.reply import Reply
from fairlead.server.dtp import SMALL
from fairlead.server.marks import PRINTABLE, Mark
from fairlead.server.prompt import send_whole
from fairlead.server.ranges import Head, check_representation
from fairlead.server.registry import Argument, command
from fairlead.server.sending import send_file

if TYPE_CHECKING:
    from fairlead.server.session import Session

DIGITS = 19
"""An offset with more digits lies beyond every file, wherever exactly."""


@command("REST", syntax="offset | marker", argument=Argument.REQUIRED, feature="REST STREAM")
def restart(session: Session, argument: str) -> Reply:
    """Say where the next transfer begins; what that is worth shows only there.

    In stream mode and mode Z it is an octet of what stream mode transmits, in block and compressed mode a marker that
    this server made (RFC 3659 section 5, RFC 1123 section 4.1.3.4).
    """
    if session.representation.mode in {"B", "C"} and argument != "0":
        if not re.fullmatch(PRINTABLE, argument.encode("utf-8", "surrogateescape")):
            raise ArgumentError("A restart marker is printable and has no spaces")
        session.restart = Mark.parse(argument)
        return Reply(350, f"Restarting at marker {argument[:40]}; send the transfer command.")
    if not (argument.isascii() and argument.isdecimal()):
        raise ArgumentError("REST takes a number of octets")
    digits = argument.lstrip("0")
    session.restart = int(digits or "0") if len(digits) <= DIGITS else 10**DIGITS
    return Reply(350, f"Restarting at {session.restart}; send the transfer command.")


@command("RETR", syntax="path", argument=Argument.REQUIRED, path=True, right=Right.READ, data=True)
def retrieve(session: Session, path: str) -> Reply | Coroutine[Any, Any, Reply]:
    """Send a file."""
    if session.storage.inline and not session.offset and session.window is None and is_identity(session.representation):
        octets = session.storage.whole(path, SMALL)
        if octets is not None:
            return send_whole(session, "RETR", path, octets)
        return _retrieve(session, path, inline=False)  # to find it may take a disk
    return _retrieve(session, path, inline=session.storage.inline)


async def _retrieve(session: Session, path: str, *, inline: bool) -> Reply:
    offset, storage = session.offset, session.storage
    if session.window is not None:
        check_representation(session)
    source = storage.open(path) if inline else await session.server.in_thread(storage.open, path)
    if session.window is not None:
        source = Head(source, session.window.end)
        offset = min(session.window.start, source.status.st_size)
    return await send_file(session, "RETR", path, source, offset)
