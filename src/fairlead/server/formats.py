"""Listing formats as one session sees them: names of owners, the date zone, and the rights of its account."""

from __future__ import annotations

import grp
import os
import pwd
import stat
import time
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from fairlead.accounts.base import Right
from fairlead.errors import StorageError
from fairlead.proto.listing.unix import UnixFormatter
from fairlead.proto.path import join, split
from fairlead.server.permissions import READ, SEARCH, WRITE, identity, permits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fairlead.proto.listing.mlsx import MlsxFormatter
    from fairlead.server.session import Session


@lru_cache(maxsize=1024)
def owner_name(uid: int) -> str:
    """The user's name on this machine, or the number."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


@lru_cache(maxsize=1024)
def group_name(gid: int) -> str:
    """The group's name on this machine, or the number."""
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)


def unix_formatter(session: Session) -> UnixFormatter:
    """A formatter for one LIST or STAT."""
    return UnixFormatter(now=time.time(), owner=owner_name, group=group_name, utc=session.server.settings.time_zone_utc)


def removable(status: os.stat_result, parent: os.stat_result) -> bool:
    """Whether the permission bits let this process rename or remove what lies in the directory ``parent``."""
    if not permits(parent, WRITE | SEARCH):
        return False
    return not parent.st_mode & stat.S_ISVTX or identity()[0] in {0, status.st_uid, parent.st_uid}


def perm_letters(status: os.stat_result, rights: Right, parent: os.stat_result | None, *, movable: bool = True) -> str:
    """The perm fact: what these rights let the account do with an object (RFC 3659 section 7.5.5).

    ``parent`` is None for the root of the tree; what is not ``movable`` has rules of its own inside.
    """
    is_removable = parent is not None and removable(status, parent)
    letters = {
        "d": rights & Right.DELETE and is_removable,
        "f": rights & Right.RENAME and is_removable and movable,
    }
    if stat.S_ISDIR(status.st_mode):
        changeable = permits(status, WRITE | SEARCH)
        letters |= {
            "c": rights & Right.CREATE and changeable,
            "e": rights and permits(status, SEARCH),
            "l": rights & Right.LIST and permits(status, READ),
            "m": rights & Right.MKDIR and changeable,
            "p": rights & Right.DELETE and changeable,
        }
    elif stat.S_ISREG(status.st_mode):
        writable = rights & Right.OVERWRITE and is_removable and permits(status, WRITE)
        letters |= {
            "a": writable and permits(status, READ),
            "r": rights & Right.READ and permits(status, READ),
            "w": writable,
        }
    return "".join(sorted(letter for letter, granted in letters.items() if granted))


def mlsx_formatter(session: Session, path: str) -> MlsxFormatter:
    """A formatter for MLST of ``path``."""
    account = session.logged_in
    parent = session.storage.stat(split(path)[0]) if path != "/" else None
    movable = not account.rules_below(path)
    return _formatter(session, account.rights(path), parent, movable=movable, follow=lambda _: None)


def _formatter(
    session: Session,
    rights: Right,
    parent: os.stat_result | None,
    *,
    movable: bool,
    follow: Callable[[str], os.stat_result | None],
) -> MlsxFormatter:
    from fairlead.proto.listing.mlsx import MlsxFormatter  # noqa: PLC0415 - LIST does without

    return MlsxFormatter(
        facts=session.facts,
        perm=lambda status: perm_letters(status, rights, parent, movable=movable),
        owner=owner_name,
        group=group_name,
        follow=follow,
    )


def mlsd_chunks(session: Session, path: str, status: os.stat_result) -> Iterator[bytes]:
    """The lines of MLSD for the directory ``path`` with status ``status``, batch by batch.

    Links show as what they lead to (RFC 3659 section 7.5.1.5); one that leads nowhere shows as a link.
    """
    account, storage = session.logged_in, session.storage

    def follow(name: str) -> os.stat_result | None:
        try:
            return storage.stat(join(path, name))
        except StorageError:
            return None

    @cache
    def formatter(rights: Right, movable: bool) -> MlsxFormatter:
        return _formatter(session, rights, status, movable=movable, follow=follow)

    if not account.rules_below(path):
        yield from storage.lines(path, formatter(account.rights(path), movable=True))
        return
    for batch in storage.scan(path):
        for item in batch:
            inner = join(path, item.name)
            if rights := account.rights(inner):
                movable = not account.rules_below(inner)
                yield formatter(rights, movable).lines([item])


def shown_status(session: Session, path: str) -> tuple[os.stat_result, str | None]:
    """The status MLST shows for ``path``: that of what a link leads to, or of a dangling link itself and its text.

    A partial upload of the account's own counts as the file while there is none. Raises StorageError.
    """
    try:
        return session.storage.stat(path, owner=session.logged_in.name), None
    except StorageError:
        _, status, target = session.storage.entry(path)
        return status, target or ""
