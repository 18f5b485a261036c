"""Where the benchmarks find and leave things."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
PROGRAMS = REPOSITORY / ".cache" / "bench"
"""The compiled C programs."""
PEERS = REPOSITORY / ".cache" / "peers"
"""The servers that ``scripts/peers`` unpacked."""
RESULTS = REPOSITORY / "benchmarks" / "results"


def memory_directory() -> Path:
    """A tmpfs where the machine has one, so that no row measures a disk it does not mean to measure."""
    shared = Path("/dev/shm")
    return shared if os.access(shared, os.W_OK) else Path(os.environ.get("TMPDIR", "/tmp"))


def find_program(name: str) -> Path | None:
    """A program in this Python's environment, among the unpacked peers, on the PATH, or in the system's folders."""
    folders = [Path(sys.executable).parent, PEERS / "usr" / "sbin", PEERS / "usr" / "bin"]
    found = shutil.which(name, path=":".join([*map(str, folders), os.environ.get("PATH", ""), "/usr/sbin", "/sbin"]))
    return Path(found) if found else None
