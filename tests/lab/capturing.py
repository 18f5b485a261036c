"""Captures in a laboratory, by tcpdump, at both ends at once."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fairlead.capture.explain import Explained, Explainer, explained
from fairlead.capture.files import CaptureFile
from lab.addresses import Host
from lab.laboratory import Lab

_DEADLINE = 10.0
_HEADER = 24


def read(file: Path) -> list[Explained]:
    """The sessions in ``file`` so far."""
    with file.open("rb") as opened:
        return list(explained(CaptureFile(opened, file.name), Explainer()))


class Capture:
    """A capture that goes on; :meth:`sessions` waits until all that is due stands in the file."""

    def __init__(self, lab: Lab, host: Host, file: Path) -> None:
        self.file = file
        words = ["tcpdump", "-Z", "root", "--immediate-mode", "-B", "32768", "-s", "2048", "-U", "-i", "any"]
        self._process = lab.start(host, [*words, "-w", file, "tcp or icmp or icmp6"], output=subprocess.DEVNULL)
        _wait(lambda: file.exists() and file.stat().st_size >= _HEADER)

    def stop(self) -> None:
        """End it; what came before is in the file."""
        if self._process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGINT)
            self._process.wait(_DEADLINE)

    def sessions(self, complete: Callable[[list[Explained]], bool]) -> list[Explained]:
        """The sessions in it, once they are ``complete`` or time is up."""
        deadline = time.monotonic() + _DEADLINE
        while not complete(read(self.file)) and time.monotonic() < deadline:
            time.sleep(0.05)
        self.stop()
        return read(self.file)


def started(lab: Lab, host: Host, file: Path) -> Capture:
    """A capture at ``host``; skips the test where there is no tcpdump."""
    if shutil.which("tcpdump") is None:
        pytest.skip("needs the Debian package tcpdump")
    return Capture(lab, host, file)


@contextlib.contextmanager
def capturing(lab: Lab, folder: Path) -> Iterator[dict[Host, Capture]]:
    """Captures at the client and at the server; skips the test where there is no tcpdump."""
    captures = {host: started(lab, host, folder / f"{host}.pcap") for host in (Host.CLIENT, Host.SERVER)}
    try:
        yield captures
    finally:
        for capture in captures.values():
            capture.stop()


def _wait(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _DEADLINE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)
