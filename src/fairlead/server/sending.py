"""What RETR and the listings send.

When the representation is the identity the kernel moves the octets (``sendfile``); a small file that is in the page
cache goes out within the turn of the event loop in which its command came.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import TYPE_CHECKING

from fairlead.errors import OffsetError
from fairlead.proto.codec import encoder_for, is_identity
from fairlead.proto.reply import Reply
from fairlead.server.data import Connection
from fairlead.server.pump import SMALL, SendChunks, SendFile
from fairlead.server.transfer import Transfer

if TYPE_CHECKING:
    from fairlead.proto.codec.base import Encoder
    from fairlead.server.session import Session
    from fairlead.storage.base import Source

ENCODE_CHUNK = 256 << 10


async def send_file(session: Session, verb: str, path: str, source: Source, offset: int) -> Reply:
    """RETR: the file from the octet ``offset`` of what is transmitted on (RFC 3659 section 5). Closes ``source``."""
    try:
        size = source.status.st_size
        identity = is_identity(session.representation)
        if identity and offset > size:
            raise OffsetError(path, f"The file has only {size} octets")
        chunk = source.read_cached(SMALL, offset if identity else 0) if size <= SMALL else None
        chunks = _file_chunks(source, offset if identity else 0, chunk)
        if not identity:
            chunks = _encoded(session, chunks, offset)
            if offset:  # whether there are as many octets shows only by counting, and must before the 150
                chunks = chain((await session.server.in_thread(next, chunks, b""),), chunks)
        transfer = Transfer(session, verb, path, size - offset if identity else None)

        async def move(connection: Connection) -> None:
            if identity and chunk is None and source.fileno() is not None:
                await transfer.send(SendFile(connection, source, offset, size), connection, inline=False)
            else:
                await transfer.send(SendChunks(connection, chunks), connection, inline=chunk is not None)

        size_hint = f" ({size - offset} bytes)" if identity else ""
        return await transfer.run(f"Sending {_shown(path)}{size_hint}.", move)
    finally:
        source.close()


def _shown(path: str) -> str:
    return path.rpartition("/")[2]


def _file_chunks(source: Source, offset: int, first: bytes | None) -> Iterator[bytes]:
    if first is not None:
        yield first
        offset += len(first)
        if offset >= source.status.st_size:
            return
    while data := source.read(ENCODE_CHUNK, offset):
        yield data
        offset += len(data)


def _encoded(session: Session, chunks: Iterator[bytes], skip: int) -> Iterator[bytes]:
    """The chunks in the session's representation, without the first ``skip`` octets of the result."""
    encoder = encoder_for(session.representation)
    for data in _all_encoded(encoder, chunks):
        if skip >= len(data):
            skip -= len(data)
            continue
        yield data[skip:] if skip else data
        skip = 0
    if skip:
        raise OffsetError(detail="The offset lies beyond the end of the file")


def _all_encoded(encoder: Encoder, chunks: Iterator[bytes]) -> Iterator[bytes]:
    for chunk in chunks:
        yield encoder.encode(chunk)
    yield encoder.finish()


async def send_chunks(session: Session, verb: str, path: str, chunks: Iterator[bytes], *, inline: bool) -> Reply:
    """Listings: octets made on the way; ``inline`` says that making them is quick enough for the event loop."""
    transfer = Transfer(session, verb, path, None)

    async def move(connection: Connection) -> None:
        await transfer.send(SendChunks(connection, chunks), connection, inline=inline)

    return await transfer.run("Here comes the listing.", move)
