"""Running the uploader under strace: what it calls and in which order, and faults put into its calls."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

CALLS = (
    "write", "pwrite64", "ftruncate", "fsync", "fdatasync", "rename", "renameat", "renameat2", "link", "linkat",
    "unlink", "unlinkat", "copy_file_range", "sendfile", "flock", "fchmod", "fchown",
)  # fmt: skip
_CALL = re.compile(r"^\d+ +(\w+)\((.*)\) += (\S+)")


class Call(NamedTuple):
    """One system call as strace shows it, its descriptors with their paths."""

    name: str
    arguments: str
    result: str


class Run(NamedTuple):
    """How an upload went: what it said, its exit status (negative: the signal), its calls within the root."""

    said: str
    status: int
    calls: list[Call]


def upload(root: Path, path: str, intent: str, offset: int, file: Path, *, inject: str = "") -> Run:
    """Store ``file`` from ``offset`` on under strace; ``inject`` is what its option of that name takes."""
    log = root.parent / "strace.log"
    command = [
        "strace",
        "-f",
        "-y",
        "-qq",
        "-s",
        "16",
        "-o",
        log,
        "-e",
        f"trace={','.join(CALLS)}",
        "-e",
        "signal=none",
    ]
    if inject:
        command += ["-e", f"inject={inject}"]
    uploader: list[object] = [
        sys.executable,
        "-B",
        Path(__file__).with_name("uploader.py"),
        root,
        path,
        intent,
        str(offset),
        file,
    ]
    source = str(Path(__file__).parents[3] / "src")
    done = subprocess.run(
        [str(argument) for argument in command + uploader],
        env={**os.environ, "PYTHONPATH": source},
        check=False,
        capture_output=True,
        timeout=60,
    )
    assert not done.stderr or done.returncode < 0, done.stderr.decode()
    found = (_CALL.match(line) for line in log.read_text(errors="replace").splitlines())
    return Run(done.stdout.decode(), done.returncode, [Call(*match.groups()) for match in found if match])
