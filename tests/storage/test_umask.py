"""The permission bits of what is new, in every kind of store."""

from __future__ import annotations

import stat

from fairlead.storage.base import Storage
from tests.storage.acts import get, put


def mode(store: Storage, path: str) -> int:
    return stat.S_IMODE(store.stat(path).st_mode)


def test_the_bits_of_the_umask_are_left_out(store: Storage) -> None:
    assert store.umask == 0o022
    strict = store.with_umask(0o077)
    assert (strict.umask, store.umask) == (0o077, 0o022)
    put(store, "/a", b"1")
    store.mkdir("/d")
    put(strict, "/b", b"2")
    strict.mkdir("/d/e")
    assert [mode(store, path) for path in ("/a", "/d", "/b", "/d/e")] == [0o644, 0o755, 0o600, 0o700]


def test_both_see_the_same_tree(store: Storage) -> None:
    put(store.with_umask(0), "/a", b"1")
    assert get(store, "/a") == b"1"
    store.remove("/a")


def test_a_replaced_file_keeps_its_bits(store: Storage) -> None:
    put(store, "/a", b"1")
    put(store.with_umask(0o777), "/a", b"2")
    assert mode(store, "/a") == 0o644
