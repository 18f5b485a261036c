"""Listings over a data connection: LIST, NLST and MLSD (RFC 959 section 4.1.3, RFC 3659 section 7)."""

from __future__ import annotations

import stat
from collections.abc import Callable
from itertools import chain
from typing import TYPE_CHECKING

from fairlead.accounts.base import Right
from fairlead.errors import ArgumentError
from fairlead.proto.reply import Reply
from fairlead.server.registry import Argument, command
from fairlead.server.sending import Content, send_chunks

if TYPE_CHECKING:
    from fairlead.server.session import Session
    from fairlead.server.tree import Listing


@command("LIST", syntax="[-options] [path]", argument=Argument.OPTIONAL, data=True)
async def list_entries(session: Session, argument: str) -> Reply:
    """List a directory or a file in the format of ls -l; patterns are expanded."""
    from fairlead.server.tree import list_argument

    return await _send_listing(session, "LIST", argument, list_argument)


@command("NLST", syntax="[path]", argument=Argument.OPTIONAL, data=True)
async def list_names(session: Session, argument: str) -> Reply:
    """List names only, as RETR takes them; patterns are expanded."""
    from fairlead.server.tree import name_argument

    return await _send_listing(session, "NLST", argument, name_argument)


async def _send_listing(session: Session, verb: str, argument: str, find: Callable[..., Listing | None]) -> Reply:
    listing = find(session, argument, quick=True) if session.storage.inline else None
    if listing is None:
        listing = await session.server.in_thread(find, session, argument)
    assert listing is not None
    return await send_chunks(session, verb, listing.path, listing.chunks, inline=listing.small, content=Content.LINES)


@command("MLSD", syntax="[path]", argument=Argument.OPTIONAL, path=True, right=Right.LIST, data=True)
async def machine_list(session: Session, path: str) -> Reply:
    """List a directory with the facts of each entry; no options, no patterns."""
    from fairlead.server.formats import mlsd_chunks
    from fairlead.server.tree import SMALL_DIRECTORY

    server, storage = session.server, session.storage
    status = await server.call(storage, storage.stat, path)
    if not stat.S_ISDIR(status.st_mode):
        raise ArgumentError("MLSD lists directories only; MLST tells the facts of a file")
    chunks = mlsd_chunks(session, path, status)
    small = storage.inline and status.st_size <= SMALL_DIRECTORY
    first = next(chunks, b"") if small else await server.in_thread(next, chunks, b"")
    return await send_chunks(session, "MLSD", path, chain((first,), chunks), inline=small)
