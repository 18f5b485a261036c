"""Claiming partials and removing idle ones, when something happens in between."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from fairlead.errors import Busy, StorageFault
from fairlead.storage import names
from fairlead.storage.local import LocalStorage, partial
from tests.storage.acts import begin, cut, get, listed

NAME = b".fairlead-0123456789abcdef-0123456789abcdef.part"


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[int]:
    descriptor = os.open(tmp_path, os.O_RDONLY)
    yield descriptor
    os.close(descriptor)


def test_a_partial_is_claimed_once(directory: int) -> None:
    claimed = partial.claim(directory, NAME, os.O_CREAT)
    assert claimed is not None
    assert partial.claim(directory, NAME, 0) is None
    assert not partial.remove_idle(directory, NAME)
    os.close(claimed[0])
    assert partial.remove_idle(directory, NAME)
    assert partial.claim(directory, NAME, 0) is None
    assert partial.remove_idle(directory, NAME)


def test_a_name_that_is_taken_is_not_claimed_anew(directory: int, tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(NAME)).touch()
    assert partial.claim(directory, NAME, os.O_CREAT | os.O_EXCL) is None


def test_only_what_is_old_enough_is_removed(directory: int, tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(NAME)
    path.touch()
    os.utime(path, (1_000, 1_000))
    assert not partial.remove_idle(directory, NAME, before=999)
    assert partial.remove_idle(directory, NAME, before=1_000)
    assert not path.exists()


def test_a_lock_that_fails_is_a_fault(directory: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(fcntl, "flock", broken)
    with pytest.raises(OSError, match="Input/output"):
        partial.claim(directory, NAME, os.O_CREAT)


@pytest.mark.parametrize("instead", [False, True], ids=["gone", "another"])
def test_a_name_that_leads_elsewhere_once_it_is_locked(
    directory: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, instead: bool
) -> None:
    path = tmp_path / os.fsdecode(NAME)
    path.touch()
    real = fcntl.flock

    def late(descriptor: int, how: int) -> None:
        path.unlink()
        if instead:
            path.touch()
        real(descriptor, how)

    monkeypatch.setattr(fcntl, "flock", late)
    assert partial.claim(directory, NAME, 0) is None
    path.touch()
    assert not partial.remove_idle(directory, NAME)
    assert path.exists() == instead


def test_what_goes_while_it_is_removed_is_removed(
    directory: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / os.fsdecode(NAME)).touch()
    real = os.unlink

    def twice(name: bytes, *, dir_fd: int) -> None:
        real(name, dir_fd=dir_fd)
        real(name, dir_fd=dir_fd)

    monkeypatch.setattr(os, "unlink", twice)
    assert partial.remove_idle(directory, NAME)


@pytest.mark.req("S-SEC-9")
def test_what_another_session_lets_go_of_just_now_is_gone_on_with(
    plain: LocalStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = begin(plain, "/a")
    live.write(b"12345")
    real = partial.claim

    def late(directory: int, name: bytes, flags: int, mode: int = 0o600) -> tuple[int, os.stat_result] | None:
        claimed = real(directory, name, flags, mode)
        live.keep()
        return claimed

    monkeypatch.setattr(partial, "claim", late)
    upload = begin(plain, "/a", offset=5)
    upload.write(b"6")
    upload.commit()
    assert get(plain, "/a") == b"123456"


def test_no_spare_name_is_free(plain: LocalStorage, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    live = begin(plain, "/a")
    (root / "x").touch()
    monkeypatch.setattr(names, "spare", lambda _: b"x")
    with pytest.raises(Busy):
        begin(plain, "/a")
    live.discard()


def test_a_link_that_goes_while_it_is_read(plain: LocalStorage, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def vanishing(name: bytes, *, dir_fd: int) -> bytes:
        os.unlink(name, dir_fd=dir_fd)
        raise FileNotFoundError(errno.ENOENT, "No such file or directory")

    (root / "a").symlink_to("b")
    with monkeypatch.context() as patch:
        patch.setattr(os, "readlink", vanishing)
        upload = begin(plain, "/a")
    upload.write(b"1")
    upload.commit()
    assert get(plain, "/a") == b"1"


def test_a_link_that_cannot_be_read(plain: LocalStorage, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> bytes:
        raise OSError(errno.EIO, "Input/output error")

    (root / "a").symlink_to("b")
    monkeypatch.setattr(os, "readlink", broken)
    with pytest.raises(StorageFault):
        begin(plain, "/a")
    assert listed(plain) == []


def test_what_cannot_be_kept_is_left_to_the_sweep(
    plain: LocalStorage, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    first, second = begin(plain, "/a"), begin(plain, "/a")
    second.write(b"2")
    first.discard()
    with monkeypatch.context() as patch:
        patch.setattr(os, "rename", broken)
        second.keep()
    assert len(os.listdir(root)) == 2
    assert plain.sweep(-1) == 2
    cut(plain, "/a", b"1")
