"""What RETR and the listings send.

When the representation is the identity the kernel moves the octets (``sendfile``); a small file that is in the page
cache goes out within the turn of the event loop in which its command came.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from enum import Enum
from typing import TYPE_CHECKING

from fairlead.errors import OffsetError
from fairlead.proto.codec import MARKED, Representation, encoder_for, is_identity
from fairlead.proto.reply import Reply
from fairlead.server.data import Connection, RawConnection
from fairlead.server.dtp import SMALL
from fairlead.server.encoded import encoded, encoded_after, file_chunks, start_of, through
from fairlead.server.pump import SendChunks, SendFile
from fairlead.server.transfer import Transfer
from fairlead.server.work import Work

if TYPE_CHECKING:
    from fairlead.server.marks import Mark
    from fairlead.server.session import Session
    from fairlead.storage.base import Source


class Content(Enum):
    """What is sent that is no file, and how it follows the representation that is set."""

    LINES = "lines that end with CR LF: TYPE A, or E where that is set; structure and mode (RFC 1123 section 4.1.2.7)"
    FACTS = "MLSD: not at all, as RFC 3659 section 7.2 says, but for mode Z, where clients expect it compressed"
    PICTURE = "octets: in mode only"


async def send_file(session: Session, verb: str, path: str, source: Source, offset: int | Mark) -> Reply:
    """RETR: the file from the octet ``offset`` of what is transmitted on (RFC 3659 section 5). Closes ``source``."""
    try:
        if not is_identity(session.representation):
            return await _send_encoded(session, verb, path, source, offset)
        assert isinstance(offset, int)  # markers are of block and compressed mode
        size = source.status.st_size
        if offset > size:
            raise OffsetError(path, f"The file has only {size} octets")
        chunk = source.read_cached(SMALL, offset) if size <= SMALL else None
        transfer = Transfer(session, verb, path, size - offset)

        async def move(connection: Connection) -> None:
            if chunk is None and source.fileno() is not None and isinstance(connection, RawConnection):
                await transfer.send(SendFile(connection, source, offset, size), connection, inline=False)
            else:
                chunks = file_chunks(source, offset, chunk)
                await transfer.send(SendChunks(connection, chunks), connection, inline=chunk is not None)

        return await transfer.run(f"Sending {_shown(path)} ({size - offset} bytes).", move)
    finally:
        session.server.release(session.storage, source)


async def send_octets(transfer: Transfer, opening: str, octets: bytes) -> Reply:
    """``octets``, which are all there is, but for those that ``transfer`` has moved already."""
    sent = transfer.moved

    async def move(connection: Connection) -> None:
        await transfer.send(SendChunks(connection, iter((octets[sent:],)), sent), connection, inline=True)

    return await transfer.run(opening, move)


async def _send_encoded(session: Session, verb: str, path: str, source: Source, offset: int | Mark) -> Reply:
    representation = session.representation
    size = source.status.st_size
    start = start_of(path, size, representation, offset)
    first = source.read_cached(SMALL, start.position) if size - start.position <= SMALL else None
    inline = first is not None and _quick(representation)
    if start.skip:  # whether there are as many octets shows only by counting, and must before the 150
        pieces = encoded_after(source, representation, start, session.deflate_level)
        chunks = await Work(session, verb, path).run(pieces)
    else:
        chunks = encoded(source, representation, start.position, first=first, level=session.deflate_level)
    transfer = Transfer(session, verb, path, None)
    move = _sending(transfer, chunks, inline=inline, keep=representation.mode in MARKED)
    return await transfer.run(f"Sending {_shown(path)} in the representation that is set.", move)


def _quick(representation: Representation) -> bool:
    """Whether a small file is made within what a turn of the event loop may take."""
    return representation.mode == "S" or (representation.mode == "B" and representation.structure != "R")


def _sending(
    transfer: Transfer, chunks: Iterator[bytes], *, inline: bool, keep: bool
) -> Callable[[Connection], Awaitable[bytes | None]]:
    """Sends ``chunks``; with ``keep`` they mark their own end, and the connection stays."""

    async def move(connection: Connection) -> bytes | None:
        await transfer.send(SendChunks(connection, chunks), connection, inline=inline, keep=keep)
        return transfer.early if keep else None

    return move


def _shown(path: str) -> str:
    return path.rpartition("/")[2]


async def send_chunks(
    session: Session,
    verb: str,
    path: str,
    chunks: Iterator[bytes],
    *,
    inline: bool,
    content: Content = Content.FACTS,
    opening: str = "Here comes the listing.",
) -> Reply:
    """Octets made on the way; ``inline`` says that making them is quick enough for the event loop."""
    kind, _, structure, mode, _ = session.representation
    if mode != "S" or (content is Content.LINES and (kind == "E" or structure != "F")):
        chunks, mode = _represented(session, chunks, content)
    transfer = Transfer(session, verb, path, None)
    move = _sending(transfer, chunks, inline=inline, keep=mode in MARKED)
    return await transfer.run(opening, move)


def _represented(session: Session, chunks: Iterator[bytes], content: Content) -> tuple[Iterator[bytes], str]:
    """``chunks`` in a representation that changes them, and the mode they then have."""
    kind, _, structure, mode, _ = session.representation
    representation = Representation("I", mode=mode)
    if content is Content.LINES:
        chunks = (lines.replace(b"\r\n", b"\n") for lines in chunks)
        representation = Representation("E" if kind == "E" else "A", "N", structure, mode)
    elif content is Content.FACTS and mode != "Z":
        return chunks, "S"
    return through(encoder_for(representation, level=session.deflate_level), chunks), mode
