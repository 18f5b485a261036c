"""The files that every server serves, and the folder for uploads; made on a tmpfs, made only when a row needs them."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.places import memory_directory

PREFIX = "fairlead-bench-"
SMALL = 1024
BLOCK = 1 << 16
"""Uploads repeat a block of so many octets, see load/data.c."""


class WrongUpload(Exception):
    """What arrived is not what was sent."""


class Tree:
    """A folder that is gone when it is closed; uploads go to ``up/``."""

    def __init__(self, parent: Path | None = None) -> None:
        parent = parent or memory_directory()
        remove_leftovers(parent)
        self.root = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir=parent))
        self.root.chmod(0o755)
        self.uploads = self.root / "up"
        self.uploads.mkdir()
        self.uploads.chmod(0o777)
        (self.root / "small").write_bytes(os.urandom(SMALL))

    def close(self) -> None:
        """Remove everything."""
        shutil.rmtree(self.root, ignore_errors=True)

    def file(self, size: int) -> str:
        """The name of a file of ``size`` octets that holds data."""
        name = f"file-{size}"
        path = self.root / name
        if not path.exists():
            block = os.urandom(1 << 20)
            with path.open("wb") as file:
                for offset in range(0, size, len(block)):
                    file.write(block[: size - offset])
        return name

    def hole(self, size: int) -> str:
        """The name of a file of ``size`` octets that takes no room."""
        name = f"hole-{size}"
        with (self.root / name).open("ab") as file:
            file.truncate(size)
        return name

    def directory(self, entries: int) -> str:
        """The name of a directory of ``entries`` files, whose sizes and times differ as those of real files do."""
        name = f"list-{entries}"
        folder = self.root / name
        if not folder.exists():
            folder.mkdir()
            here = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            newest = int(time.time()) - 60
            for index in range(entries):
                file = os.open(f"measurement-{index:08d}.csv", os.O_WRONLY | os.O_CREAT, 0o644, dir_fd=here)
                os.ftruncate(file, index * 7919 % 1_000_003)
                when = newest - index * 61 % 31_000_000
                os.utime(file, (when, when))
                os.close(file)
            os.close(here)
        return name

    def files(self, count: int) -> str:
        """The name of a directory of ``count`` files of 1 KiB, named ``f00000`` and so on."""
        return self._filled(f"files-{count}", [f"f{index:05d}" for index in range(count)])

    def nested(self, count: int) -> str:
        """The name of a tree of ``count`` files of 1 KiB, a hundred in each directory."""
        return self._filled(f"nested-{count}", [f"d{index // 100:03d}/f{index % 100:02d}" for index in range(count)])

    def _filled(self, name: str, paths: Sequence[str]) -> str:
        folder = self.root / name
        if not folder.exists():
            for path in paths:
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                (folder / path).write_bytes(b"x" * SMALL)
        return name

    def source(self, size: int) -> Path:
        """A file of ``size`` octets to be uploaded, in which a block repeats."""
        path = self.root / f"source-{size}"
        if not path.exists():
            block = os.urandom(BLOCK)
            with path.open("wb") as file:
                for offset in range(0, size, BLOCK):
                    file.write(block[: size - offset])
        return path

    def warm(self, size: int) -> None:
        """Have the machine give this tmpfs ``size`` octets once, so that no server pays for the first use of memory."""
        path = self.uploads / "warm"
        block = b"x" * (1 << 20)
        with path.open("wb") as file:
            for _ in range(0, size, len(block)):
                file.write(block)
        path.unlink()

    def check_uploads(self, *, files: int, octets: int) -> None:
        """Compare what arrived with what was sent, then remove it. Raises WrongUpload."""
        found = total = 0
        problem = ""
        with os.scandir(self.uploads) as entries:
            for entry in entries:
                size = entry.stat().st_size
                found += 1
                total += size
                if size > 2 * BLOCK and not _whole(Path(entry.path), size):
                    problem = f"the content of {entry.name} is not what was sent"
        self.clear_uploads()
        if (found, total) != (files, octets):
            problem = f"{found} files of {total} octets arrived, {files} of {octets} were sent"
        if problem:
            raise WrongUpload(problem)

    def clear_uploads(self) -> None:
        """Remove every upload, hidden partial files too."""
        with os.scandir(self.uploads) as entries:
            for entry in entries:
                with contextlib.suppress(FileNotFoundError):
                    if entry.is_dir(follow_symlinks=False):
                        shutil.rmtree(entry.path)
                    else:
                        Path(entry.path).unlink()


def _whole(path: Path, size: int) -> bool:
    with path.open("rb") as file:
        first = file.read(BLOCK)
        file.seek((size - BLOCK) // BLOCK * BLOCK)
        return file.read(BLOCK) == first and any(first)


def remove_leftovers(parent: Path) -> None:
    """Remove the trees of runs that were killed."""
    for path in parent.glob(f"{PREFIX}*"):
        owner = path.name.removeprefix(PREFIX).partition("-")[0]
        if owner.isdigit() and not Path(f"/proc/{owner}").exists():
            shutil.rmtree(path, ignore_errors=True)
