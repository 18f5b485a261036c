"""What others wait while one session works on a slow disk: a file system mounted below the root of a local store."""

from __future__ import annotations

import statistics
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path

from benchmarks.delayed import available, mounted
from benchmarks.places import memory_directory
from benchmarks.running import Running
from benchmarks.scale.curves import REPEATS, Bench, Latency
from benchmarks.tree import PREFIX, SMALL, Tree

DELAY = 0.02
"""Seconds for each answer of the slow disk; a command takes several."""
ENTRIES = 20


def slow_disk(bench: Bench) -> list[Latency]:
    """What 50 sessions wait beside one that lists, fetches and stores there; nothing where none can be mounted."""
    if not available():
        bench.told("no slow disk: that takes root and /dev/fuse")
        return []
    with _mounted(bench.tree):
        running = bench.start()
        try:
            bench.warm(running)
            given: dict[str, object] = {"sessions": 50, "seconds": bench.seconds * 4}
            with _busy(running) as moved:
                outcomes = [running.load("latency", given, limit=120) for _ in range(REPEATS)]
        finally:
            running.stop()
    slowest = statistics.median(outcome.first for outcome in outcomes) * 1e3
    beside = (
        f"a session that lists, fetches and stores on a disk (FUSE) that takes {DELAY * 1e3:.0f} ms for each answer"
    )
    rate = sum(moved) / sum(outcome.seconds for outcome in outcomes) / 1e6
    bench.told(f"beside a slow disk: {len(moved)} commands there")
    return [Latency(beside, round(slowest, 3), round(rate, 4))]


@contextmanager
def _mounted(tree: Tree) -> Iterator[None]:
    """The slow disk as ``slow`` in the tree."""
    where = tree.root / "slow"
    where.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f"{PREFIX}slow-", dir=memory_directory()) as folder:
        source = Path(folder)
        (source / "up").mkdir()
        (source / "list").mkdir()
        for number in range(ENTRIES):
            (source / "list" / f"{number:02}").touch()
        (source / "small").write_bytes(bytes(SMALL))
        with mounted(where, DELAY, source):
            yield


@contextmanager
def _busy(running: Running) -> Iterator[list[int]]:
    """A session at a time works on the slow disk; the octets of what it has done. Raises CellFailed at the end."""
    moved: list[int] = []
    over = threading.Event()

    def work() -> None:
        small: dict[str, object] = {"sessions": 1, "threads": 1, "size": SMALL, "seconds": 1}
        rows: list[tuple[str, dict[str, object]]] = [
            ("listing", {"verb": "MLSD", "path": "slow/list", "size": ENTRIES, "repeat": 1, "seconds": 0}),
            ("small", {"verb": "RETR", "path": "slow/small", **small}),
            ("small", {"verb": "STOR", "path": "slow/up/s", **small}),
        ]
        for row, arguments in cycle(rows):
            if over.is_set():
                return
            moved.append(running.load(row, arguments, limit=60).octets)

    with ThreadPoolExecutor(1) as thread:
        working = thread.submit(work)
        try:
            yield moved
        finally:
            over.set()
        working.result()
