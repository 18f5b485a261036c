"""What most tests of stores do: put a file there, get it back, list a directory."""

from __future__ import annotations

from contextlib import closing

from fairlead.storage.base import Intent, Storage, Upload

OWNER = "alice"


def begin(store: Storage, path: str, *, intent: Intent = Intent.REPLACE, owner: str = OWNER, offset: int = 0) -> Upload:
    return store.create(path, intent=intent, owner=owner, offset=offset)


def put(
    store: Storage,
    path: str,
    data: bytes = b"",
    *,
    intent: Intent = Intent.REPLACE,
    owner: str = OWNER,
    offset: int = 0,
) -> None:
    upload = begin(store, path, intent=intent, owner=owner, offset=offset)
    upload.write(data)
    upload.commit()


def cut(store: Storage, path: str, data: bytes, *, owner: str = OWNER, offset: int = 0) -> None:
    """An upload that is cut short after ``data``."""
    upload = begin(store, path, owner=owner, offset=offset)
    upload.write(data)
    upload.keep()


def get(store: Storage, path: str) -> bytes:
    with closing(store.open(path)) as source:
        return source.read(1 << 20, 0)


def listed(store: Storage, path: str = "/") -> list[str]:
    return [item.name for batch in store.scan(path) for item in batch]
