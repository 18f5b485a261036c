"""The rounds: every row by every client, the clients in another order each time, on one server."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from benchmarks.clients.declared import Client
from benchmarks.clients.measure import ClientCell
from benchmarks.clients.tasks import ClientRow
from benchmarks.measure import Sample
from benchmarks.places import PROGRAMS
from benchmarks.runner import free_port, order
from benchmarks.running import Running
from benchmarks.servers import Server
from benchmarks.tree import Tree


@dataclass(slots=True)
class ClientPlan:
    """What to run, and for how long at most."""

    rows: Sequence[ClientRow]
    clients: Sequence[Client]
    server: Server
    rounds: int
    budget: float
    """Seconds for all."""
    load: Path = PROGRAMS / "load"
    told: Callable[[Sample], None] = print
    """Called with each sample as it is taken."""


def run_clients(plan: ClientPlan) -> list[Sample]:
    """All rounds; the samples come in the order in which they were taken. Raises CellFailed when no server starts."""
    deadline = time.monotonic() + plan.budget
    samples: list[Sample] = []
    with ExitStack() as stack:
        tree = Tree()
        stack.callback(tree.close)
        running = Running(plan.server, root=tree.root, port=free_port(), load=plan.load)
        stack.callback(running.stop)
        for number in range(plan.rounds):
            for row in plan.rows:
                if row.rounds and number >= row.rounds:
                    continue
                for client in order(plan.clients, number):
                    if row.name not in client.commands:
                        continue
                    if time.monotonic() > deadline:
                        return samples
                    sample = ClientCell(row, client, number, running, tree).measure()
                    samples.append(sample)
                    plan.told(sample)
    return samples
