"""Stores to test: in memory, and on a disk with and without the accelerator and the kernel's help with paths."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from fairlead import accelerator
from fairlead.storage.local import LocalStorage, begin_new, beneath, kernel, whole
from fairlead.storage.memory import MemoryStorage


def without_openat2(*_: object) -> int:
    raise OSError(errno.ENOSYS, "no such call")


@pytest.fixture(autouse=True)
def nothing_stays_open() -> Iterator[None]:
    before = set(os.listdir("/proc/self/fd"))
    yield
    # What an earlier test of this process left may be closed meanwhile.
    assert set(os.listdir("/proc/self/fd")) <= before


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The directory a local store serves; beside it lies what nobody may reach."""
    (tmp_path / "secret").write_text("not for you")
    (tmp_path / "root").mkdir()
    return tmp_path / "root"


def choose(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let stores on a disk be of one kind."""
    if kind == "walk":
        monkeypatch.setattr(kernel, "openat2", without_openat2)
    if kind != "accelerated":
        monkeypatch.setattr(begin_new, "best", lambda: None)
        monkeypatch.setattr(whole, "best", lambda: None)
    elif accelerator.find()[1] is None:
        pytest.skip("the accelerator is not built: make install, with gcc")


@pytest.fixture(params=["accelerated", "openat2", "walk"])
def local(request: pytest.FixtureRequest, root: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalStorage]:
    choose(request.param, monkeypatch)
    with closing(LocalStorage(root)) as store:
        assert store._open is (beneath.walk if request.param == "walk" else kernel.openat2)
        yield store


@pytest.fixture(params=["memory", "accelerated", "openat2", "walk"])
def store(
    request: pytest.FixtureRequest, root: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[LocalStorage | MemoryStorage]:
    """Every kind of store; all of ``tests/storage/test_*.py`` holds for each."""
    if request.param == "memory":
        yield MemoryStorage()
        return
    choose(request.param, monkeypatch)
    with closing(LocalStorage(root)) as store:
        yield store
