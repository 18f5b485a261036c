"""Status, directories, removing, renaming and changing, in every kind of store."""

from __future__ import annotations

import stat

import pytest

from fairlead.errors import (
    AlreadyExists,
    Denied,
    InvalidName,
    IsADirectory,
    NotADirectory,
    NotEmpty,
    NotFound,
)
from fairlead.storage.base import Storage
from tests.storage.acts import get, listed, put


def test_the_root_is_a_directory(store: Storage) -> None:
    assert stat.S_ISDIR(store.stat("/").st_mode)


def test_status_of_a_file(store: Storage) -> None:
    put(store, "/a.txt", b"12345")
    status = store.stat("/a.txt")
    assert stat.S_ISREG(status.st_mode)
    assert status.st_size == 5
    assert abs(status.st_mtime_ns / 1e9 - status.st_mtime) < 1


def test_status_below_a_directory(store: Storage) -> None:
    store.mkdir("/d")
    put(store, "/d/a.txt", b"123")
    assert store.stat("/d/a.txt").st_size == 3
    assert store.stat("/d/a.txt", follow=False).st_size == 3
    assert store.stat("/d/a.txt").st_ino != store.stat("/d").st_ino


@pytest.mark.parametrize("path", ["/none", "/none/a", "/d/none"])
def test_what_is_not_there_is_not_found(store: Storage, path: str) -> None:
    store.mkdir("/d")
    with pytest.raises(NotFound):
        store.stat(path)
    with pytest.raises(NotFound):
        store.open(path)
    with pytest.raises(NotFound):
        store.scan(path)
    with pytest.raises(NotFound):
        store.remove(path)
    with pytest.raises(NotFound):
        store.rmdir(path)
    with pytest.raises(NotFound):
        store.rename(path, "/other")
    with pytest.raises(NotFound):
        store.change(path, mode=0o600)
    with pytest.raises(NotFound):
        store.free(path)


def test_a_file_is_no_directory(store: Storage) -> None:
    put(store, "/a")
    for path in ("/a/b", "/a/b/c"):
        with pytest.raises(NotADirectory):
            store.stat(path)
        with pytest.raises(NotADirectory):
            store.open(path)
        with pytest.raises(NotADirectory):
            store.mkdir(path)
        with pytest.raises(NotADirectory):
            put(store, path)
    with pytest.raises(NotADirectory):
        store.scan("/a")
    with pytest.raises(NotADirectory):
        store.rmdir("/a")


def test_a_directory_is_no_file(store: Storage) -> None:
    store.mkdir("/d")
    for path in ("/", "/d"):
        with pytest.raises(IsADirectory):
            store.open(path)
        with pytest.raises(IsADirectory):
            store.remove(path)
        with pytest.raises(IsADirectory):
            put(store, path)


def test_mkdir_and_rmdir(store: Storage) -> None:
    store.mkdir("/d")
    store.mkdir("/d/e")
    assert stat.S_IMODE(store.stat("/d/e").st_mode) == 0o755
    with pytest.raises(NotEmpty):
        store.rmdir("/d")
    store.rmdir("/d/e")
    store.rmdir("/d")
    assert listed(store) == []


def test_mkdir_of_a_name_that_is_taken(store: Storage) -> None:
    store.mkdir("/d")
    put(store, "/a")
    for path in ("/", "/d", "/a"):
        with pytest.raises(AlreadyExists):
            store.mkdir(path)


def test_the_root_stays(store: Storage) -> None:
    with pytest.raises(Denied):
        store.rmdir("/")
    with pytest.raises(Denied):
        store.rename("/", "/a")
    put(store, "/a")
    with pytest.raises(AlreadyExists):
        store.rename("/a", "/")


def test_rmdir_of_what_holds_files(store: Storage) -> None:
    store.mkdir("/d")
    put(store, "/d/a", b"1")
    with pytest.raises(NotEmpty):
        store.rmdir("/d")
    assert get(store, "/d/a") == b"1"


def test_remove(store: Storage) -> None:
    put(store, "/a", b"1")
    store.remove("/a")
    assert listed(store) == []


def test_a_file_open_while_removed_can_be_read_to_its_end(store: Storage) -> None:
    put(store, "/a", b"12345")
    source = store.open("/a")
    store.remove("/a")
    assert source.read(10, 0) == b"12345"
    source.close()


def test_rename_within_and_between_directories(store: Storage) -> None:
    store.mkdir("/d")
    put(store, "/a", b"1")
    store.rename("/a", "/b")
    store.rename("/b", "/d/c")
    assert listed(store) == ["d"]
    assert get(store, "/d/c") == b"1"
    store.rename("/d", "/e")
    assert get(store, "/e/c") == b"1"


def test_rename_replaces_a_file(store: Storage) -> None:
    put(store, "/a", b"new")
    put(store, "/b", b"old")
    store.rename("/a", "/b")
    assert get(store, "/b") == b"new"
    assert listed(store) == ["b"]


@pytest.mark.parametrize("source", ["/a", "/d"])
@pytest.mark.parametrize("target", ["/empty", "/full"])
def test_rename_never_replaces_a_directory(store: Storage, source: str, target: str) -> None:
    put(store, "/a")
    for path in ("/d", "/empty", "/full"):
        store.mkdir(path)
    put(store, "/full/x")
    with pytest.raises(AlreadyExists):
        store.rename(source, target)
    assert listed(store) == ["a", "d", "empty", "full"]


def test_rename_of_a_directory_never_replaces_a_file(store: Storage) -> None:
    put(store, "/a")
    store.mkdir("/d")
    with pytest.raises(AlreadyExists):
        store.rename("/d", "/a")


def test_rename_to_itself_changes_nothing(store: Storage) -> None:
    put(store, "/a", b"1")
    store.mkdir("/d")
    store.rename("/a", "/a")
    store.rename("/d", "/d")
    assert get(store, "/a") == b"1"


def test_a_directory_cannot_move_into_itself(store: Storage) -> None:
    store.mkdir("/d")
    store.mkdir("/d/e")
    with pytest.raises(InvalidName):
        store.rename("/d", "/d/e/f")


def test_rename_into_a_directory_that_is_not_there(store: Storage) -> None:
    put(store, "/a")
    with pytest.raises(NotFound):
        store.rename("/a", "/none/a")


def test_permission_bits_change(store: Storage) -> None:
    put(store, "/a", b"1")
    assert stat.S_IMODE(store.change("/a", mode=0o640).st_mode) == 0o640
    assert stat.S_IMODE(store.stat("/a").st_mode) == 0o640
    assert stat.S_IMODE(store.change("/a", mode=0o4777).st_mode) == 0o777


def test_times_change_one_at_a_time(store: Storage) -> None:
    put(store, "/a", b"1")
    status = store.change("/a", modified_ns=1_057_060_357_123_000_000)
    assert status.st_mtime_ns == 1_057_060_357_123_000_000
    accessed = status.st_atime_ns
    assert accessed > status.st_mtime_ns
    status = store.change("/a", accessed_ns=5_000_000_000)
    assert (status.st_atime_ns, status.st_mtime_ns) == (5_000_000_000, 1_057_060_357_123_000_000)


def test_directories_change_too(store: Storage) -> None:
    store.mkdir("/d")
    status = store.change("/d", mode=0o700, modified_ns=10**18)
    assert (stat.S_IMODE(status.st_mode), status.st_mtime_ns) == (0o700, 10**18)


def test_free_is_a_number_of_octets(store: Storage) -> None:
    store.mkdir("/d")
    assert store.free("/") > 0
    assert store.free("/d") > 0


@pytest.mark.parametrize("name", ["x" * 256, "é" * 128])
def test_a_name_that_is_too_long(store: Storage, name: str) -> None:
    with pytest.raises(InvalidName):
        store.mkdir(f"/{name}")
    with pytest.raises(InvalidName):
        put(store, f"/{name}")
    put(store, "/a")
    with pytest.raises(InvalidName):
        store.rename("/a", f"/{name}")


@pytest.mark.req("S-SEC-6")
@pytest.mark.parametrize("path", ["/..", "/../secret", "/d/../../secret", "/.", "/a\0b", "secret", ""])
def test_paths_that_are_not_normalised_are_refused(store: Storage, path: str) -> None:
    store.mkdir("/d")
    put(store, "/a", b"1")
    for act in (store.stat, store.open, store.scan, store.mkdir, store.rmdir, store.remove, store.free):
        with pytest.raises(InvalidName):
            act(path)
    with pytest.raises(InvalidName):
        put(store, path)
    with pytest.raises(InvalidName):
        store.rename("/a", path)
    with pytest.raises(InvalidName):
        store.rename(path, "/b")
    with pytest.raises(InvalidName):
        store.change(path, mode=0o777)
    assert listed(store) == ["a", "d"]
