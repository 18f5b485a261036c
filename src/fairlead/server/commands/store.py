"""Storing files: STOR, APPE, STOU and ALLO (RFC 959 section 4.1.3, RFC 1123 section 4.1.2.9)."""

from __future__ import annotations

import os
from collections.abc import Coroutine
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from fairlead.accounts.base import Right
from fairlead.errors import AlreadyExists, ArgumentError, Denied, MismatchError, NotFound
from fairlead.proto.codec import decoder_for, is_identity, transmitted_length
from fairlead.proto.path import join, resolve, split
from fairlead.proto.reply import Reply
from fairlead.server.encoded import resumed
from fairlead.server.marks import Mark
from fairlead.server.prompt import receive_new
from fairlead.server.ranges import Stretch, check_representation
from fairlead.server.receiving import receive_file
from fairlead.server.registry import Argument, command
from fairlead.server.rights import BOTH, check_storing
from fairlead.server.work import Work
from fairlead.storage.base import Intent

if TYPE_CHECKING:
    from fairlead.proto.codec.base import Decoder
    from fairlead.server.ranges import Range
    from fairlead.server.session import Session

NEED_ACCOUNT = Reply(532, "Send the account with ACCT before storing files.")
TRIES = 5


@command("STOR", syntax="path", argument=Argument.REQUIRED, path=True, data=True)
def store(session: Session, path: str) -> Reply | Coroutine[Any, Any, Reply]:
    """Store a file under its name; it shows there only once it is whole."""
    account, storage = session.logged_in, session.storage
    if (
        storage.inline
        and not session.offset
        and session.window is None
        and is_identity(session.representation)
        and account.allows(path, BOTH)
        and not session.needs_account
    ):
        upload = storage.create(path, intent=Intent.REPLACE, owner=account.name)
        return receive_new(session, "STOR", path, upload)
    return _store(session, "STOR", path, Intent.REPLACE)


@command("APPE", syntax="path", argument=Argument.REQUIRED, path=True, data=True)
async def append(session: Session, path: str) -> Reply:
    """Append to a file, or make it; after REST it is STOR (RFC 3659 section 5.3)."""
    return await _store(session, "APPE", path, Intent.REPLACE if session.offset else Intent.APPEND)


async def _store(session: Session, verb: str, path: str, intent: Intent) -> Reply:
    if session.needs_account:
        return NEED_ACCOUNT
    await check_storing(session, path)
    if session.window is not None:
        return await _store_range(session, verb, path, session.window)
    server, storage = session.server, session.storage
    owner = session.logged_in.name
    offset, decoder = 0, None
    if session.offset:
        offset, decoder = await _resumption(session, verb, path)
    elif intent is Intent.APPEND and session.representation.type == "L":
        await _check_whole(session, path)
    if offset or intent is Intent.APPEND:
        # What the file holds may have to be copied first, which takes as long as the file is large.
        upload = await server.in_thread(storage.create, path, intent=intent, owner=owner, offset=offset)
    elif storage.inline:
        upload = storage.create(path, intent=intent, owner=owner)
    else:
        upload = await server.in_thread(storage.create, path, intent=intent, owner=owner)
    return await receive_file(session, verb, path, upload, f"Ready for {split(path)[1]}.", decoder=decoder)


async def _resumption(session: Session, verb: str, path: str) -> tuple[int, Decoder | None]:
    """Where in the file the upload goes on that REST asked for, and its decoder where that must know what came before.

    Raises StorageError, OffsetError and MismatchError where the offset or the marker is of no use.
    """
    offset, representation = session.offset, session.representation
    if isinstance(offset, Mark):
        offset.check(path, representation)
        return offset.position, decoder_for(representation, held=offset.held)
    if transmitted_length(representation, offset) is not None:
        return offset, None
    pieces = resumed(session.storage, path, representation, offset, session.logged_in.name)
    return await Work(session, verb, path).run(pieces)


async def _check_whole(session: Session, path: str) -> None:
    """Raise MismatchError where the file ends inside a logical byte, so that no other could follow it."""
    size = session.representation.size
    storage = session.storage
    with suppress(NotFound):
        status = await session.server.call(storage, storage.stat, path, owner=session.logged_in.name)
        if status.st_size * 8 % size:
            message = f"The file holds no whole number of logical bytes of {size} bits"
            raise MismatchError(message)


async def _store_range(session: Session, verb: str, path: str, window: Range) -> Reply:
    """STOR and APPE after RANG: the octets of the range change, all else stays (draft-bryan-ftp-range section 4.3)."""
    check_representation(session)
    upload = await session.server.in_thread(
        session.storage.create, path, intent=Intent.UPDATE, owner=session.logged_in.name, offset=window.start
    )
    opening = f"Ready to write over {window.end - window.start} bytes of {split(path)[1]}."
    return await receive_file(session, verb, path, Stretch(upload, window.end), opening)


@command("STOU", syntax="[hint]", argument=Argument.OPTIONAL, data=True)
async def store_unique(session: Session, hint: str) -> Reply:
    """Store under a name that nothing has, told in the 150 reply; what is given is only a hint for it."""
    if session.needs_account:
        return NEED_ACCOUNT
    storage, account = session.storage, session.logged_in
    parent, stem = split(resolve(session.cwd, hint)) if hint else (session.cwd, "")
    for _ in range(TRIES):
        name = f"{stem or 'stou'}.{os.urandom(6).hex()}"
        path = join(parent, name)
        if not account.allows(path, Right.CREATE):
            raise Denied(path)
        try:
            upload = await session.server.call(storage, storage.create, path, intent=Intent.UNIQUE, owner=account.name)
        except AlreadyExists:
            continue
        shown = name if parent == session.cwd else path
        return await receive_file(session, "STOU", path, upload, f"FILE: {shown}")
    raise AlreadyExists(parent, "No unique name could be made")


@command("ALLO", syntax="size [R size]", argument=Argument.REQUIRED)
def allocate(_: Session, argument: str) -> Reply:
    """Nothing is to be reserved here; the numbers are checked all the same."""
    words = argument.upper().split(" ")
    numbers = words[:1] + words[2:]
    well_formed = len(words) == 1 or (len(words) == 3 and words[1] == "R")
    if not well_formed or not all(number.isascii() and number.isdecimal() for number in numbers):
        raise ArgumentError("ALLO takes a size, and R with a record size")
    return Reply(202, "No storage needs to be allocated.")
