"""Space: AVBL, DSIZ and RMDA (draft-peterson-streamlined-ftp-command-extensions)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fairlead.accounts.base import Right
from fairlead.errors import Denied
from fairlead.proto.reply import Reply
from fairlead.server.registry import Argument, command
from fairlead.server.work import Work

if TYPE_CHECKING:
    from fairlead.server.session import Session


@command(
    "AVBL", syntax="[directory]", argument=Argument.OPTIONAL, path=True, right=Right.LIST, storage=True,
    feature="AVBL",
)  # fmt: skip
def available(session: Session, path: str) -> Reply:
    """How many octets can still be stored in a directory."""
    return Reply(213, str(session.storage.free(path)))


@command("DSIZ", syntax="[directory]", argument=Argument.OPTIONAL, path=True, right=Right.LIST, feature="DSIZ")
async def directory_size(session: Session, path: str) -> Reply:
    """How many octets the files in a directory and below have together."""
    from fairlead.server.walking import tree_size

    pieces = tree_size(session.storage, session.logged_in, path)
    return Reply(213, str(await Work(session, "DSIZ", path).run(pieces)))


@command(
    "RMDA", syntax="directory", argument=Argument.REQUIRED, path=True, right=Right.DELETE, feature="RMDA <path>"
)  # fmt: skip
async def remove_all(session: Session, path: str) -> Reply:
    """Remove a directory with all in it; a link is removed itself, never what it leads to."""
    from fairlead.server.walking import Removal

    if path == "/" or session.logged_in.rules_below(path):
        raise Denied(path)
    removal = Removal(session.storage, path)
    try:
        await Work(session, "RMDA", path).run(removal.pieces())
    finally:
        if removal.removed:
            session.server.record_change(session, "RMDA", path, f"{removal.removed} entries")
    return Reply(250, f"Removed, with all in it: {removal.removed} entries.")
