"""A disk with no room left, in octets and in inodes: the old file stands, and the next upload works again."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from fairlead.errors import NoSpace
from fairlead.storage.base import Intent
from fairlead.storage.local import LocalStorage
from tests.storage.acts import OWNER, begin, get, listed, put

ROOM = 256 * 1024


@pytest.mark.req("S-959-STOR-3")
@pytest.mark.parametrize("end", ["keep", "discard"])
def test_no_room_for_the_octets(small_store: LocalStorage, end: str) -> None:
    put(small_store, "/a", b"old" * 1_000)
    upload = begin(small_store, "/a")
    with pytest.raises(NoSpace):
        upload.write(b"x" * (ROOM + 1))
    assert 0 < upload.position < ROOM
    getattr(upload, end)()
    assert get(small_store, "/a") == b"old" * 1_000
    assert listed(small_store) == ["a"]
    assert small_store.free("/") == (0 if end == "keep" else ROOM - 4096)
    put(small_store, "/a", b"new")
    assert get(small_store, "/a") == b"new"


def test_what_came_before_the_disk_was_full_is_continued(small_store: LocalStorage) -> None:
    put(small_store, "/fill", b"x" * 100_000)
    data = os.urandom(200_000)
    upload = begin(small_store, "/a")
    with pytest.raises(NoSpace):
        upload.write(data)
    upload.keep()
    held = small_store.stat("/a", owner=OWNER).st_size
    assert held == upload.position
    small_store.remove("/fill")
    put(small_store, "/a", data[held:], offset=held)
    assert get(small_store, "/a") == data


def test_no_room_for_a_copy(small_store: LocalStorage, small: Path) -> None:
    old = os.urandom(150_000)
    put(small_store, "/a", old)
    for begins in ({"intent": Intent.APPEND}, {"offset": 150_000}):
        with pytest.raises(NoSpace):
            put(small_store, "/a", b"x", **begins)
        assert get(small_store, "/a") == old
        assert os.listdir(small) == ["a"]
        assert small_store.free("/") > 100_000


def test_no_inode_left(small_store: LocalStorage, small: Path) -> None:
    put(small_store, "/a", b"old")
    while True:
        try:
            put(small_store, f"/{len(os.listdir(small))}")
        except NoSpace:
            break
    for intent in Intent:
        with pytest.raises(NoSpace):
            begin(small_store, "/new" if intent is Intent.UNIQUE else "/a", intent=intent)
    with pytest.raises(NoSpace):
        small_store.mkdir("/d")
    assert get(small_store, "/a") == b"old"
    small_store.remove("/1")
    put(small_store, "/a", b"new")
    assert get(small_store, "/a") == b"new"


def test_a_reservation_goes_when_there_is_no_inode_for_the_partial(small_store: LocalStorage, small: Path) -> None:
    while small_store.free("/") and os.statvfs(small).f_ffree > 1:
        put(small_store, f"/{len(os.listdir(small))}")
    with pytest.raises(NoSpace):
        begin(small_store, "/new", intent=Intent.UNIQUE)
    assert "new" not in listed(small_store)


def test_a_file_system_in_memory_is_prompt_and_read_at_once(small_store: LocalStorage) -> None:
    upload = begin(small_store, "/a")
    assert upload.prompt
    upload.write(b"12345")
    upload.commit()
    source = small_store.open("/a")
    assert source.read_cached(3, 1) == b"234"
    source.close()


@pytest.mark.usefixtures("root", "small")
def test_each_file_system_below_the_root_is_asked(tmp_path: Path) -> None:
    store = LocalStorage(tmp_path)
    inner, outer = begin(store, "/small/a"), begin(store, "/root/a")
    assert inner.prompt == (not outer.prompt)
    inner.discard()
    outer.discard()
    store.close()
