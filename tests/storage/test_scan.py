"""Reading directories, in every kind of store."""

from __future__ import annotations

import pytest

from fairlead.errors import NotADirectory, NotFound
from fairlead.storage.base import Storage
from tests.storage.acts import begin, cut, listed, put


def test_of_a_name_there_is_its_own_entry(store: Storage) -> None:
    put(store, "/a", b"12345")
    store.mkdir("/d")
    store.symlink("/a", "/d/link")
    store.symlink("/none", "/d/dangling")
    put(store, "/d/\udcff")
    for path in ("/a", "/d"):
        assert store.entry(path).name == path[1:]
    assert (store.entry("/a").status.st_size, store.entry("/a").target) == (5, None)
    assert [store.entry(f"/d/{item.name}") for [*items] in store.scan("/d") for item in items] == [
        item for [*items] in store.scan("/d") for item in items
    ]
    assert [store.entry(f"/d/{name}").target for name in ("link", "dangling")] == ["../a", "../none"]
    assert (store.entry("/").name, store.entry("/").status.st_ino) == ("", store.stat("/").st_ino)


@pytest.mark.req("S-SEC-9")
def test_what_is_not_there_has_no_entry(store: Storage) -> None:
    put(store, "/a")
    cut(store, "/b", b"1")
    with pytest.raises(NotADirectory):
        store.entry("/a/x")
    with pytest.raises(NotFound):
        store.entry("/b")


def test_an_empty_directory_has_no_entries(store: Storage) -> None:
    assert list(store.scan("/")) == []


def test_entries_come_with_their_status(store: Storage) -> None:
    put(store, "/a", b"12345")
    [[item]] = store.scan("/")
    assert (item.name, item.status.st_size, item.target) == ("a", 5, None)


def test_entries_are_sorted_by_the_octets_of_their_names(store: Storage) -> None:
    # Code points would put the surrogate escape of 0xFF before U+E000 and U+10000.
    names = ["B", "a", "é", "\ue000", "\U00010000", "\udcff"]
    for name in reversed(names):
        put(store, f"/{name}")
    assert listed(store) == names


@pytest.mark.req("S-SEC-9")
def test_partial_uploads_are_not_shown(store: Storage) -> None:
    put(store, "/a", b"1")
    cut(store, "/b", b"1")
    live = begin(store, "/c")
    live.write(b"1")
    assert listed(store) == ["a"]
    live.discard()


def test_batches_are_bounded(store: Storage) -> None:
    for number in range(1_500):
        store.mkdir(f"/{number:04}")
    sizes = [len(batch) for batch in store.scan("/")]
    assert sizes == [1_000, 500]
    assert listed(store) == [f"{number:04}" for number in range(1_500)]


def test_entries_that_vanish_meanwhile_are_skipped(store: Storage) -> None:
    for number in range(1_100):
        store.mkdir(f"/{number:04}")
    scan = store.scan("/")
    next(scan)
    for number in range(1_000, 1_099):
        store.rmdir(f"/{number:04}")
    assert [item.name for batch in scan for item in batch] == ["1099"]
    assert next(scan, None) is None


def test_a_scan_dropped_half_way_leaves_nothing_open(store: Storage) -> None:
    put(store, "/a")
    scan = store.scan("/")
    del scan  # the fixture counts descriptors, and a warning would be an error
    scan = store.scan("/")
    next(scan)
    del scan
