"""One cell: a row measured on a server."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.group import memory
from benchmarks.rows import GIB, MIB, Procedure, Row, Work
from benchmarks.running import CellFailed, Outcome, Running
from benchmarks.servers import Server
from benchmarks.tree import Tree, WrongUpload

Start = Callable[[Server, Path], Running]
"""Starts a server on a tree."""


@dataclass(frozen=True, slots=True)
class Sample:
    """The value of one cell in one round, or why there is none."""

    row: str
    server: str
    round: int
    value: float | None = None
    cpu: float | None = None
    """Server CPU time in the row's unit."""
    load_share: float | None = None
    """Of one core, how much the load generator used."""
    detail: str = ""
    failure: str = ""


@dataclass(frozen=True, slots=True)
class Cell:
    """One row on one server in one round."""

    row: Row
    server: Server
    round: int
    start: Start
    tree: Tree
    shared: Running | None = None
    """The running server, for a row of which servers are shared."""

    def measure(self) -> Sample:
        """Measure it; failures become part of the sample."""
        row, names = self.row, (self.row.name, self.server.name, self.round)
        try:
            outcome = self._procedure()()
        except (CellFailed, WrongUpload) as failure:
            self.tree.clear_uploads()
            return Sample(*names, failure=str(failure))
        return Sample(
            *names,
            value=row.value(outcome),
            cpu=cpu_each(row, outcome),
            load_share=outcome.load_cpu / outcome.seconds if outcome.seconds else None,
            detail=row.detail(outcome) if row.detail else "",
        )

    def _procedure(self) -> Callable[[], Outcome]:
        return {
            Procedure.SHARED: self._on_shared,
            Procedure.OWN: self._on_own,
            Procedure.START: self._start_alone,
            Procedure.IDLE: self._idle,
            Procedure.GROWTH: self._growth,
        }[self.row.procedure]

    def _path(self) -> str:
        row, tree = self.row, self.tree
        if row.arguments.get("verb") == "STOR":
            return "up/s"
        if row.entries:
            return tree.directory(row.entries)
        if row.hole:
            return tree.hole(row.hole)
        return tree.file(row.file) if row.file else "small"

    def _load(self, running: Running, hold: Callable[[], dict[str, float]] | None = None) -> Outcome:
        """One run of the row's load; what was uploaded is checked and removed."""
        arguments = {**self.row.arguments, "path": self._path()}
        cores = os.cpu_count() or 1
        cpus = None
        if self.row.parallel and cores > 1:
            cpus = set(range(cores - cores // 2, cores))
            arguments["threads"] = cores // 2
        outcome = running.load(self.row.load, arguments, limit=self.row.limit, cpus=cpus, hold=hold)
        if arguments.get("verb") == "STOR":
            self.tree.check_uploads(files=outcome.operations, octets=outcome.octets)
        return outcome

    def _on_shared(self) -> Outcome:
        assert self.shared is not None
        return self._load(self.shared)

    def _on_own(self) -> Outcome:
        self._path()  # what takes long to make is made before the start
        running = self.start(self.server, self.tree.root)
        try:
            return self._load(running)
        finally:
            running.stop()

    def _start_alone(self) -> Outcome:
        # The first start brings programs and libraries into the page cache.
        self.start(self.server, self.tree.root).stop()
        running = self.start(self.server, self.tree.root)
        running.stop()
        return Outcome(operations=1, octets=0, seconds=running.started, first=running.started)

    def _idle(self) -> Outcome:
        running = self.start(self.server, self.tree.root)
        try:
            before = memory(running.group.pids())[0]

            def read() -> dict[str, float]:
                held = memory(running.group.pids())[0]
                sessions = self.row.arguments["sessions"]
                assert isinstance(sessions, int)
                return {"pss": held / 1e6, "each": (held - before) / sessions / 1e3}

            return self._load(running, read)
        finally:
            running.stop()

    def _growth(self) -> Outcome:
        self._path()
        running = self.start(self.server, self.tree.root)
        try:
            running.load(self.row.load, self._warming(), limit=self.row.limit)
            self.tree.clear_uploads()
            before = memory(running.group.pids())[0]
            peak = _Peak(running)
            try:
                outcome = self._load(running)
            finally:
                peak.stop()
            after = memory(running.group.pids())[0]
            outcome.held = {"growth": (after - before) / 1e6, "peak": (max(peak.octets, after) - before) / 1e6}
            return outcome
        finally:
            running.stop()

    def _warming(self) -> dict[str, object]:
        """A first transfer of the same kind, so that what is loaded or allocated once does not count."""
        arguments: dict[str, object] = {**self.row.arguments, "path": "up/s", "size": MIB}
        if self.row.entries:
            arguments |= {"path": self.tree.directory(1000), "size": 1000}
        elif self.row.hole:
            arguments["path"] = self.tree.file(MIB)
        return arguments


def cpu_each(row: Row, outcome: Outcome) -> float | None:
    """The server's CPU time in the unit of the row's work, or None where it does not count."""
    if row.work is Work.OPERATION and outcome.operations:
        return outcome.cpu / outcome.operations * 1e6
    if row.work is Work.GIB and outcome.octets:
        return outcome.cpu / outcome.octets * GIB
    return None


class _Peak:
    """The largest memory of a server while something goes on, looked at 20 times a second."""

    def __init__(self, running: Running) -> None:
        self.octets = 0
        self._running = running
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        while not self._over.wait(0.05):
            self.octets = max(self.octets, memory(self._running.group.pids())[0])

    def stop(self) -> None:
        """End the watch."""
        self._over.set()
        self._thread.join()
