"""Subcommands of SITE about the session and the others: UMASK, IDLE, WHO."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from fairlead.accounts.base import Right
from fairlead.errors import ArgumentError, Denied
from fairlead.proto.reply import Reply
from fairlead.server.registry import site

if TYPE_CHECKING:
    from fairlead.server.session import Session
    from fairlead.server.transfer import Transfer
    from fairlead.server.work import Work

OCTAL = frozenset("01234567")
PERMISSIONS = 0o777
LONGEST_MASK = 4
LONGEST_TIME = 9
"""Digits."""


@site("UMASK", syntax="[nnn]")
def mask(session: Session, argument: str) -> Reply:
    """Show or set the permission bits that new files and directories of this session do not get."""
    if argument:
        if not set(argument) <= OCTAL or len(argument) > LONGEST_MASK or int(argument, 8) > PERMISSIONS:
            raise ArgumentError("SITE UMASK takes an octal number of at most 777")
        if not session.logged_in.allows(session.cwd, Right.CHANGE):
            raise Denied(session.cwd)
        session.storage = session.storage.with_umask(int(argument, 8))
    return Reply(200, f"The umask is {session.storage.umask:03o}.")


@site("IDLE", syntax="[seconds]")
def idle_time(session: Session, argument: str) -> Reply:
    """Show or set how long the session may be idle."""
    longest = max(session.server.settings.max_idle_timeout, session.server.settings.idle_timeout)
    if argument:
        if not (argument.isascii() and argument.isdecimal()) or len(argument) > LONGEST_TIME:
            raise ArgumentError("SITE IDLE takes a number of seconds")
        if not 1 <= int(argument) <= longest:
            raise ArgumentError(f"The session may be idle for 1 to {longest:g} seconds")
        session.allow_idle(float(argument))
    return Reply(200, f"The session may be idle for {session.idle_timeout:g} seconds; at most for {longest:g}.")


@site("WHO", syntax="")
def who(session: Session, argument: str) -> Reply:
    """List the sessions of this process, for administrators."""
    if argument:
        raise ArgumentError("SITE WHO takes no argument")
    if not session.logged_in.admin:
        raise Denied(detail="Only administrators see the other sessions")
    return Reply(200, "The sessions:", *_sessions(session), "End.")


def _sessions(session: Session) -> Iterator[str]:
    now = session.server.loop.time()
    for other in sorted(session.server.sessions(), key=lambda each: each.number):
        user = other.user if other.account is not None else "-"
        work = other.transfer
        doing = "-" if work is None else f"{work.verb} {work.path}, {_progress(work)} octets"
        yield f" {user} {other.peer[0]} {now - other.started:.0f}s {doing}"


def _progress(work: Transfer | Work) -> str:
    return f"{work.moved}" if work.total is None else f"{work.moved} of {work.total}"
