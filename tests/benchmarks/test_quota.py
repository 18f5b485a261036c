"""Processes that have a part of a core only."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.quota import available, limited


@pytest.mark.skipif(not available(), reason="to limit a process takes root and control groups of version 1")
def test_a_process_is_limited_for_a_while_and_lives_on() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:

        def groups() -> str:
            return Path(f"/proc/{process.pid}/cgroup").read_text()

        before = groups()
        with limited([process.pid], 0.1):
            during = groups()
        after = groups()
        alive = process.poll() is None
        process.communicate(b"\n")
    assert f"-quota-{process.pid}" in during
    assert (before, alive) == (after, True)


def test_what_cannot_be_limited_is_an_error() -> None:
    with pytest.raises(OSError, match=r"process|argument|group"), limited([0x7FFFFFFF], 0.1):
        pytest.fail("no such process")
