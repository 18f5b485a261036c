"""Uploads that go on where an earlier one was cut short; in every kind of store."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import pytest

from fairlead.errors import NotFound, OffsetError
from fairlead.storage.base import Intent, Storage
from tests.storage.acts import OWNER, begin, cut, get, listed, put


@pytest.mark.req("S-SEC-9")
def test_the_owner_learns_how_much_came(store: Storage) -> None:
    cut(store, "/a", b"12345")
    assert store.stat("/a", owner=OWNER).st_size == 5
    for owner in ("bob", None):
        with pytest.raises(NotFound):
            store.stat("/a", owner=owner)


def test_a_whole_file_hides_the_partial(store: Storage) -> None:
    put(store, "/a", b"12")
    cut(store, "/a", b"12345")
    assert store.stat("/a", owner=OWNER).st_size == 2


@pytest.mark.req("S-3659-REST-5")
def test_a_partial_is_continued_at_its_end(store: Storage) -> None:
    cut(store, "/a", b"12345")
    upload = begin(store, "/a", offset=5)
    assert upload.position == 5
    upload.write(b"67")
    upload.commit()
    assert get(store, "/a") == b"1234567"
    with pytest.raises(NotFound):
        store.stat("/b", owner=OWNER)


@pytest.mark.req("S-3659-REST-5")
def test_a_partial_is_continued_before_its_end(store: Storage) -> None:
    cut(store, "/a", b"12345")
    put(store, "/a", b"x", offset=2)
    assert get(store, "/a") == b"12x"


def test_a_partial_is_continued_again_and_again(store: Storage) -> None:
    data = bytes(range(100))
    for start in range(0, 100, 10):
        cut(store, "/a", data[start : start + 10], offset=start)
        assert store.stat("/a", owner=OWNER).st_size == start + 10
    put(store, "/a", b"!", offset=100)
    assert get(store, "/a") == data + b"!"


def test_append_continues_a_partial_while_there_is_no_file(store: Storage) -> None:
    cut(store, "/a", b"123")
    upload = begin(store, "/a", intent=Intent.APPEND)
    assert upload.position == 3
    upload.write(b"45")
    upload.commit()
    assert get(store, "/a") == b"12345"


def test_append_never_continues_the_partial_of_another(store: Storage) -> None:
    cut(store, "/a", b"123", owner="bob")
    put(store, "/a", b"45", intent=Intent.APPEND)
    assert get(store, "/a") == b"45"


def test_a_new_upload_begins_from_nothing(store: Storage) -> None:
    cut(store, "/a", b"12345")
    cut(store, "/a", b"x")
    assert store.stat("/a", owner=OWNER).st_size == 1
    put(store, "/a", b"y")
    assert get(store, "/a") == b"y"


@pytest.mark.req("S-3659-REST-5")
def test_without_a_partial_the_file_itself_is_continued_in_a_copy(store: Storage) -> None:
    put(store, "/a", b"12345")
    upload = begin(store, "/a", offset=3)
    assert upload.position == 3
    upload.write(b"xyz")
    assert get(store, "/a") == b"12345"
    upload.commit()
    assert get(store, "/a") == b"123xyz"


def test_a_partial_that_is_too_short_gives_way_to_the_file(store: Storage) -> None:
    put(store, "/a", b"12345678")
    cut(store, "/a", b"abc")
    put(store, "/a", b"9", offset=8)
    assert get(store, "/a") == b"123456789"


def test_a_copy_cut_short_is_continued(store: Storage) -> None:
    put(store, "/a", b"123")
    cut(store, "/a", b"45", offset=3)
    assert get(store, "/a") == b"123"
    put(store, "/a", b"6", offset=5)
    assert get(store, "/a") == b"123456"


@pytest.mark.parametrize("before", [{}, {"partial": b"12"}, {"file": b"12"}, {"partial": b"12", "file": b"1"}])
def test_an_offset_beyond_all_there_is(store: Storage, before: dict[str, Any]) -> None:
    if "file" in before:
        put(store, "/a", before["file"])
    if "partial" in before:
        cut(store, "/a", before["partial"])
    with pytest.raises(OffsetError):
        begin(store, "/a", offset=3)
    if "partial" in before:
        put(store, "/a", b"3", offset=2)
        assert get(store, "/a") == b"123"
    assert listed(store) == (["a"] if before else [])


def test_huge_offsets(store: Storage) -> None:
    put(store, "/a", b"1")
    for offset in (2**63 - 1, 2**63, 2**64 - 1, 2**64):
        with pytest.raises(OffsetError):
            begin(store, "/a", offset=offset)


def test_a_session_that_hangs_does_not_block_the_next_one(store: Storage) -> None:
    hanging = begin(store, "/a")
    hanging.write(b"12345")
    resumed = begin(store, "/a", offset=4)
    resumed.write(b"xyz")
    hanging.write(b"late")
    resumed.commit()
    assert get(store, "/a") == b"1234xyz"
    hanging.keep()
    assert get(store, "/a") == b"1234xyz"


def test_append_beside_a_hanging_session(store: Storage) -> None:
    hanging = begin(store, "/a")
    hanging.write(b"12345")
    put(store, "/a", b"67", intent=Intent.APPEND)
    assert get(store, "/a") == b"1234567"
    hanging.discard()


def test_what_came_second_is_kept_once_the_first_is_gone(store: Storage) -> None:
    first = begin(store, "/a")
    first.write(b"1")
    second = begin(store, "/a")
    second.write(b"22")
    first.keep()
    second.keep()
    assert store.stat("/a", owner=OWNER).st_size == 2


def test_what_came_second_is_given_up_while_the_first_lives(store: Storage) -> None:
    first = begin(store, "/a")
    first.write(b"1")
    second = begin(store, "/a")
    second.write(b"22")
    second.keep()
    assert store.stat("/a", owner=OWNER).st_size == 1
    first.commit()
    assert get(store, "/a") == b"1"


def test_nothing_is_kept_of_an_empty_upload(store: Storage) -> None:
    cut(store, "/a", b"")
    with pytest.raises(NotFound):
        store.stat("/a", owner=OWNER)


def test_owners_of_any_name(store: Storage) -> None:
    owners = ["", "a/b", "ü\udcff", "x" * 10_000, "..", "a\0b"]
    for owner in owners:
        cut(store, "/a", b"1" * (1 + owners.index(owner)), owner=owner)
    for owner in owners:
        assert store.stat("/a", owner=owner).st_size == 1 + owners.index(owner)


def test_the_sweep_takes_old_partials_and_no_live_ones(store: Any) -> None:
    store.mkdir("/d")
    cut(store, "/a", b"1")
    cut(store, "/d/b", b"1")
    live = begin(store, "/d/c")
    live.write(b"1")
    put(store, "/d/whole", b"1")
    assert store.sweep(3_600) == 0
    assert store.stat("/d/b", owner=OWNER).st_size == 1
    assert store.sweep(-3_600) == 2
    with pytest.raises(NotFound):
        store.stat("/d/b", owner=OWNER)
    live.commit()
    assert listed(store, "/d") == ["c", "whole"]


def test_the_owner_reads_what_came(store: Storage) -> None:
    put(store, "/a", b"12")
    cut(store, "/a", b"12345")
    with closing(store.open("/a", owner=OWNER)) as source:
        assert source.read(10, 0) == b"12345"
    for owner in ("bob", None):
        with closing(store.open("/a", owner=owner)) as source:
            assert source.read(10, 0) == b"12"
    with pytest.raises(NotFound):
        store.open("/b", owner=OWNER)
