"""What STOR, APPE and STOU receive.

The event loop takes a small file itself; what is larger goes on in a thread, by ``splice`` where the representation is
the identity.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from fairlead.errors import StorageError
from fairlead.proto.codec import decoder_for, is_identity
from fairlead.proto.reply import Reply
from fairlead.server.data import Connection, RawConnection
from fairlead.server.dtp import SMALL
from fairlead.server.failures import AbortedError
from fairlead.server.marks import Mark
from fairlead.server.pump import RECEIVE_CHUNK, Collect, Pump, Receive, ReceiveFramed, Splice
from fairlead.server.transfer import Transfer

if TYPE_CHECKING:
    from fairlead.proto.codec.base import Decoder
    from fairlead.server.session import Session
    from fairlead.storage.base import Upload


async def receive_file(
    session: Session, verb: str, path: str, upload: Upload, opening: str, *, decoder: Decoder | None = None
) -> Reply:
    """STOR, APPE, STOU: the data into ``upload``, acknowledged only once the store has it whole and durable.

    ``decoder`` is one that had what was stored before, for an upload that goes on.
    """
    return await receive(Transfer(session, verb, path, None, receives=True), session, upload, opening, decoder)


async def receive(
    transfer: Transfer, session: Session, upload: Upload, opening: str, decoder: Decoder | None = None
) -> Reply:
    """The same by a ``transfer`` that may have moved some already."""
    server = session.server
    storage = session.storage

    async def move(connection: Connection) -> bytes | None:
        early = await _receive(transfer, connection, upload, session, decoder or decoder_for(session.representation))
        if early is None and not isinstance(connection, RawConnection):
            with suppress(OSError):  # who has sent all may be gone
                connection.end()
        await session.reply_to.hear_out()
        if transfer.aborted:
            raise AbortedError("Transfer aborted")
        transfer.settled = True
        await server.commits.commit(upload)
        return early

    reply = await transfer.run(opening, move)
    if isinstance(transfer.error, StorageError):
        await server.call(storage, upload.discard)
    elif transfer.error is not None:
        await server.call(storage, upload.keep)
    return reply


async def _receive(
    transfer: Transfer, connection: Connection, upload: Upload, session: Session, decoder: Decoder
) -> bytes | None:
    """The data, all of them; what came of the next transfer, where the connection stays for it."""
    representation = session.representation
    if representation.mode != "S" or transfer.early:
        return await _receive_framed(transfer, connection, upload, session, decoder)
    if is_identity(representation) and upload.fileno() is not None and isinstance(connection, RawConnection):
        await _receive_octets(transfer, connection, upload, session)
        return None
    receive = Receive(connection, upload, decoder, transfer.moved)
    transfer.count(receive)
    # Records and pages can be so short that even few octets take the event loop too long.
    receive.budget = SMALL if session.storage.inline and representation.structure == "F" else 0
    while not receive.run(0):
        if receive.moved >= receive.budget:
            break
        await transfer.ready(receive, connection)
    else:
        return None
    receive.budget = None
    pump: Pump = receive
    if is_identity(representation) and not isinstance(connection, RawConnection):
        from fairlead.server.decrypting import Decrypt  # noqa: PLC0415 - many servers have no TLS

        pump = Decrypt(connection, upload, receive.moved)
    await transfer.pump(pump, connection)
    return None


async def _receive_octets(transfer: Transfer, connection: RawConnection, upload: Upload, session: Session) -> None:
    """The same where the octets are those of the file."""
    server = session.server
    if session.storage.inline and transfer.moved < SMALL:
        collect = Collect(connection, upload, transfer.path, server.pool.dtp, transfer.moved)
        transfer.count(collect)
        if transfer.drained:
            await transfer.ready(collect, connection)
        while not collect.run(0):
            if collect.moved >= SMALL:
                break
            await transfer.ready(collect, connection)
        else:
            return
    splice = Splice(connection, upload, server.pipes)
    splice.moved = transfer.moved
    whole = False
    try:
        await transfer.pump(splice, connection)
        whole = True
    finally:
        splice.close(whole=whole)


async def _receive_framed(
    transfer: Transfer, connection: Connection, upload: Upload, session: Session, decoder: Decoder
) -> bytes | None:
    """The same where data can expand, mark their own end and hold restart markers (RFC 1123 section 4.1.3.4)."""
    representation = session.representation
    # A short input that expands to a long output must not keep a thread from noticing that the transfer was stopped.
    size = SMALL if representation.mode == "Z" else RECEIVE_CHUNK
    receive = ReceiveFramed(connection, upload, decoder, transfer.early, size, answers=representation.structure != "P")
    while not receive.done:
        await transfer.pump(receive, connection)
        # Who does not read the replies gets no more of them.
        if receive.marker and not session.reply_to.writing_paused:
            mark = Mark.at(upload.position, representation, decoder.held)
            session.reply(Reply(110, f"MARK {receive.marker} = {mark.text()}"))
    if decoder.suspect:
        session.server.notice(session, "suspect-data", f"the sender of {transfer.path} called some of it suspect")
    return decoder.unused if representation.mode in {"B", "C"} else None
