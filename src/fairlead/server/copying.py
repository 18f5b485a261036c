"""Copying on the server: files one after the other into one file, in pieces for :class:`fairlead.server.work.Work`."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from contextlib import closing
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fairlead.storage.base import Intent, Storage

PIECE = 1 << 20
"""Octets copied at a time."""


def copy_files(
    storage: Storage, sources: Iterable[str], target: str, *, intent: Intent, owner: str
) -> Generator[int, None, None]:
    """Upload ``sources`` to ``target``, all or nothing, for the account named ``owner``. Raises StorageError."""
    upload = storage.create(target, intent=intent, owner=owner)
    try:
        yield 0
        for path in sources:
            with closing(storage.open(path)) as source:
                offset = 0
                while data := source.read(PIECE, offset):
                    upload.write(data)
                    offset += len(data)
                    yield len(data)
        upload.commit()
    except BaseException:
        upload.discard()
        raise
