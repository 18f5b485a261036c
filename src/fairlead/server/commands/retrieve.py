"""Fetching files: REST and RETR (RFC 959 section 4.1.3, RFC 3659 section 5)."""

from __future__ import annotations

import re
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from fairlead.accounts.base import Right
from fairlead.errors import ArgumentError
from fairlead.proto.reply import Reply
from fairlead.server.marks import PRINTABLE, Mark
from fairlead.server.ranges import Head, check_representation
from fairlead.server.registry import Argument, command
from fairlead.server.sending import send_file

if TYPE_CHECKING:
    from fairlead.server.ranges import Range
    from fairlead.server.session import Session
    from fairlead.storage.base import Source

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
    offset, window = session.offset, session.window
    if window is not None:
        check_representation(session)
    if not session.storage.inline:
        return _retrieve_in_thread(session, path, offset, window)
    return _send(session, path, session.storage.open(path), offset, window)


async def _retrieve_in_thread(session: Session, path: str, offset: int | Mark, window: Range | None) -> Reply:
    source = await session.server.in_thread(session.storage.open, path)
    sent = _send(session, path, source, offset, window)
    return sent if isinstance(sent, Reply) else await sent


def _send(
    session: Session, path: str, source: Source, offset: int | Mark, window: Range | None
) -> Reply | Coroutine[Any, Any, Reply]:
    if window is not None:
        source = Head(source, window.end)
        offset = min(window.start, source.status.st_size)
    return send_file(session, "RETR", path, source, offset)
