"""Both ways of opening a path beneath the root agree, also where the path is odd."""

from __future__ import annotations

import ctypes
import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fairlead.errors import StorageFault
from fairlead.storage.local import LocalStorage, beneath, kernel

FIND, SEARCH, READ = os.O_PATH, os.O_PATH | os.O_DIRECTORY, os.O_RDONLY | os.O_NONBLOCK
COMPONENTS = [
    b"d",
    b"e",
    b"file",
    b"up",
    b"loop",
    b"out",
    b"abs",
    b"to-file",
    b"to-dir",
    b"slash",
    b"none",
    b".",
    b"..",
    b"",
]


@pytest.fixture
def tree(root: Path) -> Iterator[int]:
    (root / "d" / "e").mkdir(parents=True)
    (root / "d" / "file").write_text("d/file")
    (root / "file").write_text("file")
    for directory in (root, root / "d", root / "d" / "e"):
        for name, text in {
            "loop": "loop",
            "out": "../../../..",
            "abs": "/etc",
            "to-file": "file",
            "slash": "file/",
        }.items():
            (directory / name).symlink_to(text)
        (directory / "up").symlink_to("..")
        (directory / "to-dir").symlink_to("./e/")
    descriptor = os.open(root, os.O_PATH | os.O_DIRECTORY)
    yield descriptor
    os.close(descriptor)


def outcome(opener: beneath.Opener, root: int, path: bytes, flags: int) -> tuple[int, int] | str:
    try:
        descriptor = opener(root, path, flags)
    except OSError as error:
        return errno.errorcode[error.errno or 0]
    try:
        status = os.fstat(descriptor)
        return status.st_dev, status.st_ino
    finally:
        os.close(descriptor)


@settings(max_examples=500, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(names=st.lists(st.sampled_from(COMPONENTS), min_size=1, max_size=6), flags=st.sampled_from([FIND, SEARCH, READ]))
def test_the_walk_finds_what_the_kernel_finds(tree: int, names: list[bytes], flags: int) -> None:
    path = b"/".join(names).lstrip(b"/") or b"."
    assert outcome(beneath.walk, tree, path, flags) == outcome(kernel.openat2, tree, path, flags)


@pytest.mark.parametrize("name", [b"to-file", b"abs", b"loop", b"d/to-dir", b"d/up"])
def test_the_last_link_is_not_followed_when_asked(tree: int, name: bytes) -> None:
    for opener in (kernel.openat2, beneath.walk):
        descriptor = opener(tree, name, FIND | os.O_NOFOLLOW)
        assert os.readlink(b"", dir_fd=descriptor)
        os.close(descriptor)
        assert outcome(opener, tree, name, READ | os.O_NOFOLLOW) == "ELOOP"


def test_a_long_chain_of_links_ends(root: Path, tree: int) -> None:
    for number in range(50):
        (root / f"chain{number}").symlink_to(f"chain{number + 1}" if number < 49 else "file")
    for opener in (kernel.openat2, beneath.walk):
        assert outcome(opener, tree, b"chain0", FIND) == "ELOOP"
        assert outcome(opener, tree, b"chain20", FIND) == outcome(opener, tree, b"file", FIND)


@pytest.mark.parametrize("number", [errno.ENOSYS, errno.EPERM])
def test_the_walk_is_taken_where_a_sandbox_forbids_openat2(
    root: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def forbidden(*_: object) -> int:
        raise OSError(number, "no")

    monkeypatch.setattr(kernel, "openat2", forbidden)
    store = LocalStorage(root)
    assert store._open is beneath.walk
    store.close()


def test_other_faults_of_the_root_are_not_hidden(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> int:
        raise OSError(errno.EIO, "no")

    monkeypatch.setattr(kernel, "openat2", broken)
    store = LocalStorage(root)
    with pytest.raises(StorageFault):
        store.open("/file")
    store.close()


def test_the_kernel_is_asked_again_while_it_is_unsure(tree: int, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [errno.EAGAIN, errno.EINTR, errno.EAGAIN]
    real = kernel._syscall

    def unsure(*arguments: int) -> int:
        if answers:
            ctypes.set_errno(answers.pop())
            return -1
        return int(real(*arguments))

    monkeypatch.setattr(kernel, "_syscall", unsure)
    os.close(kernel.openat2(tree, b"d", FIND))
    assert not answers

    def always(*_: object) -> int:
        ctypes.set_errno(errno.EAGAIN)
        return -1

    monkeypatch.setattr(kernel, "_syscall", always)
    with pytest.raises(BlockingIOError):
        kernel.openat2(tree, b"d", FIND)


def test_a_name_swapped_for_a_link_between_look_and_open(
    root: Path, tree: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    (root / "x").write_text("x")
    real, swaps = os.open, [True]

    def swapping(name: bytes, flags: int, **rest: int) -> int:
        if name == b"x" and not flags & os.O_PATH and swaps:
            swaps.pop()
            (root / "x").unlink()
            (root / "x").symlink_to("file")
        return real(name, flags, **rest)

    monkeypatch.setattr(os, "open", swapping)
    descriptor = beneath.walk(tree, b"x", READ)
    assert os.read(descriptor, 10) == b"file"
    os.close(descriptor)
