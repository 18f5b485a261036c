"""A file as it is transmitted in a representation not its own: the octets, how many there are, and places in them.

Whatever the type, structure and mode, the octets that RETR sends come from :func:`encoded`, and SIZE counts those same
octets (RFC 3659 section 4).
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from itertools import chain
from typing import TYPE_CHECKING

from fairlead.errors import MismatchError, NotFound, OffsetError, StorageFault
from fairlead.proto.codec import (
    DEFAULT_LEVEL,
    Representation,
    decoder_for,
    encoder_for,
    has_room,
    stream_decoder,
    transmitted_length,
)
from fairlead.record import Record
from fairlead.server.marks import EVERY, Mark

if TYPE_CHECKING:
    from fairlead.proto.codec.base import Decoder, Encoder
    from fairlead.storage.base import Source, Storage

CHUNK = 256 << 10


class Start(Record):
    """Where a sender begins."""

    position: int
    """Octets of the file that need not be read."""
    skip: int
    """Octets that are made and not sent."""


def start_of(path: str, size: int, representation: Representation, offset: int | Mark) -> Start:
    """Where to begin in a file of ``size`` octets, so that what is sent goes on at ``offset``.

    Raises OffsetError where that is beyond the end and this can be told from the size, MismatchError where the file
    does not fit the representation, or the mark is one of another.
    """
    if not has_room(representation, size):
        raise MismatchError("The file has more pages than can be numbered; TYPE L with larger bytes can number more")
    if isinstance(offset, Mark):
        offset.check(path, representation)
        if offset.position > size:
            raise OffsetError(path)
        return Start(offset.position, 0)
    length = transmitted_length(representation, size)
    if length is None:
        return Start(0, offset)
    if offset > length:
        raise OffsetError(path)
    return Start(min(offset, size), max(offset - size, 0))


def file_chunks(source: Source, position: int, first: bytes | None = None) -> Iterator[bytes]:
    """The octets of a file from ``position`` on; ``first`` are those that were read already.

    Raises StorageFault where the file has become shorter meanwhile: what was sent is not the file.
    """
    if first is not None:
        yield first
        position += len(first)
        if position >= source.status.st_size:
            return
    while data := source.read(CHUNK, position):
        yield data
        position += len(data)
    if position < source.status.st_size:
        raise StorageFault(detail="The file became shorter while it was sent")


def encoded(
    source: Source,
    representation: Representation,
    position: int = 0,
    *,
    first: bytes | None = None,
    level: int = DEFAULT_LEVEL,
) -> Iterator[bytes]:
    """What RETR sends of a file, from its octet ``position`` on; ``first`` are octets that were read already."""
    chunks = file_chunks(source, position, first)
    if representation.mode in {"B", "C"}:
        return _marked(representation, position, chunks)
    return _in_mode(representation, level, _streamed(representation, position, chunks))


def encoded_after(
    source: Source, representation: Representation, start: Start, level: int
) -> Generator[int, None, Iterator[bytes]]:
    """The same in stream mode and mode Z from ``start`` on, once all that is skipped was gone through piece by piece.

    Raises OffsetError where there are fewer octets to skip.
    """
    chunks = _streamed(representation, start.position, file_chunks(source, start.position))
    skip = start.skip
    for data in chunks:
        if skip < len(data):
            return _in_mode(representation, level, chain((data[skip:],), chunks))
        skip -= len(data)
        yield len(data)
    if skip:
        raise OffsetError(detail="The offset lies beyond the end of the file")
    return _in_mode(representation, level, chunks)


def _streamed(representation: Representation, position: int, chunks: Iterator[bytes]) -> Iterator[bytes]:
    return through(encoder_for(representation._replace(mode="S"), start=position), chunks)


def _in_mode(representation: Representation, level: int, chunks: Iterator[bytes]) -> Iterator[bytes]:
    """What stream mode would send, compressed in mode Z."""
    if representation.mode == "S":
        return chunks
    return through(encoder_for(Representation("I", mode="Z"), level=level), chunks)


def through(encoder: Encoder, chunks: Iterator[bytes]) -> Iterator[bytes]:
    """``chunks`` as ``encoder`` makes them, and the end."""
    for chunk in chunks:
        yield encoder.encode(chunk)
    yield encoder.finish()


def _marked(representation: Representation, position: int, chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Block and compressed mode, with restart markers but in page structure, where places lie inside of pages."""
    encoder = encoder_for(representation, start=position)
    next_mark = position + EVERY
    for chunk in chunks:
        yield encoder.encode(chunk)
        position += len(chunk)
        if position >= next_mark and representation.structure != "P":
            yield encoder.mark(Mark.at(position, representation).text().encode())
            next_mark = position + EVERY
    yield encoder.finish()


def counted(storage: Storage, path: str, representation: Representation, owner: str) -> Generator[int, None, int]:
    """How many octets RETR of ``path`` would send; in mode Z, before they are compressed. Reads the whole file.

    There are two reasons to leave compression out: offsets of REST do not count it either, and clients take a transfer
    for ended once they have as many octets as SIZE said. Where there is no file, what ``owner``'s partial upload of it
    came to is counted, without any end. Raises StorageError.
    """
    if representation.mode == "Z":
        representation = representation._replace(mode="S")
    try:
        source = storage.open(path)
        chunks = encoded(source, representation)
    except NotFound:
        source = storage.open(path, owner=owner)
        chunks = map(encoder_for(representation).encode, file_chunks(source, 0))
    size = 0
    try:
        for data in chunks:
            size += len(data)
            yield len(data)
    finally:
        source.close()
    return size


def resumed(
    storage: Storage, path: str, representation: Representation, offset: int, owner: str
) -> Generator[int, None, tuple[int, Decoder]]:
    """Where in the file the octet ``offset`` of what is transmitted stands, and a decoder that had what comes before.

    The file is what an upload by ``owner`` goes on from: a partial upload where there is one. Raises StorageError,
    OffsetError where the file as transmitted is shorter.
    """
    if representation.structure == "P":
        raise OffsetError(path, "How long a sender's pages were is not kept: an upload of pages begins anew")
    stream = representation._replace(mode="S")
    encoder, begun = encoder_for(stream), stream_decoder(stream)
    source = storage.open(path, owner=owner)
    position = 0
    try:
        for chunk in file_chunks(source, 0):
            data = encoder.encode(chunk)[:offset]
            position += sum(map(len, begun.decode(data)))
            offset -= len(data)
            if not offset:
                break
            yield len(data)
    finally:
        source.close()
    if offset:
        # The end of the last record may be held back, until another octet comes.
        data = encoder.encode(b"a")[:-1][:offset]
        position += sum(map(len, begun.decode(data)))
        if len(data) < offset:
            raise OffsetError(path)
    return position, decoder_for(representation, begun=begun)
