"""Sizes and restart offsets of a representation, counted on the file (RFC 3659 sections 4 and 5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fairlead.errors import NotFound, OffsetError
from fairlead.proto.codec import Representation, encoder_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fairlead.storage.base import Source, Storage

CHUNK = 1 << 20
CR = 13


def _chunks(source: Source) -> Iterator[bytes]:
    offset = 0
    while data := source.read(CHUNK, offset):
        yield data
        offset += len(data)


def transmitted_size(storage: Storage, path: str, representation: Representation, owner: str) -> int:
    """How many octets RETR of ``path`` would send. Reads the whole file. Raises StorageError.

    Where there is no file, those of ``owner``'s partial upload of it are counted.
    """
    encoder = encoder_for(representation)
    try:
        source = storage.open(path)
    except NotFound:
        source = storage.open(path, owner=owner)
    try:
        return sum(len(encoder.encode(chunk)) for chunk in _chunks(source)) + len(encoder.finish())
    finally:
        source.close()


def storing_offset(storage: Storage, path: str, offset: int, owner: str) -> tuple[int, bytes]:
    """Where in the file the octet ``offset`` of the transmitted text stands, and what a decoder holds back there.

    The file is what an upload by ``owner`` goes on from: a partial upload where there is one. Raises StorageError,
    OffsetError where the file as transmitted is shorter.
    """
    source = storage.open(path, owner=owner)
    stored = 0
    try:
        for chunk in _chunks(source):
            length = len(chunk) + chunk.count(b"\n")
            if offset <= length:
                inside, held = _within(chunk, offset)
                return stored + inside, held
            offset -= length
            stored += len(chunk)
    finally:
        source.close()
    if offset:
        raise OffsetError(path)
    return stored, b""


def _within(chunk: bytes, offset: int) -> tuple[int, bytes]:
    """How many octets of ``chunk`` make ``offset`` transmitted ones, and the CR that a line end was cut after."""
    inside = 0
    while offset:
        end = chunk.find(b"\n", inside)
        plain = (len(chunk) if end < 0 else end) - inside
        if offset <= plain:
            inside += offset
            # With an LF as the first octet that is to come, a lone CR would be a line end.
            return (inside - 1, b"\r") if chunk[inside - 1] == CR else (inside, b"")
        offset -= plain
        if offset == 1:
            return inside + plain, b"\r"
        offset -= 2
        inside += plain + 1
    return inside, b""
