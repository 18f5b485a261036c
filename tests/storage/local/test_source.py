"""Reading without waiting, and faults of the disk while reading."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from fairlead.errors import StorageFault
from fairlead.storage.local import LocalStorage, device
from tests.storage.acts import put


@pytest.mark.parametrize("number", [errno.EAGAIN, errno.EOPNOTSUPP])
def test_what_is_not_in_memory_is_not_waited_for(
    plain: LocalStorage, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def cold(*_: object) -> int:
        raise OSError(number, os.strerror(number))

    put(plain, "/a", b"12345")
    source = plain.open("/a")
    monkeypatch.setattr(device, "_known", {source.status.st_dev: False})
    monkeypatch.setattr(os, "preadv", cold)
    source = plain.open("/a")
    assert source.read_cached(10, 0) is None
    assert source.read(10, 0) == b"12345"


def test_the_kernel_tells_what_is_not_in_memory(plain: LocalStorage, root: Path) -> None:
    put(plain, "/a", os.urandom(1 << 20))
    source = plain.open("/a")
    if device.in_memory(source.fileno() or 0, source.status.st_dev):
        pytest.skip("the tests' directory is in memory")
    descriptor = source.fileno()
    assert descriptor is not None
    os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    cold = source.read_cached(1 << 20, 0)
    assert cold is None or len(cold) < 1 << 20
    warm = source.read(1 << 20, 0)
    assert source.read_cached(1 << 20, 0) == warm == (root / "a").read_bytes()


@pytest.mark.parametrize("call", ["pread", "preadv"])
def test_a_disk_that_cannot_be_read(plain: LocalStorage, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    def broken(*_: object) -> int:
        raise OSError(errno.EIO, "Input/output error")

    put(plain, "/a", b"12345")
    source = plain.open("/a")
    monkeypatch.setattr(os, "pread", broken)
    monkeypatch.setattr(os, "preadv", broken)
    with pytest.raises(StorageFault):
        source.read(10, 0) if call == "pread" else source.read_cached(10, 0)


def test_a_descriptor_is_there_for_sendfile(plain: LocalStorage) -> None:
    put(plain, "/a", b"12345")
    source = plain.open("/a")
    descriptor = source.fileno()
    assert descriptor is not None
    assert os.fstat(descriptor).st_ino == source.status.st_ino
