"""Compiling: the load generator, the limit server, and our modules."""

from __future__ import annotations

import compileall
import os
import subprocess
from pathlib import Path

import fairlead
from benchmarks.places import PROGRAMS

FLAGS = ("-std=gnu17", "-O2", "-Wall", "-Wextra", "-pthread")


class BuildError(Exception):
    """The compiler is missing or refused a program."""


def build(name: str, *flags: str) -> Path:
    """Compile ``benchmarks/NAME/*.c`` to one program unless it is newer than its sources; returns its path.

    ``flags`` are further ones of the compiler. Raises BuildError.
    """
    folder = Path(__file__).resolve().parent / name
    sources = sorted(folder.glob("*.c"))
    program = PROGRAMS / name
    newest = max(path.stat().st_mtime for path in folder.iterdir())
    if program.exists() and program.stat().st_mtime > newest:
        return program
    PROGRAMS.mkdir(parents=True, exist_ok=True)
    fresh = program.with_suffix(f".{os.getpid()}.new")
    try:
        subprocess.run(
            ["gcc", *FLAGS, *flags, "-o", fresh, *sources], check=True, capture_output=True, text=True, timeout=120
        )
    except FileNotFoundError as error:
        raise BuildError("gcc is missing; on Debian: apt-get install gcc libc6-dev") from error
    except subprocess.CalledProcessError as error:
        raise BuildError(f"gcc refused {name}:\n{error.stderr}") from error
    fresh.replace(program)
    return program


def build_modules() -> None:
    """Compile our modules to bytecode, as pip does with what it installs: with the modules of the others it has.

    An editable installation leaves that to the first run, and under ``PYTHONDONTWRITEBYTECODE`` to each run, at some
    90 ms of CPU time.
    """
    compileall.compile_dir(Path(fairlead.__file__).parent, quiet=1)
