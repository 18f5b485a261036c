"""SITE and its subcommands: HELP, CHMOD, UTIME (RFC 959 section 4.1.3; the rest is custom)."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from fairlead.accounts.base import Right
from fairlead.errors import ArgumentError
from fairlead.proto.reply import Reply
from fairlead.proto.times import parse_time
from fairlead.server.dispatch import in_thread
from fairlead.server.registry import SITE, Argument, command, site
from fairlead.server.rights import permitted

if TYPE_CHECKING:
    from fairlead.server.session import Session

SETTABLE = 0o1777
"""Permission bits that CHMOD sets; set-user-id and set-group-id are never among them."""
OCTAL = frozenset("01234567")
LONGEST_MODE = 5
TIME_WITHOUT_SECONDS = 12


@command("SITE", syntax="subcommand [arguments]", argument=Argument.REQUIRED)
def site_command(session: Session, argument: str) -> Reply | Coroutine[Any, Any, Reply]:
    """Commands beyond the standards; SITE HELP lists them."""
    name, _, rest = argument.partition(" ")
    spec = SITE.get(name.upper())
    if spec is None:
        return Reply(501, f"SITE {name[:20]} is not known; see SITE HELP.")
    if spec.storage and not session.storage.inline:
        return in_thread(session, spec.handler, rest)
    return spec.handler(session, rest)


@site("HELP", syntax="")
def site_help(_: Session, __: str) -> Reply:
    """List the subcommands."""
    return Reply(
        214, "SITE takes:", *(f" {name} {spec.syntax}".rstrip() for name, spec in sorted(SITE.items())), "End."
    )


@site("CHMOD", syntax="mode path", storage=True)
def change_mode(session: Session, argument: str) -> Reply:
    """Set the permission bits of a file or directory."""
    text, _, name = argument.partition(" ")
    if not name or not text or not set(text) <= OCTAL or len(text) > LONGEST_MODE:
        raise ArgumentError("SITE CHMOD takes an octal mode and a path")
    path = permitted(session, name, Right.CHANGE)
    session.storage.change(path, mode=int(text, 8) & SETTABLE)
    session.server.record_change(session, "SITE CHMOD", path, text)
    return Reply(200, "Mode changed.")


@site("UTIME", syntax="YYYYMMDDhhmm[ss] path | path atime mtime ctime UTC", storage=True)
def change_times(session: Session, argument: str) -> Reply:
    """Set the modification time of a file, in the short or the long form."""
    words = argument.split(" ")
    if len(words) >= 5 and words[-1].upper() == "UTC":
        accessed, modified = (_moment(word) for word in words[-4:-2])
        name = " ".join(words[:-4])
    else:
        modified = _moment(words[0])
        accessed = modified
        name = " ".join(words[1:])
    if not name:
        raise ArgumentError("SITE UTIME takes a time and a path")
    path = permitted(session, name, Right.CHANGE)
    session.storage.change(path, modified_ns=modified, accessed_ns=accessed)
    session.server.record_change(session, "SITE UTIME", path, str(modified))
    return Reply(200, "Times changed.")


def _moment(text: str) -> int:
    return parse_time(text + "00" if len(text) == TIME_WITHOUT_SECONDS else text)
