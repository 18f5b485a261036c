"""Subcommands of SITE that make files: SYMLINK, CPFR and CPTO."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

from fairlead.accounts.base import Right
from fairlead.errors import ArgumentError, Denied, IsADirectory
from fairlead.proto.path import leaves_root, resolve, split
from fairlead.proto.reply import Reply
from fairlead.proto.words import split_words
from fairlead.server.registry import site
from fairlead.server.rights import check_account, check_storing, permitted
from fairlead.server.work import Work
from fairlead.storage.base import Intent

if TYPE_CHECKING:
    from fairlead.server.session import Session


@site("SYMLINK", syntax="target link", storage=True)
def link(session: Session, argument: str) -> Reply:
    """Make a link; a relative target counts from the directory of the link.

    Only accounts whose rights are the same everywhere may: a link would lead around rules.
    """
    words = split_words(argument)
    if len(words) != 2:
        raise ArgumentError("SITE SYMLINK takes a target and the name of the link")
    target, name = words
    check_account(session)
    path = permitted(session, name, Right.CREATE)
    if session.logged_in.rules_below("/"):
        raise Denied(path)
    parent = split(path)[0]
    if leaves_root(parent, target):
        raise Denied(path, "The link would lead out of the tree")
    session.storage.symlink(resolve(parent, target), path)
    session.server.record_change(session, "SITE SYMLINK", path, target)
    return Reply(200, "Link made.")


@site("CPFR", syntax="path", storage=True)
def copy_from(session: Session, argument: str) -> Reply:
    """Name the file that SITE CPTO copies."""
    session.copy_from = ""
    if not argument:
        raise ArgumentError("SITE CPFR takes a path")
    path = permitted(session, argument, Right.READ)
    if not stat.S_ISREG(session.storage.stat(path).st_mode):
        raise IsADirectory(path, "It is not a plain file")
    session.copy_from = path
    return Reply(350, "It exists; send SITE CPTO with the name of the copy.")


@site("CPTO", syntax="path")
async def copy_to(session: Session, argument: str) -> Reply:
    """Copy what SITE CPFR named; a file that has the name is replaced."""
    from fairlead.server.copying import copy_files

    source, session.copy_from = session.copy_from, ""
    if not source:
        return Reply(503, "Send SITE CPFR first.")
    if not argument:
        raise ArgumentError("SITE CPTO takes a path")
    check_account(session)
    path = resolve(session.cwd, argument)
    await check_storing(session, path)
    pieces = copy_files(session.storage, [source], path, intent=Intent.REPLACE, owner=session.logged_in.name)
    await Work(session, "SITE CPTO", path).run(pieces)
    session.server.record_change(session, "SITE CPTO", path, source)
    return Reply(250, "Copied.")
