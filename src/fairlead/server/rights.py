"""What an account may do, where that shows only from the argument or from the tree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fairlead.accounts.base import Right
from fairlead.errors import Denied, NotFound
from fairlead.proto.path import resolve

if TYPE_CHECKING:
    from fairlead.server.session import Session

BOTH = Right.CREATE | Right.OVERWRITE


def permitted(session: Session, name: str, right: Right) -> str:
    """The path that a client calls ``name``. Raises Denied where the account lacks ``right`` on it."""
    path = resolve(session.cwd, name)
    if not session.logged_in.allows(path, right):
        raise Denied(path)
    return path


def check_account(session: Session) -> None:
    """Raises Denied where an ACCT is still to come before anything is stored."""
    if session.needs_account:
        raise Denied(detail="Send the account with ACCT before storing files")


async def check_storing(session: Session, path: str) -> None:
    """Raises Denied where the account must not make the file, or not change it where it exists.

    These are two rights; only who lacks one of them costs a look.
    """
    account = session.logged_in
    if account.allows(path, BOTH):
        return
    storage = session.storage
    try:
        await session.server.call(storage, storage.stat, path, follow=False)
    except NotFound:
        needed = Right.CREATE
    else:
        needed = Right.OVERWRITE
    if not account.allows(path, needed):
        raise Denied(path)
