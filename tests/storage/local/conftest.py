"""File systems that a test mounts for itself."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from fairlead.storage.local import LocalStorage


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A tmpfs of 256 KiB and 16 inodes."""
    if os.geteuid():
        pytest.skip("mounting a small file system needs root")
    mounted = tmp_path / "small"
    mounted.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k,nr_inodes=16", "fairlead-test", str(mounted)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("this machine does not let tests mount a file system")
    try:
        yield mounted
    finally:
        subprocess.run(["umount", mounted], check=True)


@pytest.fixture
def small_store(small: Path) -> Iterator[LocalStorage]:
    with closing(LocalStorage(small)) as store:
        yield store


@pytest.fixture
def plain(root: Path) -> Iterator[LocalStorage]:
    """A store for what does not depend on how paths are confined."""
    with closing(LocalStorage(root)) as store:
        yield store
