"""Whether two files are the same, by what the server tells: HASH, the X checksums, SIZE."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol

from fairlead.client._core import Session, check_paths
from fairlead.client._facts import size
from fairlead.client._retry import repeatable
from fairlead.errors import ArgumentError, TransferError
from fairlead.proto.hashes import parse_checksum_reply, parse_hash_feature, parse_hash_reply
from fairlead.proto.reply import Reply

_PIECE = 1 << 20


class Hasher(Protocol):
    """Takes octets, gives a digest."""

    def update(self, data: bytes, /) -> object:
        """Take ``data``."""

    def hexdigest(self) -> str:
        """The digest of what was taken."""


class _Crc32:
    def __init__(self) -> None:
        self._sum = 0

    def update(self, data: bytes, /) -> None:
        self._sum = zlib.crc32(data, self._sum)

    def hexdigest(self) -> str:
        return f"{self._sum:08x}"


def _hasher(name: str) -> Hasher:
    import hashlib  # noqa: PLC0415 - with all of OpenSSL, and few transfers are verified

    return hashlib.new(name, usedforsecurity=False)


ALGORITHMS: Mapping[str, Callable[[], Hasher]] = {
    "SHA-256": lambda: _hasher("sha256"),
    "SHA-512": lambda: _hasher("sha512"),
    "SHA-1": lambda: _hasher("sha1"),
    "MD5": lambda: _hasher("md5"),
    "CRC32": _Crc32,
}
"""The algorithms that can be computed here too, by HASH's names, the preferred one first."""
_COMMANDS = {
    "XSHA256": "SHA-256",
    "XSHA512": "SHA-512",
    "XSHA1": "SHA-1",
    "XSHA": "SHA-1",
    "XMD5": "MD5",
    "XCRC": "CRC32",
}


class Checksum(NamedTuple):
    """A file's digest as the server computed it."""

    algorithm: str
    """A key of ``ALGORITHMS``."""
    digest: str
    """Hexadecimal digits in small letters."""
    command: str
    """What it was asked for by: HASH, XSHA256 …"""


@repeatable
async def checksum(session: Session, path: str) -> Checksum | None:
    """See :meth:`fairlead.client.sync.Client.checksum`."""
    check_paths(path)
    await session.set_type("I")
    return await _by_hash(session, path) or await _by_command(session, path)


async def verify(session: Session, path: str, read: Callable[[int], bytes] | None, octets: int) -> str:
    """Hold the server's file ``path`` against ours of ``octets``, which ``read`` gives; returns by what that was done.

    Without ``read``, or where the server computes nothing, its size has to do. Raises TransferError where they differ,
    and where the server tells nothing at all.
    """
    theirs = await checksum(session, path) if read is not None else None
    if read is None or theirs is None:
        there = await size(session, path)
        if there is None:
            message = f"{path} cannot be verified: the server tells neither a hash nor the size; do without"
            raise TransferError(message, transferred=octets)
        if there != octets:
            message = f"{path} has {there} bytes on the server and {octets} here; transfer it again"
            raise TransferError(message, transferred=octets)
        return "SIZE"
    if not await same(session, theirs, read):
        message = f"{path} is not the same on the server and here ({theirs.algorithm} differs); transfer it again"
        raise TransferError(message, transferred=octets)
    return f"HASH {theirs.algorithm}" if theirs.command == "HASH" else theirs.command


async def same(session: Session, theirs: Checksum, read: Callable[[int], bytes]) -> bool:
    """Whether the octets that ``read`` gives have the digest that the server told."""
    hasher = ALGORITHMS[theirs.algorithm]()
    while data := read(_PIECE):
        hasher.update(data)
        await session.wire.yield_turn()
    return hasher.hexdigest() == theirs.digest


async def _by_hash(session: Session, path: str) -> Checksum | None:
    offered, current = parse_hash_feature((session.features or {}).get("HASH", ""))
    preferred = next((name for name in ALGORITHMS if name in offered), None)
    if preferred is None:
        return None
    if preferred != (session.hash_algorithm or current):
        chosen = await session.control.command("OPTS", f"HASH {preferred}")
        if chosen.completed:
            session.hash_algorithm = preferred
    reply = await session.try_command("HASH", path)
    if reply is None or not reply.completed:
        return None
    try:
        told = parse_hash_reply(reply.text)
    except ArgumentError:
        return None
    known = told.algorithm in ALGORITHMS and not told.start
    return Checksum(told.algorithm, told.digest, "HASH") if known else None


async def _by_command(session: Session, path: str) -> Checksum | None:
    for verb, algorithm in _COMMANDS.items():
        if verb not in (session.features or {}):
            continue
        reply = await session.try_command(verb, path)
        if reply is None or not reply.completed:
            continue
        digest = _digest(reply, algorithm)
        if digest is not None:
            return Checksum(algorithm, digest, verb)
    return None


def _digest(reply: Reply, algorithm: str) -> str | None:
    try:
        return parse_checksum_reply(reply.text, len(ALGORITHMS[algorithm]().hexdigest()))
    except ArgumentError:
        return None
