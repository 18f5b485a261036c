"""Small files read whole: by the accelerator and by Python, and what is left to ``open``."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from fairlead import accelerator
from fairlead.errors import InvalidName, StorageError
from fairlead.storage.local import LocalStorage, beneath, whole

LIMIT = 1000


@pytest.fixture(params=["accelerated", "portable", "walking"])
def storage(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalStorage]:
    if request.param == "accelerated" and accelerator.find()[1] is None:
        pytest.skip("the accelerator is not built: make install, with gcc")
    if request.param == "portable":
        monkeypatch.setattr(whole, "best", lambda: None)
    if request.param == "walking":
        monkeypatch.setattr(beneath, "best", lambda _: beneath.walk)
    (tmp_path / "root").mkdir()
    with closing(LocalStorage(tmp_path / "root")) as made:
        yield made


def attempt(storage: LocalStorage, path: str) -> bytes | None:
    """What comes, None where it is refused in either way."""
    try:
        return storage.whole(path, LIMIT)
    except StorageError:
        return None


@pytest.mark.parametrize("size", [0, 1, LIMIT])
def test_a_small_file_comes_whole(storage: LocalStorage, tmp_path: Path, size: int) -> None:
    content = os.urandom(size)
    (tmp_path / "root/below").mkdir()
    (tmp_path / "root/below/file").write_bytes(content)
    (tmp_path / "root/link").symlink_to("below/file")
    assert storage.whole("/below/file", LIMIT) == content
    assert storage.whole("/link", LIMIT) == content


def test_files_of_all_sizes_can_follow_one_another(storage: LocalStorage, tmp_path: Path) -> None:
    for size in (300, 7, 900):
        (tmp_path / "root/file").write_bytes(b"x" * size)
        assert storage.whole("/file", LIMIT) == b"x" * size
    assert storage.whole("/file", 2 * LIMIT) == b"x" * 900


def test_a_larger_file_is_left_to_open(storage: LocalStorage, tmp_path: Path) -> None:
    (tmp_path / "root/file").write_bytes(bytes(LIMIT + 1))
    assert storage.whole("/file", LIMIT) is None


def test_what_is_no_file_or_lies_outside_is_never_read(storage: LocalStorage, tmp_path: Path) -> None:
    (tmp_path / "outside").write_text("not served")
    (tmp_path / "root/directory").mkdir()
    (tmp_path / "root/relative").symlink_to("../outside")
    (tmp_path / "root/absolute").symlink_to(tmp_path / "outside")
    os.mkfifo(tmp_path / "root/fifo")
    for path in ("/missing", "/directory", "/", "/relative", "/absolute", "/fifo", "/directory/below"):
        assert attempt(storage, path) is None


def test_names_that_no_client_may_use_are_refused(storage: LocalStorage) -> None:
    with pytest.raises(InvalidName):
        storage.whole("/../outside", LIMIT)


def test_nothing_stays_open(storage: LocalStorage, tmp_path: Path) -> None:
    (tmp_path / "root/file").write_bytes(b"content")
    (tmp_path / "root/large").write_bytes(bytes(LIMIT + 1))
    storage.whole("/file", LIMIT)
    before = os.listdir("/proc/self/fd")
    for path in ("/file", "/large", "/missing", "/"):
        attempt(storage, path)
    assert os.listdir("/proc/self/fd") == before
