"""Uploads as a whole: replacing, appending, unique names, two at once; in every kind of store."""

from __future__ import annotations

import stat

import pytest

from fairlead.errors import AlreadyExists, InvalidName, IsADirectory, NotEmpty, NotFound
from fairlead.storage.base import Intent, Storage
from tests.storage.acts import OWNER, begin, cut, get, listed, put


@pytest.mark.req("S-959-STOR-1")
def test_a_new_file(store: Storage) -> None:
    upload = begin(store, "/a")
    assert upload.position == 0
    upload.write(b"12")
    upload.write(b"345")
    assert upload.position == 5
    upload.commit()
    status = store.stat("/a")
    assert (status.st_size, stat.S_IMODE(status.st_mode)) == (5, 0o644)
    assert get(store, "/a") == b"12345"


@pytest.mark.req("S-959-STOR-1")
def test_a_longer_file_is_replaced(store: Storage) -> None:
    put(store, "/a", b"long content")
    put(store, "/a", b"new")
    assert get(store, "/a") == b"new"


def test_an_empty_file(store: Storage) -> None:
    put(store, "/a")
    assert get(store, "/a") == b""


def test_a_replaced_file_keeps_its_permission_bits(store: Storage) -> None:
    put(store, "/a", b"old")
    store.change("/a", mode=0o640)
    put(store, "/a", b"new")
    assert stat.S_IMODE(store.stat("/a").st_mode) == 0o640
    put(store, "/a", b"+", intent=Intent.APPEND)
    assert stat.S_IMODE(store.stat("/a").st_mode) == 0o640


@pytest.mark.req("S-SEC-9")
def test_nothing_is_seen_before_the_end(store: Storage) -> None:
    put(store, "/old", b"old")
    for path in ("/new", "/old"):
        upload = begin(store, path)
        upload.write(b"half")
        assert listed(store) == ["old"]
        assert get(store, "/old") == b"old"
        upload.discard()
    with pytest.raises(NotFound):
        store.stat("/new", owner=OWNER)


@pytest.mark.req("S-SEC-9")
def test_the_old_file_stands_after_an_upload_cut_short(store: Storage) -> None:
    put(store, "/a", b"old")
    cut(store, "/a", b"new")
    assert get(store, "/a") == b"old"
    assert store.stat("/a", owner=OWNER).st_size == 3


def test_ending_twice_does_nothing(store: Storage) -> None:
    upload = begin(store, "/a")
    upload.write(b"1")
    upload.commit()
    upload.keep()
    upload.discard()
    assert get(store, "/a") == b"1"


@pytest.mark.req("S-959-APPE-1")
def test_append_adds_to_what_is_there(store: Storage) -> None:
    put(store, "/a", b"123")
    upload = begin(store, "/a", intent=Intent.APPEND)
    assert upload.position == 3
    upload.write(b"45")
    assert get(store, "/a") == b"123"
    upload.commit()
    assert get(store, "/a") == b"12345"
    assert listed(store) == ["a"]


@pytest.mark.req("S-959-APPE-1")
def test_append_creates(store: Storage) -> None:
    put(store, "/a", b"1", intent=Intent.APPEND)
    assert get(store, "/a") == b"1"


def test_an_append_cut_short_leaves_nothing_to_be_added_twice(store: Storage) -> None:
    put(store, "/a", b"123")
    upload = begin(store, "/a", intent=Intent.APPEND)
    upload.write(b"45")
    upload.keep()
    assert store.stat("/a", owner=OWNER).st_size == 3
    put(store, "/a", b"45", intent=Intent.APPEND)
    assert get(store, "/a") == b"12345"


def test_a_unique_name_is_reserved_at_once(store: Storage) -> None:
    upload = begin(store, "/a", intent=Intent.UNIQUE)
    assert listed(store) == ["a"]
    with pytest.raises(AlreadyExists):
        begin(store, "/a", intent=Intent.UNIQUE, owner="bob")
    upload.write(b"1")
    upload.commit()
    assert get(store, "/a") == b"1"
    with pytest.raises(AlreadyExists):
        begin(store, "/a", intent=Intent.UNIQUE)


@pytest.mark.req("S-3659-STOU-3")
def test_an_offset_means_nothing_for_a_unique_name(store: Storage) -> None:
    cut(store, "/a", b"12345")
    upload = begin(store, "/a", intent=Intent.UNIQUE, offset=3)
    assert upload.position == 0
    upload.write(b"x")
    upload.commit()
    assert get(store, "/a") == b"x"


@pytest.mark.parametrize("end", ["keep", "discard"])
def test_a_reservation_goes_when_the_upload_is_cut_short(store: Storage, end: str) -> None:
    upload = begin(store, "/a", intent=Intent.UNIQUE)
    upload.write(b"1")
    getattr(upload, end)()
    assert listed(store) == []
    put(store, "/a", b"2", intent=Intent.UNIQUE)
    assert get(store, "/a") == b"2"


def test_what_replaced_a_reservation_stays(store: Storage) -> None:
    upload = begin(store, "/a", intent=Intent.UNIQUE)
    put(store, "/a", b"other", owner="bob")
    upload.discard()
    assert get(store, "/a") == b"other"


@pytest.mark.parametrize("owners", [("alice", "alice"), ("alice", "bob")])
@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_of_two_uploads_the_last_to_finish_stays_whole(
    store: Storage, owners: tuple[str, str], order: tuple[int, int]
) -> None:
    uploads = [begin(store, "/a", owner=owner) for owner in owners]
    for _ in range(10):
        for number, upload in enumerate(uploads):
            upload.write(b"%d" % number * (number + 3))
    for number in order:
        uploads[number].commit()
        assert get(store, "/a") == b"%d" % number * (number + 3) * 10
    assert listed(store) == ["a"]


def test_a_live_upload_cut_short_after_another_one_finished(store: Storage) -> None:
    first, second = begin(store, "/a"), begin(store, "/a")
    first.write(b"first")
    second.write(b"second!")
    first.commit()
    second.keep()
    assert get(store, "/a") == b"first"
    put(store, "/a", b"?", offset=7)
    assert get(store, "/a") == b"second!?"


@pytest.mark.req("S-959-STOR-2")
def test_uploads_need_a_parent_and_no_directory_in_the_way(store: Storage) -> None:
    with pytest.raises(NotFound):
        begin(store, "/none/a")
    store.mkdir("/d")
    for intent in (Intent.REPLACE, Intent.APPEND):
        with pytest.raises(IsADirectory):
            begin(store, "/d", intent=intent)
    with pytest.raises(AlreadyExists):
        begin(store, "/d", intent=Intent.UNIQUE)


def test_a_directory_made_meanwhile_stays(store: Storage) -> None:
    upload = begin(store, "/a")
    upload.write(b"1")
    store.mkdir("/a")
    with pytest.raises(IsADirectory):
        upload.commit()
    store.rmdir("/a")
    assert store.stat("/a", owner=OWNER).st_size == 1


def test_a_directory_with_nothing_but_old_partials_can_be_removed(store: Storage) -> None:
    store.mkdir("/d")
    cut(store, "/d/a", b"1")
    cut(store, "/d/b", b"1", owner="bob")
    store.rmdir("/d")
    assert listed(store) == []


def test_a_directory_with_a_live_upload_stays(store: Storage) -> None:
    store.mkdir("/d")
    upload = begin(store, "/d/a")
    upload.write(b"1")
    with pytest.raises(NotEmpty):
        store.rmdir("/d")
    upload.commit()
    assert get(store, "/d/a") == b"1"


def test_an_upload_follows_its_directory_when_that_is_renamed(store: Storage) -> None:
    store.mkdir("/d")
    upload = begin(store, "/d/a")
    upload.write(b"1")
    store.rename("/d", "/e")
    upload.commit()
    assert get(store, "/e/a") == b"1"


@pytest.mark.req("S-SEC-9")
@pytest.mark.parametrize("suffix", ["", "-0123456789abcdef"])
def test_no_command_can_name_a_partial(store: Storage, suffix: str) -> None:
    name = f"/.fairlead-0123456789abcdef-0123456789ABCDEF{suffix}.part"
    put(store, "/a")
    for act in (store.stat, store.open, store.scan, store.remove, store.rmdir, store.free):
        with pytest.raises(NotFound):
            act(name)
    with pytest.raises(NotFound):
        store.rename(name, "/b")
    with pytest.raises(NotFound):
        store.change(name, mode=0o777)
    with pytest.raises(InvalidName):
        begin(store, name)
    with pytest.raises(InvalidName):
        store.mkdir(name)
    with pytest.raises(InvalidName):
        store.rename("/a", name)


def test_names_that_only_resemble_those_of_partials_are_free(store: Storage) -> None:
    for name in (".fairlead-x.part", ".fairlead-", ".fairlead-0123456789abcdef-0123456789abcdef.party"):
        put(store, f"/{name}", b"1")
        assert get(store, f"/{name}") == b"1"
    assert len(listed(store)) == 3


@pytest.mark.req("S-1123-RST-2")
def test_what_was_flushed_is_gone_on_from(store: Storage) -> None:
    upload = begin(store, "/a")
    upload.write(b"12")
    upload.flush()
    upload.write(b"34")
    upload.flush()
    assert upload.position == 4
    with pytest.raises(NotFound):
        store.stat("/a")
    upload.keep()
    put(store, "/a", b"5", offset=4)
    assert get(store, "/a") == b"12345"


def test_an_upload_ends_as_usual_after_a_flush(store: Storage) -> None:
    upload = begin(store, "/a")
    upload.flush()
    upload.write(b"12")
    upload.flush()
    upload.commit()
    assert get(store, "/a") == b"12"
    upload = begin(store, "/a")
    upload.write(b"34")
    upload.flush()
    upload.discard()
    assert get(store, "/a") == b"12"
    assert listed(store) == ["a"]
