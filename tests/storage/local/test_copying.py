"""Copying the head of a file, with each way the kernel may offer or refuse."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from fairlead.storage.local import copying

DATA = bytes(range(256)) * 40


@pytest.fixture
def files(tmp_path: Path) -> Iterator[tuple[int, int]]:
    (tmp_path / "source").write_bytes(DATA)
    source = os.open(tmp_path / "source", os.O_RDONLY)
    target = os.open(tmp_path / "target", os.O_RDWR | os.O_CREAT)
    yield source, target
    os.close(source)
    os.close(target)


def refuse(number: int) -> object:
    def refused(*_: object) -> int:
        raise OSError(number, os.strerror(number))

    return refused


def cloned(target: int, request: int, source: int) -> int:
    assert request == 0x40049409
    os.pwrite(target, os.pread(source, 1 << 20, 0), 0)
    return 0


@pytest.mark.parametrize("size", [0, 1, 5_000, len(DATA)])
@pytest.mark.parametrize("way", ["clone", "copy_file_range", "sendfile"])
def test_the_head_comes_over_and_writing_goes_on_behind_it(
    files: tuple[int, int], monkeypatch: pytest.MonkeyPatch, way: str, size: int
) -> None:
    monkeypatch.setattr(fcntl, "ioctl", cloned if way == "clone" else refuse(errno.EOPNOTSUPP))
    if way == "sendfile":
        monkeypatch.setattr(os, "copy_file_range", refuse(errno.EXDEV))
    source, target = files
    assert copying.copy_head(source, target, size) == size
    os.write(target, b"more")
    assert os.pread(target, 1 << 20, 0) == DATA[:size] + b"more"


@pytest.mark.parametrize("way", ["clone", "copy_file_range"])
def test_a_source_that_shrank_gives_what_it_has(
    files: tuple[int, int], monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    monkeypatch.setattr(fcntl, "ioctl", cloned if way == "clone" else refuse(errno.ENOTTY))
    source, target = files
    assert copying.copy_head(source, target, len(DATA) + 1) == len(DATA)
    assert os.lseek(target, 0, os.SEEK_CUR) == len(DATA)


def test_faults_of_the_disk_are_raised(files: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    source, target = files
    monkeypatch.setattr(fcntl, "ioctl", refuse(errno.ENOSPC))
    with pytest.raises(OSError, match="No space"):
        copying.copy_head(source, target, 10)
    monkeypatch.setattr(fcntl, "ioctl", refuse(errno.EOPNOTSUPP))
    monkeypatch.setattr(os, "copy_file_range", refuse(errno.EIO))
    with pytest.raises(OSError, match="Input/output"):
        copying.copy_head(source, target, 10)


@pytest.mark.parametrize("way", ["copy_file_range", "sendfile", "no holes"])
@pytest.mark.parametrize("size", [100, 5_000_000, 5_000_003, 9_000_000, 12_000_000])
def test_holes_stay_holes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str, size: int) -> None:
    monkeypatch.setattr(fcntl, "ioctl", refuse(errno.EOPNOTSUPP))
    if way == "sendfile":
        monkeypatch.setattr(os, "copy_file_range", refuse(errno.EXDEV))
    with (tmp_path / "source").open("wb+") as source, (tmp_path / "target").open("wb+", buffering=0) as target:
        for start in (0, 5_000_000):
            source.seek(start)
            source.write(b"content")
        source.truncate(12_000_000)
        if way == "no holes":
            monkeypatch.setattr(os, "SEEK_DATA", 99)
        assert copying.copy_head(source.fileno(), target.fileno(), size) == size
        target.write(b"more")
        source.seek(0)
        assert (tmp_path / "target").read_bytes() == source.read(size) + b"more"
        if way != "no holes":
            assert (tmp_path / "target").stat().st_blocks * 512 < 100_000
