"""What STOR, APPE and STOU receive.

The event loop takes a small file itself; what is larger goes on in a thread, by ``splice`` where the representation is
the identity.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fairlead.errors import StorageError
from fairlead.proto.codec import decoder_for, is_identity
from fairlead.proto.reply import Reply
from fairlead.server.data import Connection
from fairlead.server.failures import AbortedError
from fairlead.server.pump import SMALL, Receive, Splice
from fairlead.server.transfer import Transfer

if TYPE_CHECKING:
    from fairlead.server.session import Session
    from fairlead.storage.base import Upload


async def receive_file(
    session: Session, verb: str, path: str, upload: Upload, opening: str, *, held: bytes = b""
) -> Reply:
    """STOR, APPE, STOU: the data into ``upload``, acknowledged only once the store has it whole and durable.

    ``held`` is what the decoder of an earlier transfer held back where this one goes on.
    """
    transfer = Transfer(session, verb, path, None)
    server = session.server
    storage = session.storage

    async def move(connection: Connection) -> None:
        await _receive(transfer, connection, upload, session, held)
        await session.reply_to.hear_out()
        if transfer.aborted:
            raise AbortedError("Transfer aborted")
        transfer.settled = True
        if upload.prompt:
            upload.commit()
        else:
            await server.in_thread(upload.commit)

    reply = await transfer.run(opening, move)
    if isinstance(transfer.error, StorageError):
        await server.call(storage, upload.discard)
    elif transfer.error is not None:
        await server.call(storage, upload.keep)
    return reply


async def _receive(transfer: Transfer, connection: Connection, upload: Upload, session: Session, held: bytes) -> None:
    representation = session.representation
    receive = Receive(connection, upload, decoder_for(representation, held=held))
    receive.budget = SMALL if session.storage.inline else 0
    while not receive.run(0):
        if receive.moved >= receive.budget:
            break
        await transfer.ready(receive, connection)
    else:
        transfer.account_for(receive)
        return
    if not is_identity(representation) or upload.fileno() is None:
        receive.budget = None
        await transfer.pump(receive, connection)
        return
    splice = Splice(connection, upload, session.server.pipes)
    splice.moved = receive.moved
    whole = False
    try:
        await transfer.pump(splice, connection)
        whole = True
    finally:
        splice.close(whole=whole)
