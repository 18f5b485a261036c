"""Running the dialogues in callgrind, and what it counted."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.build import BuildError, build
from benchmarks.instructions.dialogues import YARDSTICK
from benchmarks.places import PROGRAMS, REPOSITORY

PATHS = {"python": "off", "accelerator": "on"}
"""Both ways in which the server reads directories and serves small files, with what the switch of the library says."""
LIMIT = 240
"""Seconds for all dialogues of one way."""


class CountError(Exception):
    """Something that is needed is missing, or the dialogues failed."""


def missing() -> str:
    """What is not there that is needed, as one sentence; empty where all is."""
    if shutil.which("valgrind") is None:
        return "valgrind counts the instructions; on Debian: apt-get install valgrind"
    if not Path("/usr/include/valgrind/callgrind.h").exists():
        return "valgrind's header callgrind.h is missing; on Debian: apt-get install valgrind"
    if shutil.which("gcc") is None:
        return "gcc is missing; on Debian: apt-get install gcc libc6-dev"
    return ""


def count() -> dict[str, dict[str, float]]:
    """For each way and dialogue the instructions of an operation, in those of the yardstick. Raises CountError."""
    if problem := missing():
        raise CountError(problem)
    try:
        marks = build("marks", "-shared", "-fPIC")
    except BuildError as error:
        raise CountError(str(error)) from error
    with tempfile.TemporaryDirectory(prefix="fairlead-instructions-") as folder:
        running = {way: _start(marks, Path(folder, way), switch) for way, switch in PATHS.items()}
        return {way: _counted(process, Path(folder, way)) for way, process in running.items()}


def _start(marks: Path, folder: Path, switch: str) -> subprocess.Popen[str]:
    folder.mkdir()
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("FAIRLEAD_", "PYTHON"))}
    environment |= {
        "FAIRLEAD_ACCELERATOR": switch,
        "PYTHONHASHSEED": "0",
        "PYTHONPYCACHEPREFIX": str(PROGRAMS / "bytecode"),
    }
    command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/out", sys.executable]
    with (folder / "log").open("w") as log:
        return subprocess.Popen(
            [*command, "-m", "benchmarks.instructions.dialogues", str(marks)],
            cwd=REPOSITORY,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=log,
            text=True,
        )


def _counted(process: subprocess.Popen[str], folder: Path) -> dict[str, float]:
    try:
        status = process.wait(LIMIT)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise CountError(f"the dialogues were not over after {LIMIT} seconds") from None
    if status:
        raise CountError(f"the dialogues failed: {(folder / 'log').read_text(errors='replace')[-2000:]}")
    each = dict(map(read, sorted(folder.glob("out.*"))))
    unit = each.pop(YARDSTICK)
    return {name: instructions / unit for name, instructions in each.items()}


def read(path: Path) -> tuple[str, float]:
    """The dialogue of one of callgrind's files, and the instructions of one of its operations."""
    text = path.read_text()
    trigger = re.search(r"^desc: Trigger: Client Request: (.+)=(\d+)$", text, re.MULTILINE)
    total = re.search(r"^(?:totals|summary): (\d+)", text, re.MULTILINE)
    if trigger is None or total is None:
        raise CountError(f"callgrind wrote no count into {path.name}")
    return trigger[1], int(total[1]) / int(trigger[2])
