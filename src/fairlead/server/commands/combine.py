"""Putting a file together from parts that were uploaded one by one: COMB (GlobalSCAPE)."""

from __future__ import annotations

import stat
from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING

from fairlead.accounts.base import Right
from fairlead.errors import ArgumentError, IsADirectory
from fairlead.proto.reply import Reply
from fairlead.proto.words import split_words
from fairlead.server.registry import Argument, command
from fairlead.server.rights import check_account, check_storing, permitted
from fairlead.server.work import Work
from fairlead.storage.base import Intent

if TYPE_CHECKING:
    from fairlead.server.session import Session
    from fairlead.storage.base import Storage


@command("COMB", syntax='"target" "part"...', argument=Argument.REQUIRED, feature="COMB target;source_list")
async def combine(session: Session, argument: str) -> Reply:
    """Append parts to a file in the order given, or make it of them; the parts are removed then."""
    target, *parts = [permitted(session, name, Right.NONE) for name in split_words(argument)] or [""]
    if not parts or len({target, *parts}) <= len(parts):
        raise ArgumentError("COMB takes a target and its parts, each another file")
    check_account(session)
    for part in parts:
        permitted(session, part, Right.READ | Right.DELETE)
    await check_storing(session, target)
    storage = session.storage
    await Work(session, "COMB", target).run(_pieces(storage, parts, target, session.logged_in.name))
    session.server.record_change(session, "COMB", target, f"{len(parts)} parts")
    await session.server.in_thread(_remove, storage, parts)
    return Reply(250, f"Put together: {len(parts)} parts.")


def _pieces(storage: Storage, parts: Sequence[str], target: str, owner: str) -> Generator[int, None, None]:
    from fairlead.server.copying import copy_files

    for part in parts:
        if not stat.S_ISREG(storage.stat(part).st_mode):
            raise IsADirectory(part, "A part is no plain file")
    yield from copy_files(storage, parts, target, intent=Intent.APPEND, owner=owner)


def _remove(storage: Storage, paths: Sequence[str]) -> None:
    for path in paths:
        storage.remove(path)
