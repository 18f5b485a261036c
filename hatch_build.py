"""Compiles the accelerator when Fairlead is installed or made a wheel of; without a compiler it is simply left out.

``CC`` names another compiler. ``FAIRLEAD_ACCELERATOR=off`` leaves it out, which makes a wheel for every machine.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PLACE = Path("src/fairlead/accelerator")
LIBRARY = "accelerator.so"
FLAGS = (
    "-std=gnu11", "-O2", "-pthread", "-fPIC", "-shared", "-fvisibility=hidden", "-D_FILE_OFFSET_BITS=64",
    "-Wall", "-Wextra", "-fstack-protector-strong", "-D_FORTIFY_SOURCE=2",
)  # fmt: skip


class Accelerator(BuildHookInterface[Any]):
    """Puts the library beside its sources, from where an editable install takes it, and into a wheel."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile before ``version`` (standard or editable) of a wheel is built."""
        place = Path(self.root, PLACE)
        library = place / LIBRARY
        library.unlink(missing_ok=True)
        if os.environ.get("FAIRLEAD_ACCELERATOR") == "off":
            return
        problem = compile_library(sorted(place.glob("*.c")), library)
        if problem:
            self.app.display_info(f"The accelerator is left out: {problem}")
        elif version != "editable":
            build_data["pure_python"] = False
            build_data["tag"] = f"py3-none-{sysconfig.get_platform().replace('-', '_').replace('.', '_')}"
            build_data["force_include"][str(library)] = str(library.relative_to(Path(self.root, "src")))


def compile_library(sources: list[Path], library: Path, *flags: str) -> str:
    """Compile ``sources`` to ``library``; what was wrong, empty where nothing was."""
    made = library.with_suffix(f".{os.getpid()}")
    command = [*shlex.split(os.environ.get("CC") or "cc"), *FLAGS, *flags, "-o", str(made), *map(str, sources)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
        if done.returncode:
            return done.stderr.strip() or f"{command[0]} ended with {done.returncode}"
        made.replace(library)  # a process that has the old one loaded keeps it
    except OSError as error:
        return str(error)
    finally:
        made.unlink(missing_ok=True)
    return ""
