"""Making links, in every kind of store."""

from __future__ import annotations

import stat

import pytest

from fairlead.errors import AlreadyExists, Denied, InvalidName, IsADirectory, NotADirectory, NotFound
from fairlead.storage import names
from fairlead.storage.base import Intent, Storage
from tests.storage.acts import OWNER, begin, cut, get, listed, put


@pytest.mark.parametrize(
    ("target", "path", "text"),
    [
        ("/a", "/l", b"a"),
        ("/d/a", "/l", b"d/a"),
        ("/a", "/d/l", b"../a"),
        ("/d/a", "/d/l", b"a"),
        ("/d/e/a", "/d/f/l", b"../e/a"),
        ("/x/y", "/d/e/f/l", b"../../../x/y"),
        ("/d", "/d/l", b"."),
        ("/", "/l", b"."),
        ("/", "/d/e/l", b"../.."),
        ("/d/l", "/d/l", b"l"),
        ("/d/l/a", "/d/l", b"l/a"),
    ],
)
def test_the_text_of_a_link_leads_from_its_directory_to_the_target(target: str, path: str, text: bytes) -> None:
    assert names.link_text(target, path) == text


def test_a_link_leads_to_a_file(store: Storage) -> None:
    store.mkdir("/d")
    put(store, "/a", b"123")
    store.symlink("/a", "/d/link")
    assert stat.S_ISLNK(store.stat("/d/link", follow=False).st_mode)
    assert store.stat("/d/link").st_ino == store.stat("/a").st_ino
    assert get(store, "/d/link") == b"123"
    assert [(item.name, item.target) for batch in store.scan("/d") for item in batch] == [("link", "../a")]


def test_a_link_leads_to_a_directory(store: Storage) -> None:
    store.mkdir("/d")
    store.mkdir("/e")
    put(store, "/d/a", b"1")
    store.symlink("/d", "/e/link")
    assert listed(store, "/e/link") == ["a"]
    put(store, "/e/link/b", b"2")
    assert get(store, "/d/b") == b"2"
    store.mkdir("/e/link/sub")
    store.rename("/e/link/b", "/e/link/sub/c")
    store.remove("/e/link/sub/c")
    store.rmdir("/e/link/sub")
    assert listed(store, "/d") == ["a"]


def test_a_link_may_lead_nowhere(store: Storage) -> None:
    store.symlink("/none", "/link")
    assert listed(store) == ["link"]
    assert stat.S_ISLNK(store.stat("/link", follow=False).st_mode)
    with pytest.raises(NotFound):
        store.stat("/link")
    with pytest.raises(NotFound):
        store.open("/link")
    put(store, "/none", b"1")
    assert get(store, "/link") == b"1"


def test_an_upload_goes_where_the_link_leads(store: Storage) -> None:
    store.mkdir("/d")
    store.symlink("/d/new", "/link")
    put(store, "/link", b"1")
    put(store, "/link", b"2", intent=Intent.APPEND)
    assert get(store, "/d/new") == b"12"
    cut(store, "/link", b"123")
    assert store.open("/d/new", owner=OWNER).status.st_size == 3
    with pytest.raises(AlreadyExists):
        begin(store, "/link", intent=Intent.UNIQUE)


def test_removing_and_renaming_touch_the_link_itself(store: Storage) -> None:
    put(store, "/a", b"1")
    store.symlink("/a", "/link")
    store.rename("/link", "/other")
    assert listed(store) == ["a", "other"]
    with pytest.raises(NotADirectory):
        store.rmdir("/other")
    store.remove("/other")
    assert get(store, "/a") == b"1"


def test_a_link_to_a_directory_is_removed_as_a_file(store: Storage) -> None:
    store.mkdir("/d")
    store.symlink("/d", "/link")
    with pytest.raises(NotADirectory):
        store.rmdir("/link")
    store.remove("/link")
    assert listed(store) == ["d"]


def test_a_rename_over_a_link_replaces_the_link(store: Storage) -> None:
    put(store, "/a", b"1")
    put(store, "/b", b"2")
    store.symlink("/a", "/link")
    store.rename("/b", "/link")
    assert (get(store, "/a"), get(store, "/link"), listed(store)) == (b"1", b"2", ["a", "link"])


@pytest.mark.parametrize("name", ["file", "directory", "link"])
def test_a_taken_name_stays(store: Storage, name: str) -> None:
    put(store, "/file", b"1")
    store.mkdir("/directory")
    store.symlink("/file", "/link")
    with pytest.raises(AlreadyExists):
        store.symlink("/none", f"/{name}")
    assert get(store, "/link") == b"1"


def test_the_root_is_no_link(store: Storage) -> None:
    with pytest.raises(AlreadyExists):
        store.symlink("/a", "/")


def test_a_link_needs_its_directory(store: Storage) -> None:
    with pytest.raises(NotFound):
        store.symlink("/a", "/none/link")


def test_links_in_a_circle(store: Storage) -> None:
    store.symlink("/b", "/a")
    store.symlink("/a", "/b")
    for action in (store.stat, store.open, store.scan):
        with pytest.raises(Denied):
            action("/a")
    with pytest.raises(Denied):
        begin(store, "/a")


def test_a_link_that_is_moved_cannot_leave_the_root(store: Storage) -> None:
    store.mkdir("/d")
    store.symlink("/a", "/d/link")
    store.rename("/d/link", "/link")
    with pytest.raises(Denied):
        store.open("/link")


def test_a_link_leads_to_no_partial_upload(store: Storage) -> None:
    partial = names.partial(b"a", OWNER).decode()
    cut(store, "/a", b"1")
    with pytest.raises(InvalidName):
        store.symlink(f"/{partial}", "/link")
    with pytest.raises(InvalidName):
        store.symlink("/a", f"/{partial}")
    assert listed(store) == []


def test_what_is_no_directory_has_nothing_in_it(store: Storage) -> None:
    put(store, "/a", b"1")
    store.symlink("/a", "/link")
    with pytest.raises(NotADirectory):
        store.stat("/link/x")
    with pytest.raises(NotADirectory):
        store.scan("/link")


def test_an_upload_through_a_link_to_a_directory_is_refused(store: Storage) -> None:
    store.mkdir("/d")
    store.symlink("/d", "/link")
    with pytest.raises(IsADirectory):
        begin(store, "/link")
    store.symlink("/", "/d/up")
    with pytest.raises(IsADirectory):
        begin(store, "/d/up")
