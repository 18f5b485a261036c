"""Links swapped by another process while paths are opened, made, renamed and listed never lead out of the root.

``FAIRLEAD_SWAP_ROUNDS`` sets the number of calls of each kind of run; 20,000 without it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from fairlead.errors import StorageError
from fairlead.storage.base import Intent
from fairlead.storage.local import LocalStorage
from tests.storage.acts import get, listed, put

ROUNDS = int(os.environ.get("FAIRLEAD_SWAP_ROUNDS", "20000"))

SWAPPER = """
import ctypes, sys
exchange = ctypes.CDLL(None).renameat2
one, other = (argument.encode() for argument in sys.argv[1:])
print("ready", flush=True)
while True:
    exchange(-100, one, -100, other, 2)
"""


@contextmanager
def swapping(one: Path, other: Path) -> Iterator[None]:
    """Two names change places as quickly as a process of its own can do it."""
    process = subprocess.Popen([sys.executable, "-c", SWAPPER, one, other], stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        yield
    finally:
        process.kill()
        process.communicate()


@pytest.fixture
def outside(root: Path) -> Iterator[Path]:
    """A tree that must not be touched: every directory in it is compared before and after."""
    outside = root.parent / "outside"
    (outside / "d").mkdir(parents=True)
    (outside / "f").write_text("secret")
    (outside / "moved").write_text("secret")
    before = [(path, path.stat().st_mode, path.stat().st_mtime_ns) for path in sorted(outside.rglob("*"))]
    yield outside
    after = [(path, path.stat().st_mode, path.stat().st_mtime_ns) for path in sorted(outside.rglob("*"))]
    assert after == before
    assert (outside / "f").read_text() == "secret"


@pytest.mark.long
@pytest.mark.req("S-SEC-6")
@pytest.mark.parametrize("text", ["../outside", "absolute"])
def test_a_directory_that_becomes_a_link(local: LocalStorage, root: Path, outside: Path, text: str) -> None:
    (root / "x").mkdir()
    (root / "x" / "f").write_text("inside")
    (root / "file").write_text("mine")
    (root / "evil").symlink_to(outside if text == "absolute" else text)
    done = refused = 0
    with swapping(root / "x", root / "evil"):
        for number in range(ROUNDS):
            try:
                match number % 10:
                    case 0 | 1:
                        assert get(local, "/x/f").startswith((b"inside", b"new"))
                    case 2:
                        assert local.stat("/x/f").st_ino != (outside / "f").stat().st_ino
                        assert "moved" not in listed(local, "/x")
                    case 3:
                        local.mkdir(f"/x/{number}")
                    case 4:
                        local.rmdir(f"/x/{number - 1}")
                    case 5:
                        local.rename("/file", "/x/file")
                    case 6:
                        local.rename("/x/file", "/file")
                    case 7:
                        put(local, "/x/f", b"new")
                    case 8:
                        put(local, "/x/f", b"+", intent=Intent.APPEND)
                        put(local, "/x/f", b"new")
                    case 9:
                        local.change("/x/f", mode=0o640, modified_ns=number)
                        local.remove(f"/x/none{number}")
                done += 1
            except StorageError:
                refused += 1
    assert done
    assert refused


@pytest.mark.long
@pytest.mark.req("S-SEC-6")
@pytest.mark.usefixtures("outside")
def test_a_file_that_becomes_a_link(local: LocalStorage, root: Path) -> None:
    (root / "f").write_text("inside")
    (root / "evil").symlink_to("../outside/f")
    done = refused = 0
    with swapping(root / "f", root / "evil"):
        for number in range(ROUNDS):
            try:
                match number % 4:
                    case 0 | 1:
                        assert get(local, "/f") == b"inside"
                    case 2:
                        local.change("/f", mode=0o640, modified_ns=number)
                    case 3:
                        with closing(local.open("/f")) as source:
                            assert source.read_cached(100, 0) == b"inside"
                done += 1
            except StorageError:
                refused += 1
    assert done
    assert refused


@pytest.mark.long
@pytest.mark.req("S-SEC-6")
@pytest.mark.usefixtures("outside")
def test_uploads_to_a_name_that_becomes_a_link(local: LocalStorage, root: Path) -> None:
    (root / "evil").symlink_to("../outside/f")
    (root / "f").write_text("inside")
    done = refused = 0
    with swapping(root / "f", root / "evil"):
        for number in range(ROUNDS // 10):
            try:
                put(local, "/f", b"+", intent=(Intent.REPLACE, Intent.APPEND)[number % 2])
                done += 1
            except StorageError:
                refused += 1
            if not number % 10:  # by now both names may be files, for a rename replaces the link it meets
                (root / "file").write_text("inside")
                (root / "file").replace(root / "f")
                (root / "link").symlink_to("../outside/f")
                (root / "link").replace(root / "evil")
    assert done
    assert refused
