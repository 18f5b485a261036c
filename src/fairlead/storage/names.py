"""Virtual paths as the octets the file system wants, and the names of hidden partial uploads.

A name is UTF-8; octets that are not come and go as surrogate escapes (RFC 2640 section 2.2 lets any octet stand in a
name). A partial upload of ``name`` by ``owner`` lies beside it as ``.fairlead-<hash of name>-<hash of owner>.part``:
the same pair finds it again after a cut or a crash, and no name grows too long by it.
"""

from __future__ import annotations

import os
import re
from functools import lru_cache
from hashlib import blake2b

from fairlead.errors import InvalidName, NotFound, StorageError

PARTIAL_PREFIX = ".fairlead-"
_PARTIAL = rb"(?i)\.fairlead-[0-9a-f]{16}-[0-9a-f]{16}(-[0-9a-f]{16})?\.part"


def encode(path: str) -> bytes:
    """The octets of a path or name. Raises UnicodeEncodeError for surrogates that stand for no octet."""
    return path.encode("utf-8", "surrogateescape")


def relative(path: str, hidden: type[StorageError] = NotFound) -> bytes:
    """The virtual path as octets relative to the root, ``.`` for the root itself.

    Raises InvalidName where the path is not a normalised one, and ``hidden`` where it names a partial upload.
    """
    if "\0" in path or not path.startswith("/"):
        raise InvalidName(path)
    try:
        octets = path.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as error:
        raise InvalidName(path) from error
    if b"/." in octets:
        for name in octets.split(b"/"):
            if name in {b".", b".."}:
                raise InvalidName(path)
            if is_partial(name):
                raise hidden(path)
    return octets[1:] or b"."


def link_text(target: str, path: str) -> bytes:
    """What a link at ``path`` must say to lead to ``target``, both virtual paths. Raises InvalidName."""
    to, at = ([] if name == b"." else name.split(b"/") for name in (relative(target, InvalidName), relative(path)))
    shared = 0
    while shared < min(len(to), len(at) - 1) and to[shared] == at[shared]:
        shared += 1
    return b"/".join([b".."] * (len(at) - 1 - shared) + to[shared:]) or b"."


def split(path: bytes) -> tuple[bytes, bytes]:
    """The parent and the last name of a path relative to the root."""
    parent, _, name = path.rpartition(b"/")
    return parent or b".", name


def is_partial(name: bytes) -> bool:
    """Whether ``name`` is one that only partial uploads bear."""
    return re.fullmatch(_PARTIAL, name) is not None


def partial(name: bytes, owner: str) -> bytes:
    """The name of the partial upload of ``name`` by ``owner``."""
    return b".fairlead-%s-%s.part" % (_digest(name), _owner_digest(owner))


def spare(partial_name: bytes) -> bytes:
    """Another name for a partial upload while ``partial_name`` is in use."""
    return b"%s-%s.part" % (partial_name.removesuffix(b".part"), os.urandom(8).hex().encode())


@lru_cache(maxsize=1024)
def _owner_digest(owner: str) -> bytes:
    return _digest(owner.encode("utf-8", "surrogatepass"))


def _digest(octets: bytes) -> bytes:
    return blake2b(octets, digest_size=8).hexdigest().encode()
