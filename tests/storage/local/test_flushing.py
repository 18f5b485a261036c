"""Uploads committed together: few flushes, and each fault told to those whose it is."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from fairlead.errors import StorageError, StorageFault
from fairlead.storage.local import LocalStorage, flushing, kernel
from fairlead.storage.local.upload import LocalUpload
from tests.storage.acts import begin, get

NUMBER = 4


@pytest.fixture
def storage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalStorage]:
    monkeypatch.setattr("fairlead.storage.local.in_memory", lambda *_: False)
    monkeypatch.setattr(flushing, "unwritten", lambda: 0)
    (tmp_path / "root/below").mkdir(parents=True)
    with closing(LocalStorage(tmp_path / "root")) as store:
        yield store


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The calls that flush and rename, in their order; they do what they say."""
    made: list[str] = []
    fsync, syncfs, rename = os.fsync, kernel.syncfs, os.rename

    def noted_fsync(descriptor: int) -> None:
        made.append("directory" if os.path.isdir(f"/proc/self/fd/{descriptor}") else "file")
        fsync(descriptor)

    def noted_syncfs(descriptor: int) -> None:
        made.append("all")
        syncfs(descriptor)

    def noted_rename(source: bytes, target: bytes, *, src_dir_fd: int, dst_dir_fd: int) -> None:
        made.append("rename")
        rename(source, target, src_dir_fd=src_dir_fd, dst_dir_fd=dst_dir_fd)

    monkeypatch.setattr(os, "fsync", noted_fsync)
    monkeypatch.setattr(kernel, "syncfs", noted_syncfs)
    monkeypatch.setattr(os, "rename", noted_rename)
    return made


def begun(storage: LocalStorage, paths: Sequence[str]) -> list[LocalUpload]:
    uploads = []
    for path in paths:
        upload = begin(storage, path)
        assert isinstance(upload, LocalUpload)
        upload.write(path.encode())
        uploads.append(upload)
    return uploads


def commit_all(uploads: list[LocalUpload]) -> list[StorageError | None]:
    return uploads[0].together.commit_all(uploads)


PATHS = [f"/{number}" for number in range(NUMBER)]


def test_several_are_flushed_by_their_file_system_and_their_directory_once(
    storage: LocalStorage, calls: list[str]
) -> None:
    assert commit_all(begun(storage, PATHS)) == [None] * NUMBER
    assert calls == ["all", *["rename"] * NUMBER, "directory"]
    assert [get(storage, path) for path in PATHS] == [path.encode() for path in PATHS]


def test_each_directory_is_flushed(storage: LocalStorage, calls: list[str]) -> None:
    assert commit_all(begun(storage, ["/a", "/below/b", "/c", "/below/d"])) == [None] * 4
    assert calls == ["all", *["rename"] * 4, "directory", "directory"]


def test_one_is_committed_as_ever(storage: LocalStorage, calls: list[str]) -> None:
    assert commit_all(begun(storage, PATHS[:1])) == [None]
    assert calls == ["file", "rename", "directory"]


@pytest.mark.parametrize("reason", ["much is unwritten", "an old kernel tells no errors", "it failed"])
def test_otherwise_each_file_is_flushed_before_it_is_renamed(
    storage: LocalStorage, calls: list[str], monkeypatch: pytest.MonkeyPatch, reason: str
) -> None:
    def fail(_: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    if reason == "much is unwritten":
        monkeypatch.setattr(flushing, "unwritten", lambda: flushing.MUCH + 1)
    elif reason == "it failed":
        monkeypatch.setattr(kernel, "syncfs", fail)
    else:
        monkeypatch.setattr(flushing, "_tells_errors", lambda: False)
    assert commit_all(begun(storage, PATHS)) == [None] * NUMBER
    assert calls == [*["file", "rename"] * NUMBER, "directory"]


def test_the_file_that_could_not_be_flushed_has_failed_and_no_other(
    storage: LocalStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    uploads = begun(storage, PATHS)
    broken = uploads[1].fileno()

    def fsync(descriptor: int) -> None:
        if descriptor == broken:
            raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(flushing, "unwritten", lambda: flushing.MUCH + 1)
    monkeypatch.setattr(os, "fsync", fsync)
    failures = commit_all(uploads)
    assert [type(failure) for failure in failures] == [type(None), StorageFault, type(None), type(None)]
    assert [item.name for batch in storage.scan("/") for item in batch] == ["0", "2", "3", "below"]


def test_a_directory_that_could_not_be_flushed_is_a_failure_of_all_in_it(
    storage: LocalStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns: list[int] = []

    def fsync(descriptor: int) -> None:
        turns.append(descriptor)
        if len(turns) == 1:  # the kernel tells an error once
            raise OSError(errno.EIO, "Input/output error")

    uploads = begun(storage, PATHS)
    monkeypatch.setattr(os, "fsync", fsync)
    assert [type(failure) for failure in commit_all(uploads)] == [StorageFault] * NUMBER


def test_what_could_not_be_renamed_is_kept_for_a_resume(storage: LocalStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    uploads = begun(storage, PATHS[:2])
    rename = os.rename

    def fail(source: bytes, target: bytes, *, src_dir_fd: int, dst_dir_fd: int) -> None:
        if target == b"0":
            raise OSError(errno.EIO, "Input/output error")
        rename(source, target, src_dir_fd=src_dir_fd, dst_dir_fd=dst_dir_fd)

    with monkeypatch.context() as patch:
        patch.setattr(os, "rename", fail)
        failures = commit_all(uploads)
    assert [type(failure) for failure in failures] == [StorageFault, type(None)]
    resumed = begin(storage, "/0", offset=2)
    resumed.commit()
    assert get(storage, "/0") == b"/0"


def test_how_much_is_unwritten_can_be_told() -> None:
    assert flushing.unwritten() >= 0
