"""What more workers bring, each with a share of a core that is so small that the load generator never is the bound."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import replace

from benchmarks.quota import available, limited
from benchmarks.runner import order
from benchmarks.running import Outcome, Running
from benchmarks.scale.curves import FAIRLEAD, REPEATS, Bench, Curve, each
from benchmarks.tree import SMALL

SHARE = 0.1
SESSIONS = 24
"""For each worker: enough that none is ever without one, however the kernel deals them out."""
ROWS: tuple[tuple[str, str, dict[str, object]], ...] = (
    ("login, to QUIT", "login", {}),
    ("RETR of 1 KiB", "small", {"verb": "RETR", "path": "small", "size": SMALL}),
    ("STOR of 1 KiB", "small", {"verb": "STOR", "path": "up/s", "size": SMALL}),
)


def workers(bench: Bench, counts: Iterable[int]) -> list[Curve]:
    """The rate and the cost of logins and small files by the number of workers; nothing where none can be limited."""
    if not available():
        bench.told("no workers: to limit them takes root and control groups of version 1")
        return []
    at = list(counts)
    rate = Curve("workers-rate", f"Rate of workers that have {SHARE:.0%} of a core each", "workers", "per second", at)
    rate.note = "What they have together stays far below what the machine has, so nothing but they can be the bound."
    cost = Curve("workers-cost", "Cost beside other workers", "workers", "CPU µs", at)
    with ExitStack() as stack:
        servers = [_started(bench, count, stack) for count in at]
        for name, row, arguments in ROWS:
            outcomes: list[list[Outcome]] = [[] for _ in at]
            for repeat in range(REPEATS + 1):
                for running, count, found in order(list(zip(servers, at, outcomes, strict=True)), repeat):
                    found.append(_load(bench, running, row, {"sessions": SESSIONS * count, **arguments}))
            for found in outcomes:
                # What others do on the machine can only slow down; the first time warms up.
                rate.add(name, max(outcome.operations / outcome.seconds for outcome in found[1:]))
                cost.add(name, min(map(each, found[1:])))
            bench.told(f"{name}, {len(at)} numbers of workers")
    return [rate, cost]


def _started(bench: Bench, count: int, stack: ExitStack) -> Running:
    """A server of so many workers, each limited, until ``stack`` is closed."""
    running = bench.start(replace(FAIRLEAD, command=(*FAIRLEAD.command, "--workers", str(count))))
    stack.callback(running.stop)
    parent, *serving = sorted(running.group.pids())
    stack.enter_context(limited(serving or [parent], SHARE))
    return running


def _load(bench: Bench, running: Running, row: str, arguments: dict[str, object]) -> Outcome:
    outcome = running.load(row, {"threads": 1, "seconds": bench.seconds * 2, **arguments}, limit=60)
    if arguments.get("verb") == "STOR":
        bench.tree.check_uploads(files=outcome.operations, octets=outcome.octets)
    return outcome
