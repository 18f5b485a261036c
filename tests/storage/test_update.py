"""Writing over a part of a file, in every kind of store."""

from __future__ import annotations

import pytest

from fairlead.errors import IsADirectory, NoSpace, NotFound, OffsetError
from fairlead.storage.base import Intent, Storage
from fairlead.storage.memory import MemoryStorage
from tests.storage.acts import OWNER, begin, get, listed, put


@pytest.mark.parametrize(
    ("offset", "data", "after"),
    [
        (0, b"", b"0123456789"),
        (0, b"ab", b"ab23456789"),
        (4, b"ab", b"0123ab6789"),
        (8, b"ab", b"01234567ab"),
        (8, b"abcd", b"01234567abcd"),
        (10, b"ab", b"0123456789ab"),
        (10, b"", b"0123456789"),
    ],
)
def test_only_what_is_written_over_changes(store: Storage, offset: int, data: bytes, after: bytes) -> None:
    put(store, "/a", b"0123456789")
    upload = begin(store, "/a", intent=Intent.UPDATE, offset=offset)
    assert upload.position == offset
    upload.write(data)
    assert get(store, "/a") == b"0123456789"
    upload.commit()
    assert get(store, "/a") == after
    assert listed(store) == ["a"]


def test_several_writes_follow_each_other(store: Storage) -> None:
    put(store, "/a", b"0123456789")
    upload = begin(store, "/a", intent=Intent.UPDATE, offset=2)
    upload.write(b"ab")
    upload.write(b"cd")
    assert upload.position == 6
    upload.commit()
    assert get(store, "/a") == b"01abcd6789"


def test_an_update_from_the_start_makes_a_file(store: Storage) -> None:
    put(store, "/a", b"12", intent=Intent.UPDATE)
    assert get(store, "/a") == b"12"


@pytest.mark.parametrize("there", [b"123", None])
def test_an_update_cannot_begin_beyond_the_end(store: Storage, there: bytes | None) -> None:
    if there is not None:
        put(store, "/a", there)
    with pytest.raises(OffsetError):
        begin(store, "/a", intent=Intent.UPDATE, offset=4)
    assert listed(store) == ([] if there is None else ["a"])
    with pytest.raises(NotFound):
        store.stat("/b", owner=OWNER)


@pytest.mark.parametrize("end", ["keep", "discard"])
def test_an_update_cut_short_leaves_nothing(store: Storage, end: str) -> None:
    put(store, "/a", b"123")
    upload = begin(store, "/a", intent=Intent.UPDATE, offset=1)
    upload.write(b"x")
    getattr(upload, end)()
    assert get(store, "/a") == b"123"
    with pytest.raises(OffsetError):
        begin(store, "/a", offset=4)
    store.remove("/a")
    with pytest.raises(NotFound):
        store.stat("/a", owner=OWNER)


def test_two_updates_at_once(store: Storage) -> None:
    put(store, "/a", b"123")
    first = begin(store, "/a", intent=Intent.UPDATE)
    second = begin(store, "/a", intent=Intent.UPDATE, offset=2)
    first.write(b"x")
    second.write(b"y")
    first.commit()
    second.commit()
    assert get(store, "/a") == b"12y"


def test_a_directory_cannot_be_updated(store: Storage) -> None:
    store.mkdir("/d")
    with pytest.raises(IsADirectory):
        begin(store, "/d", intent=Intent.UPDATE)


def test_writing_over_needs_room_only_for_what_is_added() -> None:
    store = MemoryStorage(capacity=10)
    put(store, "/a", b"12345")
    upload = begin(store, "/a", intent=Intent.UPDATE, offset=3)
    upload.write(b"ab")
    with pytest.raises(NoSpace):
        upload.write(b"c")
    upload.discard()
    assert get(store, "/a") == b"12345"
