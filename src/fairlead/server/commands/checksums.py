"""Hashes of files: HASH (draft-bryan-ftpext-hash), XCRC and its kin, MD5 and MMD5 (draft-twine-ftpmd5)."""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from fairlead.accounts.base import Right
from fairlead.errors import ArgumentError, StorageError
from fairlead.proto.path import resolve
from fairlead.proto.reply import Reply
from fairlead.proto.words import quote_word, split_list, split_words
from fairlead.server.ranges import BEYOND, Range, octet_number
from fairlead.server.registry import Argument, command, option
from fairlead.server.rights import permitted

if TYPE_CHECKING:
    from fairlead.server.session import Session

OFFERED = ("SHA-256", "SHA-512", "SHA-1", "MD5")
"""What HASH computes, the default first."""
EXTENDED = {
    "XCRC": "CRC32",
    "XMD5": "MD5",
    "XSHA": "SHA-1",
    "XSHA1": "SHA-1",
    "XSHA256": "SHA-256",
    "XSHA512": "SHA-512",
}
"""The commands of several vendors, and the algorithm of each."""
NAME_AND_NUMBER = r"(?s)(.+) ([0-9]+)"
MOST = 100
"""Files that MMD5 takes at once."""


def _hash_feature(session: Session) -> str:
    return "HASH " + "".join(f"{name}{'*' * (name == session.hash_algorithm)};" for name in OFFERED)


@command("HASH", syntax="path", argument=Argument.REQUIRED, feature=_hash_feature)
async def hash_command(session: Session, name: str) -> Reply:
    """The hash of a file, by the algorithm that OPTS HASH chose; after RANG, of some octets of it."""
    from fairlead.server.hashing import hash_file

    path = permitted(session, name, Right.READ)
    text, start, end = await hash_file(session, "HASH", path, session.hash_algorithm, session.window)
    return Reply(213, f"{session.hash_algorithm} {start}-{max(end - 1, start)} {text} {name}")


@option("HASH")
def choose_algorithm(session: Session, argument: str) -> Reply:
    """Choose the algorithm of HASH, or ask for it."""
    if argument and argument.upper() not in OFFERED:
        raise ArgumentError(f"HASH knows {', '.join(OFFERED)}")
    session.hash_algorithm = argument.upper() or session.hash_algorithm
    return Reply(200, session.hash_algorithm)


def _extended(verb: str, algorithm: str) -> Callable[[Session, str], Coroutine[Any, Any, Reply]]:
    async def checksum(session: Session, argument: str) -> Reply:
        from fairlead.server.hashing import hash_file

        name, numbers = await _parsed(session, argument)
        window = Range(*numbers, *(BEYOND,) * (2 - len(numbers))) if numbers else None
        if window is not None and window.start > window.end:
            raise ArgumentError("The range ends before it begins")
        path = permitted(session, name, Right.READ)
        found = await hash_file(session, verb, path, algorithm, window, exact=len(numbers) == 2)
        return Reply(250, found.text.upper())

    checksum.__doc__ = f"The {algorithm} of a file, or of its octets from the start to before the end."
    return checksum


async def _parsed(session: Session, argument: str) -> tuple[str, list[int]]:
    """The name and the numbers of ``path [start [end]]``; of a name without quotes, numbers may be the end."""
    if argument.startswith('"'):
        name, *words = split_words(argument)
        if len(words) > 2:
            raise ArgumentError("A path takes at most a start and an end after it")
        return name, [octet_number(word) for word in words]
    name = argument
    numbers: list[int] = []
    while len(numbers) < 2 and (match := re.fullmatch(NAME_AND_NUMBER, name)) and not await _exists(session, name):
        name = match[1]
        numbers.insert(0, octet_number(match[2]))
    return name, numbers


async def _exists(session: Session, name: str) -> bool:
    storage = session.storage
    try:
        await session.server.call(storage, storage.stat, resolve(session.cwd, name))
    except StorageError:
        return False
    return True


for _verb, _algorithm in EXTENDED.items():
    command(
        _verb, syntax="path [start [end]]", argument=Argument.REQUIRED, feature=f"{_verb} filename;start;end"
    )(_extended(_verb, _algorithm))  # fmt: skip


@command("MD5", syntax="path", argument=Argument.REQUIRED, feature="MD5")
async def md5(session: Session, name: str) -> Reply:
    """The MD5 of a file."""
    return Reply(251, await _named_md5(session, "MD5", name))


@command("MMD5", syntax="path, path...", argument=Argument.REQUIRED, feature="MMD5")
async def several_md5(session: Session, argument: str) -> Reply:
    """The MD5 of each of several files."""
    names = split_list(argument)
    if len(names) > MOST:
        raise ArgumentError(f"MMD5 takes at most {MOST} files")
    return Reply(252, ", ".join([await _named_md5(session, "MMD5", name) for name in names]))


async def _named_md5(session: Session, verb: str, name: str) -> str:
    from fairlead.server.hashing import hash_file

    found = await hash_file(session, verb, permitted(session, name, Right.READ), "MD5")
    return f"{quote_word(name)} {found.text}"
