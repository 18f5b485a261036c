"""The beginning of the usual uploads by one call, and what is left to Python."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from fairlead.storage.local import begin_new
from fairlead.storage.local.begin_new import BeginNew
from fairlead.storage.local.upload import Place

PARTIAL = b"partial"
MODE = 0o640


@pytest.fixture
def begin() -> BeginNew:
    found = begin_new.best()
    if found is None:
        pytest.skip("the accelerator is not built: make install, with gcc")
    return found


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with closing(Place("/file", os.open(tmp_path, os.O_RDONLY), b"file")) as made:
        yield made


def test_a_new_file_is_begun(begin: BeginNew, place: Place, tmp_path: Path) -> None:
    work = begin(place, PARTIAL, MODE)
    assert work is not None
    os.close(work.descriptor)
    status = (tmp_path / "partial").stat()
    assert (status.st_size, status.st_mode & 0o777, status.st_dev) == (0, MODE, work.device)


def test_so_is_one_that_takes_the_place_of_our_own_and_gets_its_permission_bits(
    begin: BeginNew, place: Place, tmp_path: Path
) -> None:
    (tmp_path / "file").write_bytes(b"old")
    (tmp_path / "file").chmod(0o604)
    work = begin(place, PARTIAL, MODE)
    assert work is not None
    os.close(work.descriptor)
    assert (tmp_path / "partial").stat().st_mode & 0o777 == 0o604
    assert (tmp_path / "file").read_bytes() == b"old"


def linked(file: Path) -> None:
    file.symlink_to("elsewhere")


def made_a_directory(file: Path) -> None:
    file.mkdir()


def of_another_group(file: Path) -> None:
    if os.geteuid():
        pytest.skip("only root gives files away")
    file.touch()
    os.chown(file, -1, os.getegid() + 1)


def of_another_user(file: Path) -> None:
    if os.geteuid():
        pytest.skip("only root gives files away")
    file.touch()
    os.chown(file, os.geteuid() + 1, -1)


def kept(file: Path) -> None:
    file.with_name("partial").write_bytes(b"what came before")


@pytest.mark.parametrize("unusual", [linked, made_a_directory, of_another_group, of_another_user, kept])
def test_what_is_unusual_is_refused(
    begin: BeginNew, place: Place, tmp_path: Path, unusual: Callable[[Path], None]
) -> None:
    unusual(tmp_path / "file")
    assert begin(place, PARTIAL, MODE) is None
