"""The rounds: every row on every server, the servers in another order each time."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Self, TypeVar

from benchmarks.measure import Cell, Sample
from benchmarks.places import PROGRAMS
from benchmarks.rows import MIB, Procedure, Row
from benchmarks.running import CellFailed, Running
from benchmarks.servers import Server
from benchmarks.tree import Tree

T = TypeVar("T")

WARM = 2048 * MIB
"""Room that uploads take at a time; the machine is made to give it before the first round."""


@dataclass(slots=True)
class Plan:
    """What to run, and for how long at most."""

    rows: Sequence[Row]
    servers: Sequence[Server]
    rounds: int
    budget: float
    """Seconds for all; the round in which they end is finished row by row until then, later rounds are left out."""
    warm: int = WARM
    load: Path = PROGRAMS / "load"
    told: Callable[[Sample], None] = print
    """Called with each sample as it is taken."""


def order(all_of: Sequence[T], number: int) -> list[T]:
    """The order in round ``number``: turned by one place each round, and backwards every other."""
    turn = number // 2 % len(all_of) if all_of else 0
    turned = [*all_of[turn:], *all_of[:turn]]
    return turned[::-1] if number % 2 else turned


def run(plan: Plan) -> list[Sample]:
    """All rounds; the samples come in the order in which they were taken."""
    deadline = time.monotonic() + plan.budget
    samples: list[Sample] = []
    with ExitStack() as stack:
        tree = Tree()
        stack.callback(tree.close)
        disk: list[Tree] = []
        if any(row.on_disk for row in plan.rows):
            PROGRAMS.mkdir(parents=True, exist_ok=True)
            disk.append(Tree(PROGRAMS))
            stack.callback(disk[0].close)
        if any(row.arguments.get("verb") == "STOR" and not row.on_disk for row in plan.rows):
            tree.warm(plan.warm)
        for number in range(plan.rounds):
            for shared in (True, False):
                rows = [row for row in plan.rows if (row.procedure is Procedure.SHARED) is shared]
                rows = [row for row in rows if not row.rounds or number < row.rounds]
                with _Fleet(plan, tree) as fleet:
                    for row in rows:
                        for server in order(plan.servers, number):
                            if time.monotonic() > deadline:
                                return samples
                            if server.refuses(row.name, tls=row.tls):
                                continue
                            sample = fleet.cell(row, server, number, disk[0] if row.on_disk else tree)
                            samples.append(sample)
                            plan.told(sample)
    return samples


class _Fleet:
    """The servers that rows share in a round, each started at its first use."""

    def __init__(self, plan: Plan, tree: Tree) -> None:
        self._plan = plan
        self._tree = tree
        self._running: dict[tuple[str, bool], Running] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for running in self._running.values():
            running.stop()

    def _start(self, server: Server, root: Path) -> Running:
        return Running(server, root=root, port=free_port(), load=self._plan.load)

    def cell(self, row: Row, server: Server, number: int, tree: Tree) -> Sample:
        """One cell; a server that failed is started anew for its next one."""
        shared = None
        key = server.name, row.tls
        if row.tls:
            server = server.protected()
        if row.procedure is Procedure.SHARED:
            shared = self._running.get(key)
            try:
                shared = shared or self._start(server, self._tree.root)
            except CellFailed as failure:
                return Sample(row.name, server.name, number, failure=f"does not start: {failure}")
            self._running[key] = shared
        sample = Cell(row, server, number, self._start, tree, shared).measure()
        if shared is not None and (sample.failure or not shared.alive):
            self._running.pop(key).stop()
        return sample


def free_port() -> int:
    """A port that nothing listens on, outside the range that data connections are called from."""
    for port in range(22000, 32000):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise OSError("no free port between 22000 and 32000")
