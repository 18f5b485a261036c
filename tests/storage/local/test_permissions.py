"""Who may do what, and whose the files are."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from fairlead.errors import Denied
from fairlead.storage.base import Intent
from fairlead.storage.local import LocalStorage
from tests.storage.acts import begin, cut, get, listed, put

NOBODY = 65534


@pytest.fixture
def open_root(root: Path) -> Path:
    if os.geteuid():
        pytest.skip("acting as another user needs root")
    root.chmod(0o777)
    return root


@contextmanager
def acting_as(user: int) -> Iterator[None]:
    os.setegid(user)
    os.seteuid(user)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
@pytest.mark.parametrize("inherited", [0o000, 0o077])
def test_the_umask_of_the_store_decides(root: Path, umask: int, inherited: int) -> None:
    before = os.umask(inherited)
    try:
        with closing(LocalStorage(root, umask=umask)) as store:
            store.mkdir("/d")
            put(store, "/d/a", b"1")
            put(store, "/d/u", b"1", intent=Intent.UNIQUE)
            cut(store, "/d/p", b"1")
    finally:
        os.umask(before)
    assert mode(root / "d") == 0o777 & ~umask
    assert [mode(path) for path in (root / "d").iterdir()] == [0o666 & ~umask] * 3


def test_the_group_of_a_setgid_directory_is_inherited(local: LocalStorage, root: Path) -> None:
    root.chmod(0o2775)
    local.mkdir("/d")
    assert mode(root / "d") == 0o2755
    local.change("/d", mode=0o700)
    assert mode(root / "d") == 0o2700


def test_a_replaced_file_keeps_its_owner_where_that_may_be(open_root: Path) -> None:
    with closing(LocalStorage(open_root)) as store:
        put(store, "/a", b"old")
        os.chown(open_root / "a", NOBODY, NOBODY)
        put(store, "/a", b"new")
        assert ((open_root / "a").stat().st_uid, (open_root / "a").stat().st_gid) == (NOBODY, NOBODY)
        os.chown(open_root / "a", 0, 0)
        (open_root / "a").chmod(0o666)
        with acting_as(NOBODY):
            put(store, "/a", b"mine")
        assert (open_root / "a").stat().st_uid == NOBODY
        assert mode(open_root / "a") == 0o666


def test_a_file_that_must_not_be_written_to_is_not_replaced(open_root: Path) -> None:
    (open_root / "other").write_text("old")
    (open_root / "mine").write_text("old")
    (open_root / "mine").chmod(0o444)
    os.chown(open_root / "mine", NOBODY, NOBODY)
    with closing(LocalStorage(open_root)) as store, acting_as(NOBODY):
        for path in ("/other", "/mine"):
            for intent in (Intent.REPLACE, Intent.APPEND):
                with pytest.raises(Denied):
                    begin(store, path, intent=intent)
            assert get(store, path) == b"old"
        store.change("/mine", mode=0o644)
        put(store, "/mine", b"new")


def test_a_file_that_must_not_be_read_can_be_changed_by_its_owner(open_root: Path) -> None:
    (open_root / "a").write_text("old")
    (open_root / "a").chmod(0)
    os.chown(open_root / "a", NOBODY, NOBODY)
    with closing(LocalStorage(open_root)) as store, acting_as(NOBODY):
        with pytest.raises(Denied):
            store.open("/a")
        with pytest.raises(Denied):
            put(store, "/a", b"x", offset=1)
        store.change("/a", mode=0o600, modified_ns=10**18)
        assert get(store, "/a") == b"old"


def test_a_file_that_must_not_be_read_is_not_taken_for_an_empty_one(open_root: Path) -> None:
    (open_root / "a").write_text("old")
    (open_root / "a").chmod(0o200)
    os.chown(open_root / "a", NOBODY, NOBODY)
    with closing(LocalStorage(open_root)) as store, acting_as(NOBODY):
        for intent in (Intent.APPEND, Intent.UPDATE):
            with pytest.raises(Denied):
                begin(store, "/a", intent=intent)
    assert (open_root / "a").read_text() == "old"
    assert os.listdir(open_root) == ["a"]


@pytest.mark.parametrize("durability", ["full", "relaxed"])
def test_a_directory_that_must_not_be_read_takes_uploads(open_root: Path, durability: str) -> None:
    (open_root / "incoming").mkdir()
    (open_root / "incoming").chmod(0o733)
    with closing(LocalStorage(open_root, durability=durability)) as store, acting_as(NOBODY):  # type: ignore[arg-type]
        put(store, "/incoming/a", b"1")
        with pytest.raises(Denied):
            store.scan("/incoming")
        assert get(store, "/incoming/a") == b"1"


def test_a_directory_that_must_not_be_written_to(open_root: Path) -> None:
    (open_root / "d").mkdir()
    (open_root / "d" / "a").write_text("old")
    (open_root / "d" / "a").chmod(0o666)
    with closing(LocalStorage(open_root)) as store, acting_as(NOBODY):
        for intent in (Intent.REPLACE, Intent.APPEND):
            with pytest.raises(Denied):
                begin(store, "/d/a", intent=intent)
        with pytest.raises(Denied):
            begin(store, "/d/new", intent=Intent.UNIQUE)
        with pytest.raises(Denied):
            store.mkdir("/d/new")
        with pytest.raises(Denied):
            store.remove("/d/a")
        with pytest.raises(Denied):
            store.rename("/d/a", "/a")
        with pytest.raises(Denied):
            store.change("/d", mode=0o777)


def test_a_directory_that_must_not_be_searched_hides_all_status(open_root: Path) -> None:
    (open_root / "d").mkdir()
    (open_root / "d" / "a").write_text("1")
    (open_root / "d").chmod(0o744)
    with closing(LocalStorage(open_root)) as store, acting_as(NOBODY):
        assert listed(store, "/d") == []
        with pytest.raises(Denied):
            store.stat("/d/a")


def test_a_partial_of_another_user_of_the_system_is_left_alone(open_root: Path) -> None:
    with closing(LocalStorage(open_root)) as store:
        cut(store, "/a", b"123")
        with acting_as(NOBODY):
            put(store, "/a", b"new")
        assert get(store, "/a") == b"new"
        put(store, "/a", b"4", offset=3)
        assert get(store, "/a") == b"1234"


def test_the_sweep_passes_by_directories_that_must_not_be_read(open_root: Path) -> None:
    (open_root / "d").mkdir()
    with closing(LocalStorage(open_root)) as store:
        cut(store, "/d/a", b"1")
        (open_root / "d").chmod(0o700)
        with acting_as(NOBODY):
            cut(store, "/b", b"1")
            assert store.sweep(-1) == 1
        assert store.sweep(-1) == 1
