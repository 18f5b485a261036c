"""What only the store in memory has: a limited room and a clock of its own."""

from __future__ import annotations

import pytest

from fairlead.errors import NoSpace, NotFound
from fairlead.storage.base import Intent
from fairlead.storage.memory import MemoryStorage
from tests.storage.acts import OWNER, begin, cut, get, listed, put


def test_a_full_store_keeps_the_old_file() -> None:
    store = MemoryStorage(capacity=10)
    put(store, "/a", b"1234")
    assert store.free("/") == 6
    upload = begin(store, "/a")
    with pytest.raises(NoSpace):
        upload.write(b"1234567")
    assert upload.position == 6
    with pytest.raises(NoSpace):
        upload.write(b"7")
    upload.discard()
    assert get(store, "/a") == b"1234"
    store.mkdir("/d")
    put(store, "/d/b", b"123456")
    assert store.free("/d") == 0


def test_no_room_for_a_copy() -> None:
    store = MemoryStorage(capacity=10)
    put(store, "/a", b"123456")
    with pytest.raises(NoSpace):
        begin(store, "/a", intent=Intent.APPEND)
    assert (get(store, "/a"), store.free("/")) == (b"123456", 4)
    put(store, "/b", b"1234")
    with pytest.raises(NoSpace):
        begin(store, "/a", intent=Intent.APPEND)
    assert listed(store) == ["a", "b"]


def test_the_clock_dates_files_and_ages_partials() -> None:
    now = 10**18
    store = MemoryStorage(clock=lambda: now)
    cut(store, "/a", b"1")
    put(store, "/b", b"1")
    assert store.stat("/b").st_mtime_ns == 10**18
    now += 60 * 10**9
    assert store.sweep(61) == 0
    assert store.sweep(60) == 1
    with pytest.raises(NotFound):
        store.stat("/a", owner=OWNER)


def test_nothing_has_a_descriptor() -> None:
    store = MemoryStorage()
    upload = begin(store, "/a")
    assert upload.fileno() is None
    assert upload.prompt
    upload.commit()
    assert store.open("/a").fileno() is None
