"""Whether the library is there, fits, and is asked at all; how it is built, and that it is left out quietly."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from fairlead import accelerator
from fairlead.accelerator import State
from hatch_build import compile_library

PLACE = Path(accelerator.LIBRARY).parent
SOURCES = sorted(PLACE.glob("*.c"))
ROOT = Path(__file__).parents[2]

needs_compiler = pytest.mark.skipif(shutil.which("cc") is None, reason="cc is not installed: apt-get install gcc")


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    """Nothing is known of the library before each test, nor after it."""
    accelerator.find.cache_clear()
    yield
    accelerator.find.cache_clear()


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place where a library is looked for and where there is none yet."""
    monkeypatch.delenv(accelerator.SWITCH, raising=False)
    path = tmp_path / "accelerator.so"
    monkeypatch.setattr(accelerator, "LIBRARY", str(path))
    return path


@needs_compiler
def test_where_a_compiler_is_the_library_is_in_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(accelerator.SWITCH, raising=False)
    state, loaded = accelerator.find()
    assert state is State.IN_USE
    assert loaded is not None


def test_it_can_be_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(accelerator.SWITCH, "off")
    assert accelerator.find() == (State.OFF, None)


@pytest.mark.usefixtures("library")
def test_without_a_library_there_is_none() -> None:
    assert accelerator.find() == (State.ABSENT, None)


def test_what_is_no_library_of_this_machine_is_left_alone(library: Path) -> None:
    library.write_bytes(b"\x7fELF")
    assert accelerator.find() == (State.UNFIT, None)


@needs_compiler
@pytest.mark.parametrize("source", ["int fairlead_version(void) { return 0; }", "int other;"])
def test_a_library_of_another_version_is_left_alone(library: Path, tmp_path: Path, source: str) -> None:
    (tmp_path / "other.c").write_text(source)
    assert compile_library([tmp_path / "other.c"], library, "-fvisibility=default") == ""
    assert accelerator.find() == (State.UNFIT, None)


@pytest.mark.long
@needs_compiler
def test_the_sources_compile_without_a_warning(library: Path) -> None:
    assert compile_library(SOURCES, library, "-Werror", "-Wpedantic", "-Wshadow", "-Wconversion") == ""
    assert accelerator.find()[0] is State.IN_USE


def test_both_sides_know_the_same_version() -> None:
    found = re.search(r"ACCELERATOR_VERSION (\d+)", (PLACE / "accelerator.h").read_text())
    assert found is not None
    assert int(found[1]) == accelerator.VERSION


@pytest.mark.parametrize(
    ("compiler", "problem"), [("no-such-compiler", "No such file"), ("false", "false ended with 1")]
)
def test_a_compiler_that_fails_leaves_nothing_behind(
    library: Path, monkeypatch: pytest.MonkeyPatch, compiler: str, problem: str
) -> None:
    monkeypatch.setenv("CC", compiler)
    assert problem in compile_library(SOURCES, library)
    assert list(library.parent.iterdir()) == []


@pytest.mark.long
@needs_compiler
@pytest.mark.parametrize(("compiler", "built"), [("cc", True), ("no-such-compiler", False)])
def test_a_wheel_has_the_library_where_there_was_a_compiler_and_is_for_every_machine_else(
    tmp_path: Path, compiler: str, built: bool
) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    for name in ("pyproject.toml", "hatch_build.py", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tree)
    shutil.copytree(ROOT / "src/fairlead/accelerator", tree / "src/fairlead/accelerator")
    shutil.copy(ROOT / "src/fairlead/__init__.py", tree / "src/fairlead")
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path / "dist"],
        cwd=tree, env={**os.environ, "CC": compiler}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    [wheel] = (tmp_path / "dist").glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert ("fairlead/accelerator/accelerator.so" in names) is built
    assert wheel.name.endswith("-py3-none-any.whl") is not built
    assert not [name for name in names if name.endswith((".c", ".h"))]
