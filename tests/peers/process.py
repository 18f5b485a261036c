"""A server in the foreground: started, waited for until its banner answers, ended by its process id."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import socket
import subprocess
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

DEADLINE = 20.0
"""Seconds within which a program must have started or ended."""

# Both below Linux's ephemeral ports (32768 on), which any program may hold just now, and apart from our server's own
# passive ports (61000 on).
_CONTROL_PORTS = range(10001, 20000, 2)
_PASSIVE_BLOCKS = range(20000, 32700, 100)
_choose = random.SystemRandom().choice


def free_port(host: str) -> int:
    """A TCP port of ``host`` to listen on, the one below it free as well: active mode calls from there."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    while True:
        port = _choose(_CONTROL_PORTS)
        with socket.socket(family) as control, socket.socket(family) as data, contextlib.suppress(OSError):
            control.bind((host, port))
            data.bind((host, port - 1))
            return port


def passive_ports() -> range:
    """A hundred ports for one server's passive mode, drawn so that servers side by side hardly meet."""
    start = _choose(_PASSIVE_BLOCKS)
    return range(start, start + 100)


def _banner(host: str, port: int) -> bytes:
    with socket.create_connection((host, port), timeout=DEADLINE) as control:
        return control.recv(64)


def wait_for_banner(process: subprocess.Popen[bytes], host: str, port: int, log: Path) -> None:
    """Return when a 220 comes from ``host``; raises AssertionError with the log when the server ends before."""
    deadline = time.monotonic() + DEADLINE
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        with contextlib.suppress(OSError):
            if _banner(host, port).startswith(b"220"):
                return
        time.sleep(0.01)  # between two attempts to connect
    raise AssertionError(f"{process.args!r} does not answer at {host}:{port}: {log.read_text(errors='replace')}")


def end(process: subprocess.Popen[bytes]) -> int:
    """End the process and the processes it started, politely first; returns its exit status."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(process.pid, signal.SIGTERM)
    try:
        return process.wait(DEADLINE)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        return process.wait(DEADLINE)


@contextlib.contextmanager
def running(
    command: Sequence[str], *, log: Path, errors: Path | None = None, env: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run ``command`` in a process group of its own until the block ends.

    Its output goes to the file ``log``, what it says on standard error to ``errors`` where that is given.
    """
    with log.open("ab") as output, (errors or log).open("ab") as complaints:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=complaints, env=env, start_new_session=True
        )
    try:
        yield process
    finally:
        end(process)
        with contextlib.suppress(ProcessLookupError):  # sessions that a server left behind
            os.killpg(process.pid, signal.SIGKILL)
