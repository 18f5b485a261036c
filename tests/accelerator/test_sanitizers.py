"""The accelerator under the sanitizers of the compiler, which see what no comparison of octets shows."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fairlead import accelerator
from hatch_build import compile_library

TESTS = Path(__file__).parents[1]
CALLERS = TESTS / "storage" / "local" / "test_lines.py", TESTS / "cli" / "test_table.py"
PROGRAM = """\
import sys, pytest

class Library:
    def pytest_configure(self):
        from fairlead import accelerator
        accelerator.LIBRARY = sys.argv[1]

status = pytest.main(["-p", "no:cacheprovider", "-q", "-k", "not same_numbers", *sys.argv[2:]], plugins=[Library()])
from fairlead import accelerator
sys.exit(status or accelerator.find()[1]._name != sys.argv[1])
"""


def runtime(name: str) -> str:
    """The path of a library of the compiler."""
    try:
        asked = subprocess.run(["cc", f"-print-file-name={name}"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("cc is not installed: apt-get install gcc")
    path = asked.stdout.strip()
    if not os.path.isabs(path):
        pytest.skip(f"the compiler has no {name}")
    return path


@pytest.mark.long
@pytest.mark.timeout(300)
def test_neither_memory_nor_arithmetic_goes_wrong(tmp_path: Path) -> None:
    runtimes = [runtime("libasan.so"), runtime("libubsan.so")]
    library = tmp_path / "accelerator.so"
    sources = sorted(Path(accelerator.LIBRARY).parent.glob("*.c"))
    problem = compile_library(sources, library, "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
    assert problem == ""
    environment = {**os.environ, "LD_PRELOAD": " ".join(runtimes), "ASAN_OPTIONS": "detect_leaks=0"}
    environment.pop(accelerator.SWITCH, None)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, library, *CALLERS],
        env=environment, capture_output=True, text=True, timeout=280, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert " skipped" not in done.stdout
