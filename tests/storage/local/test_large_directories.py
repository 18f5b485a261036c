"""Directories with more entries than are held at once."""

from __future__ import annotations

import errno
import os
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from fairlead.errors import StorageFault
from fairlead.storage.local import LocalStorage, scan


def fill(root: Path, count: int) -> set[str]:
    names = {f"{number:06}" for number in range(count)}
    directory = os.open(root, os.O_RDONLY)
    for name in names:
        os.mknod(name, dir_fd=directory)
    os.close(directory)
    return names


@pytest.mark.long
@pytest.mark.parametrize(("count", "is_sorted"), [(10_000, True), (10_001, False)])
def test_sorted_up_to_the_limit(plain: LocalStorage, root: Path, count: int, is_sorted: bool) -> None:
    names = fill(root, count)
    found = [item.name for batch in plain.scan("/") for item in batch]
    assert set(found) == names
    assert len(found) == count
    assert (found == sorted(names)) == is_sorted


@pytest.mark.long
@pytest.mark.req("S-SEC-7")
def test_memory_does_not_grow_with_the_directory(plain: LocalStorage, root: Path) -> None:
    fill(root, 20_000)
    sizes = set()
    tracemalloc.start()
    try:
        for batch in plain.scan("/"):
            sizes.add(len(batch) <= scan.BATCH)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert sizes == {True}
    assert peak < 3_000_000


def test_names_come_in_batches_even_where_all_of_one_are_hidden(plain: LocalStorage, root: Path) -> None:
    for number in range(scan.BATCH + 1):
        (root / f".fairlead-{number:016x}-{number:016x}.part").touch()
    (root / "x").touch()
    assert [item.name for batch in plain.scan("/") for item in batch] == ["x"]


def test_a_fault_in_the_middle(plain: LocalStorage, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (root / "a").touch()
    monkeypatch.setattr(scan, "_read", broken)
    entries = plain.scan("/")
    assert [item.name for item in next(entries)] == ["a"]
    with pytest.raises(StorageFault):
        next(entries)
    assert list(entries) == []


def broken(entries: Iterator[os.DirEntry[str]]) -> Iterator[list[str]]:
    yield [entry.name for entry in entries]
    raise OSError(errno.EIO, "Input/output error")
