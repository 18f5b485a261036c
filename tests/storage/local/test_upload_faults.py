"""Faults of the disk while a file is stored: the old file stands, nothing stays locked, the next upload works."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

import pytest

from fairlead.errors import NoSpace, NotFound, StorageError, StorageFault
from fairlead.storage.base import Intent, Upload
from fairlead.storage.local import LocalStorage, kernel, partial
from tests.storage.acts import OWNER, begin, cut, get, listed, put


def failing(real: Callable[..., object], number: int, turn: int = 1) -> Callable[..., object]:
    """``real``, but its ``turn``-th call fails."""
    turns = iter(range(1, 1 << 30))

    def act(*arguments: object, **rest: object) -> object:
        if next(turns) == turn:
            raise OSError(number, os.strerror(number))
        return real(*arguments, **rest)

    return act


def finish(stored: Upload) -> None:
    stored.write(b"second")
    stored.commit()


@pytest.mark.parametrize(
    ("number", "error"), [(errno.EIO, StorageFault), (errno.ENOSPC, NoSpace), (errno.EDQUOT, NoSpace)]
)
@pytest.mark.parametrize("call", ["write", "fsync", "rename"])
@pytest.mark.parametrize("path", ["/old", "/new"])
def test_the_old_file_stands(
    local: LocalStorage, monkeypatch: pytest.MonkeyPatch, call: str, number: int, error: type[StorageError], path: str
) -> None:
    put(local, "/old", b"old")
    stored = begin(local, path)
    stored.write(b"first")
    with monkeypatch.context() as patch:
        patch.setattr(os, call, failing(getattr(os, call), number))
        with pytest.raises(error):
            finish(stored)
    stored.keep()
    assert get(local, "/old") == b"old"
    assert listed(local) == ["old"]
    put(local, path, b"next")
    assert get(local, path) == b"next"


def test_nothing_is_resumed_from_what_could_not_be_flushed(
    local: LocalStorage, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = begin(local, "/a")
    stored.write(b"123")
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", failing(os.fsync, errno.EIO))
        with pytest.raises(StorageFault):
            stored.commit()
    assert os.listdir(root) == []


def test_what_could_not_be_renamed_is_resumed(local: LocalStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    stored = begin(local, "/a")
    stored.write(b"123")
    with monkeypatch.context() as patch:
        patch.setattr(os, "rename", failing(os.rename, errno.EIO))
        with pytest.raises(StorageFault):
            stored.commit()
    put(local, "/a", b"4", offset=3)
    assert get(local, "/a") == b"1234"


def test_a_directory_that_could_not_be_flushed_is_no_success(
    local: LocalStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = begin(local, "/a")
    stored.write(b"123")
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", failing(os.fsync, errno.EIO, turn=2))
        with pytest.raises(StorageFault):
            stored.commit()
    assert get(local, "/a") == b"123"


def test_a_directory_that_knows_no_flush_is_flushed_with_its_file_system(
    local: LocalStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = begin(local, "/a")
    answers = iter([0])
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", failing(os.fsync, errno.EINVAL, turn=2))
        patch.setattr(kernel, "_syncfs", lambda _: next(answers))
        stored.commit()
    assert list(answers) == []
    stored = begin(local, "/a")
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", failing(os.fsync, errno.EINVAL, turn=2))
        patch.setattr(kernel, "_syncfs", lambda _: ctypes.set_errno(errno.EIO) or -1)
        with pytest.raises(StorageFault):
            stored.commit()


@pytest.mark.parametrize("intent", [Intent.REPLACE, Intent.APPEND, Intent.UNIQUE])
@pytest.mark.parametrize("call", ["ftruncate", "fchmod", "fstat", "copy_file_range", "lseek"])
def test_a_fault_at_the_beginning_leaves_nothing_locked(
    local: LocalStorage, monkeypatch: pytest.MonkeyPatch, call: str, intent: Intent
) -> None:
    path = "/new" if intent is Intent.UNIQUE else "/a"
    put(local, "/a", b"old")
    local.change("/a", mode=0o600)
    cut(local, path, b"12345")
    with monkeypatch.context() as patch:
        patch.setattr(os, call, failing(getattr(os, call), errno.EIO))
        with suppress(StorageFault):
            begin(local, path, intent=intent).discard()
    assert listed(local) == ["a"]
    stored = local.create(path, intent=Intent.REPLACE, owner=OWNER)
    assert stored._work.name == stored._work.kept_as
    stored.write(b"next")
    stored.commit()
    assert get(local, path) == b"next"


def test_a_file_system_without_locks(local: LocalStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    def without(*_: object) -> None:
        raise OSError(errno.ENOLCK, "no locks")

    monkeypatch.setattr(fcntl, "flock", without)
    first, second = begin(local, "/a"), begin(local, "/a")
    first.write(b"1")
    second.write(b"22")
    first.commit()
    second.commit()
    assert get(local, "/a") == b"22"
    put(local, "/a", b"3", intent=Intent.APPEND)
    cut(local, "/a", b"lost")
    assert get(local, "/a") == b"223"
    assert listed(local) == ["a"]


def test_a_partial_that_was_committed_before_it_could_be_locked_is_not_written_over(
    local: LocalStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = begin(local, "/a")
    first.write(b"first")
    real = fcntl.flock

    def late(descriptor: int, how: int) -> None:
        monkeypatch.setattr(fcntl, "flock", real)
        first.commit()
        real(descriptor, how)

    monkeypatch.setattr(fcntl, "flock", late)
    second = begin(local, "/a")
    assert get(local, "/a") == b"first"
    second.write(b"second")
    assert get(local, "/a") == b"first"
    second.commit()
    assert get(local, "/a") == b"second"


@pytest.mark.parametrize("kind", ["directory", "link", "fifo", "hard link"])
def test_something_else_under_the_name_of_the_partial(local: LocalStorage, root: Path, kind: str) -> None:
    cut(local, "/a", b"1")
    [name] = os.listdir(root)
    (root / name).unlink()
    (root / "victim").write_text("victim")
    match kind:
        case "directory":
            (root / name).mkdir()
        case "link":
            (root / name).symlink_to("victim")
        case "fifo":
            os.mkfifo(root / name)
        case "hard link":
            (root / name).hardlink_to(root / "victim")
    if kind != "hard link":
        with pytest.raises(NotFound):
            local.stat("/a", owner=OWNER)
    put(local, "/a", b"new")
    cut(local, "/a", b"cut")
    put(local, "/a", b"+", intent=Intent.APPEND)
    assert get(local, "/a") == b"new+"
    assert get(local, "/victim") == b"victim"


def test_an_upload_nobody_ended_is_kept(local: LocalStorage) -> None:
    stored = begin(local, "/a")
    stored.write(b"123")
    del stored
    assert local.stat("/a", owner=OWNER).st_size == 3


@pytest.mark.parametrize("end", ["close", "drop"])
def test_an_upload_outlives_its_store(root: Path, end: str) -> None:
    store = LocalStorage(root)
    stored = begin(store, "/a")
    if end == "close":
        store.close()
        with pytest.raises(StorageFault):
            store.stat("/a")
    del store
    others = [os.open(root.parent, os.O_RDONLY) for _ in range(10)]
    stored.write(b"123")
    stored.commit()
    for other in others:
        os.close(other)
    assert (root / "a").read_bytes() == b"123"


def test_a_directory_that_vanished_with_the_upload(local: LocalStorage, root: Path) -> None:
    local.mkdir("/d")
    stored = begin(local, "/d/a")
    stored.write(b"1")
    for path in (root / "d").iterdir():
        path.unlink()
    (root / "d").rmdir()
    with pytest.raises(NotFound):
        stored.commit()
    stored = begin(local, "/b")
    stored.discard()


def test_a_partial_removed_meanwhile_is_no_success(local: LocalStorage, root: Path) -> None:
    stored = begin(local, "/a")
    stored.write(b"1")
    for path in root.iterdir():
        path.unlink()
    with pytest.raises(NotFound):
        stored.commit()
    assert listed(local) == []


def test_the_sweep_passes_by_what_it_cannot_remove(
    local: LocalStorage, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut(local, "/a", b"1")
    with monkeypatch.context() as patch:
        patch.setattr(os, "unlink", failing(os.unlink, errno.EPERM))
        assert local.sweep(-1) == 0
    assert local.sweep(-1) == 1
    assert os.listdir(root) == []


def test_the_sweep_does_not_follow_links(local: LocalStorage, root: Path) -> None:
    outside = root.parent / "outside"
    outside.mkdir()
    with_partial = outside / ".fairlead-0123456789abcdef-0123456789abcdef.part"
    with_partial.touch()
    (root / "link").symlink_to("../outside")
    (root / "here").symlink_to(".")
    assert local.sweep(-1) == 0
    assert with_partial.exists()


def test_a_partial_taken_while_the_sweep_looks_at_it_stays(local: LocalStorage, root: Path) -> None:
    cut(local, "/a", b"123")
    resumed = begin(local, "/a", offset=3)
    directory = os.open(root, os.O_RDONLY)
    [name] = os.listdir(root)
    assert not partial.remove_idle(directory, name.encode())
    os.close(directory)
    resumed.commit()
    assert get(local, "/a") == b"123"


def test_short_writes_are_continued(local: LocalStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.write
    stored = begin(local, "/a")
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda descriptor, data: real(descriptor, bytes(data)[:3]))
        stored.write(b"0123456789")
    assert stored.position == 10
    stored.commit()
    assert get(local, "/a") == b"0123456789"


def test_who_writes_to_the_descriptor_adds_to_the_position(local: LocalStorage) -> None:
    cut(local, "/a", b"12345")
    stored = begin(local, "/a", offset=3)
    descriptor = stored.fileno()
    assert descriptor is not None
    assert os.lseek(descriptor, 0, os.SEEK_CUR) == stored.position == 3
    stored.position += os.write(descriptor, b"x")
    stored.write(b"y")
    stored.commit()
    assert get(local, "/a") == b"123xy"


@pytest.mark.parametrize("durability", ["full", "relaxed"])
def test_only_relaxed_durability_is_prompt_on_a_disk(
    root: Path, durability: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fairlead.storage.local.in_memory", lambda *_: False)
    flushed: list[int] = []
    monkeypatch.setattr(os, "fsync", flushed.append)
    store = LocalStorage(root, durability=durability)  # type: ignore[arg-type]
    stored = begin(store, "/a")
    assert stored.prompt == (durability == "relaxed")
    stored.commit()
    assert len(flushed) == (2 if durability == "full" else 0)
    store.close()


@pytest.mark.req("S-1123-RST-2")
def test_a_flush_makes_the_octets_durable_and_the_name_once(
    local: LocalStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = begin(local, "/a")
    calls: list[str] = []
    flush_data, flush_all = os.fdatasync, os.fsync

    def fdatasync(descriptor: int) -> None:
        calls.append("data")
        flush_data(descriptor)

    def fsync(descriptor: int) -> None:
        calls.append("all")
        flush_all(descriptor)

    monkeypatch.setattr(os, "fdatasync", fdatasync)
    monkeypatch.setattr(os, "fsync", fsync)
    for part in (b"1", b"2"):
        stored.write(part)
        stored.flush()
    assert calls == ["data", "all", "data"]
    stored.discard()


@pytest.mark.parametrize("call", ["fdatasync", "fsync"])
def test_a_flush_that_fails_is_told(local: LocalStorage, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    stored = begin(local, "/a")
    stored.write(b"1")
    with monkeypatch.context() as patch:
        patch.setattr(os, call, failing(getattr(os, call), errno.EIO))
        with pytest.raises(StorageFault):
            stored.flush()
    stored.discard()
    assert listed(local) == []


def test_nothing_is_flushed_where_durability_is_relaxed(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "fdatasync")
    with closing(LocalStorage(root, durability="relaxed")) as store:
        stored = begin(store, "/a")
        stored.write(b"1")
        stored.flush()
        stored.commit()
        assert get(store, "/a") == b"1"
