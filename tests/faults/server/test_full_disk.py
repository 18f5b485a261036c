"""Uploads onto a full disk: a small file system in memory, mounted by the test."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest

from fairlead.accounts.memory import MemoryAccounts
from fairlead.storage.local import LocalStorage
from tests.server.session import Control, serving

MEBIBYTE = 1 << 20
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a file system")


@contextmanager
def small_disk(place: Path, options: str) -> Iterator[Path]:
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", place], check=False, capture_output=True, text=True
    )
    if mounted.returncode:
        pytest.skip(f"nothing can be mounted here: {mounted.stderr.strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)


@contextmanager
def session_on(root: Path) -> Iterator[Control]:
    with (
        closing(LocalStorage(root)) as storage,
        serving(storage, accounts=MemoryAccounts.sharing(storage, {"me": "secret"}, write=True)) as running,
        running.login() as control,
    ):
        yield control


@pytest.fixture
def full(tmp_path: Path) -> Iterator[tuple[Path, Control]]:
    """A disk of 4 MiB on which an old file of 1 MiB lies."""
    with small_disk(tmp_path / "disk", "size=4m") as root, session_on(root) as control:
        (root / "file").write_bytes(b"o" * MEBIBYTE)
        yield root, control


def send_all(control: Control, command: str, size: int) -> int:
    """Send ``size`` octets, or as many as the server takes; the code of the final reply."""
    with control.open("EPSV") as data:
        assert control.ask(command).code == 150
        with suppress(ConnectionError):  # the server closes it where no room is left
            data.sendall(bytes(size))
        data.close()
    return control.read().code


@pytest.mark.req("S-959-STOR-3", "S-959-DC-4", "S-ERR-5", "S-SEC-9")
@pytest.mark.parametrize("kind", ["A", "I"])
@pytest.mark.parametrize("command", ["STOR file", "APPE file", "STOR new", "APPE new", "STOU"])
@pytest.mark.parametrize("size", [3 * MEBIBYTE + 1, 20 * MEBIBYTE])
def test_a_disk_that_fills_up_ends_the_upload_and_leaves_the_old_file(
    full: tuple[Path, Control], kind: str, command: str, size: int
) -> None:
    root, control = full
    assert control.ask(f"TYPE {kind}").code == 200
    assert send_all(control, command, size) == 552
    assert (root / "file").read_bytes() == b"o" * MEBIBYTE
    assert control.fetch("NLST") == b"file\r\n"
    assert control.store("STOR file", b"n" * MEBIBYTE).code == 226
    assert (root / "file").read_bytes() == b"n" * MEBIBYTE


@pytest.mark.req("S-959-STOR-3", "S-ERR-5")
def test_no_room_for_another_file_is_told_before_any_data(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "size=4m,nr_inodes=4") as root, session_on(root) as control:
        (root / "file").write_bytes(b"old")
        for name in ("a", "b"):
            (root / name).touch()
        with control.open("EPSV"):
            assert control.codes("STOR file", "STOR new", "APPE file", "STOU", "MKD new") == [452, 452, 452, 452, 452]
        assert (root / "file").read_bytes() == b"old"
        assert sorted(os.listdir(root)) == ["a", "b", "file"]
        assert control.ask("DELE a").code == 250
        assert control.store("STOR file", b"new").code == 226
        assert (root / "file").read_bytes() == b"new"


@pytest.mark.req("S-959-STOR-3")
def test_an_append_that_needs_more_room_than_there_is_is_told_before_any_data(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "size=4m") as root, session_on(root) as control:
        (root / "file").write_bytes(b"o" * (3 * MEBIBYTE))
        with control.open("EPSV"):
            assert control.ask("APPE file").code == 452
        assert control.ask(f"REST {3 * MEBIBYTE}").code == 350
        with control.open("EPSV"):
            assert control.ask("STOR file").code == 452
        assert (root / "file").read_bytes() == b"o" * (3 * MEBIBYTE)
        assert os.listdir(root) == ["file"]
