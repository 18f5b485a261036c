"""Directories and names: CWD, CDUP, PWD, MKD, RMD, DELE, RNFR, RNTO and their X forms (RFC 959, RFC 1123 4.1.3.1)."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

from fairlead.accounts.base import Right
from fairlead.errors import Denied, NotADirectory, NotFound
from fairlead.proto.path import join, quote, resolve, split
from fairlead.proto.reply import Reply
from fairlead.server.permissions import SEARCH, permits
from fairlead.server.registry import Argument, command

if TYPE_CHECKING:
    from fairlead.server.session import Session


@command("CWD", syntax="path", argument=Argument.REQUIRED, storage=True, aliases=("XCWD",))
def change_directory(session: Session, argument: str) -> Reply:
    """Change the working directory; ``~`` is the home of the account."""
    return _enter(session, session.logged_in.home if argument == "~" else resolve(session.cwd, argument))


@command("CDUP", storage=True, aliases=("XCUP",))
def change_to_parent(session: Session, _: str) -> Reply:
    """Change to the parent; that of the root is the root."""
    return _enter(session, split(session.cwd)[0])


def _enter(session: Session, path: str) -> Reply:
    if not session.logged_in.rights(path):
        raise Denied(path)
    status = session.storage.stat(path)
    if not stat.S_ISDIR(status.st_mode):
        raise NotADirectory(path)
    if not permits(status, SEARCH):
        _exists(session, join(path, "any"))  # the bits need not be all: whether it can be searched shows inside
    session.cwd = path
    return Reply(250, f"The working directory is now {path}")


@command("PWD", aliases=("XPWD",))
def print_directory(session: Session, _: str) -> Reply:
    """Name the working directory."""
    return Reply(257, f"{quote(session.cwd)} is the working directory.")


@command(
    "MKD", syntax="path", argument=Argument.REQUIRED, path=True, right=Right.MKDIR, storage=True, aliases=("XMKD",)
)
def make_directory(session: Session, path: str) -> Reply:
    """Make a directory; the reply names it by its whole path (RFC 959 appendix II)."""
    session.storage.mkdir(path)
    session.server.record_change(session, "MKD", path)
    return Reply(257, f"{quote(path)} created.")


@command(
    "RMD", syntax="path", argument=Argument.REQUIRED, path=True, right=Right.DELETE, storage=True, aliases=("XRMD",)
)
def remove_directory(session: Session, path: str) -> Reply:
    """Remove an empty directory."""
    session.storage.rmdir(path)
    session.server.record_change(session, "RMD", path)
    return Reply(250, "Directory removed.")


@command("DELE", syntax="path", argument=Argument.REQUIRED, path=True, right=Right.DELETE, storage=True)
def delete(session: Session, path: str) -> Reply:
    """Remove a file."""
    session.storage.remove(path)
    session.server.record_change(session, "DELE", path)
    return Reply(250, "File removed.")


@command("RNFR", syntax="path", argument=Argument.REQUIRED, path=True, right=Right.RENAME, storage=True)
def rename_from(session: Session, path: str) -> Reply:
    """Name what is to be renamed; RNTO must come next. What has rules of its own inside stays where they hold."""
    if session.logged_in.rules_below(path):
        raise Denied(path)
    session.storage.stat(path, follow=False)
    session.rename_from = path
    session.pending = "RNFR"
    return Reply(350, "It exists; send RNTO with the new name.")


@command("RNTO", syntax="path", argument=Argument.REQUIRED, path=True, after="RNFR", right=Right.RENAME, storage=True)
def rename_to(session: Session, path: str) -> Reply:
    """Give what RNFR named its new name; a file that has it is replaced, a directory is not."""
    source, session.rename_from = session.rename_from, ""
    if session.needs_account:
        return Reply(532, "Send the account with ACCT before renaming.")
    if not session.logged_in.allows(path, Right.OVERWRITE) and _exists(session, path):
        raise Denied(path)
    session.storage.rename(source, path)
    session.server.record_change(session, "RNTO", source, path)
    return Reply(250, "Renamed.")


def _exists(session: Session, path: str) -> bool:
    try:
        session.storage.stat(path, follow=False)
    except NotFound:
        return False
    return True
