"""A server that runs: its start in a group and a network of its own, its end, and the load sent to it."""

from __future__ import annotations

import json
import os
import select
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.group import new_group
from benchmarks.network import new_network
from benchmarks.places import PROGRAMS, memory_directory
from benchmarks.servers import Server
from benchmarks.tree import PREFIX

START_LIMIT = 20
"""Seconds within which a server must greet."""


class CellFailed(Exception):
    """A cell has no value; the text says why."""


@dataclass(slots=True)
class Outcome:
    """What the load generator measured, and the server's CPU seconds meanwhile."""

    operations: int
    octets: int
    seconds: float
    first: float = 0.0
    """Seconds to the first octet of a listing, or that the slowest hundredth of replies took."""
    side_octets: int = 0
    """Octets of the bulk transfer beside NOOP."""
    resumed: int = 0
    """Data connections that resumed the TLS session of their control connection."""
    load_cpu: float = 0.0
    """CPU seconds of the load generator."""
    cpu: float = 0.0
    """CPU seconds of the server."""
    held: dict[str, float] = field(default_factory=dict)
    """What was read while the load generator held still."""


class Running:
    """A started server. Raises CellFailed when it does not greet in time."""

    def __init__(self, server: Server, *, root: Path, port: int, load: Path) -> None:
        self.server = server
        self.port = port
        self._load = load
        self._scratch = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir=memory_directory()))
        self.log = self._scratch / "log"
        self.network = new_network()
        self.group = new_group(server.name)
        self._process: subprocess.Popen[bytes] | None = None
        try:
            self.started = self._start(root)
        except BaseException:
            self.stop()
            raise

    def _start(self, root: Path) -> float:
        """Start the server; returns the seconds until it greeted."""
        command = self.server.render(root=root, scratch=self._scratch, port=self.port)
        environment = {key: value for key, value in os.environ.items() if not key.startswith(("FAIRLEAD_", "PYTHON"))}
        # As an installed package has it: compiled once, not at each start.
        environment["PYTHONPYCACHEPREFIX"] = str(PROGRAMS / "bytecode")
        # Who waits for the greeting is there first, so that its own start is no part of the time.
        waiting = self._spawn("await", {"limit": START_LIMIT})
        try:
            with self.log.open("wb") as log:
                began = time.monotonic()
                self._process = subprocess.Popen(
                    [*self.group.prefix(), *self.network.prefix(), *command],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    cwd=self._scratch,
                    env=environment,
                    start_new_session=True,
                )
            self.group.adopt(self._process.pid)
            return self._converse(waiting, began + START_LIMIT + 5).first - began
        except CellFailed as failure:
            raise CellFailed(f"{failure}; its log ends: {self.last_words()}") from None
        finally:
            _end(waiting)

    @property
    def alive(self) -> bool:
        """Whether the server's first process still runs."""
        return self._process is not None and self._process.poll() is None

    def stop(self) -> None:
        """End all its processes and remove what it left."""
        if self._process is not None and self._process.poll() is None:
            self.group.pids()  # who belongs to it is harder to tell when its first process has ended
            self._process.terminate()
            try:
                self._process.wait(5)
            except subprocess.TimeoutExpired:
                self._process.kill()
        self.group.remove()
        if self._process is not None:
            self._process.wait()
        self.network.close()
        shutil.rmtree(self._scratch, ignore_errors=True)

    def load(
        self,
        row: str,
        arguments: dict[str, object],
        *,
        limit: float,
        cpus: set[int] | None = None,
        hold: Callable[[], dict[str, float]] | None = None,
    ) -> Outcome:
        """Run one row of the load generator against the server.

        ``cpus`` are the cores that it keeps to, ``hold`` reads something while it holds still. Raises CellFailed for
        every error, and after ``limit`` seconds.
        """
        self.network.forget()
        process = self._spawn(row, {"limit": int(limit), **arguments}, cpus)
        try:
            return self._converse(process, time.monotonic() + limit + 5, hold)
        finally:
            _end(process)

    def _spawn(self, row: str, arguments: dict[str, object], cpus: set[int] | None = None) -> subprocess.Popen[str]:
        pin = ["taskset", "-c", ",".join(map(str, sorted(cpus)))] if cpus and shutil.which("taskset") else []
        words = [f"{key}={value}" for key, value in {"port": self.port, **arguments}.items()]
        return subprocess.Popen(
            [*self.network.prefix(), *pin, str(self._load), row, *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def _converse(
        self, process: subprocess.Popen[str], deadline: float, hold: Callable[[], dict[str, float]] | None = None
    ) -> Outcome:
        cpu = 0.0
        held: dict[str, float] = {}
        while True:
            event = self._next_event(process, deadline)
            match event["event"]:
                case "begin":
                    cpu = self.group.cpu()
                case "hold":
                    held = hold() if hold else {}
                case "end":
                    time.sleep(0.03)  # children that were about to end do so, and their time counts
                    del event["event"]
                    return Outcome(**event, cpu=self.group.cpu() - cpu, held=held)
                case _:
                    raise CellFailed(event["message"])
            assert process.stdin is not None
            process.stdin.write("\n")
            process.stdin.flush()

    def _next_event(self, process: subprocess.Popen[str], deadline: float) -> dict[str, Any]:
        assert process.stdout is not None
        while not select.select([process.stdout], [], [], 0.1)[0]:
            if not self.alive:
                raise CellFailed("the server ended")
            if time.monotonic() > deadline:
                raise CellFailed("the load generator gave no answer")
        line = process.stdout.readline()
        if not line:
            raise CellFailed("the load generator ended")
        event: dict[str, Any] = json.loads(line)
        return event

    def last_words(self) -> str:
        """The end of what the server wrote to its output."""
        try:
            text = self.log.read_text(errors="replace").strip()
        except OSError:
            return ""
        return " / ".join(text.splitlines()[-3:])[-500:]


def _end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait()
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            stream.close()
