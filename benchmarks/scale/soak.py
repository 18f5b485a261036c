"""Mixed load that goes on for long: do memory, descriptors, threads and costs stay what they were?

Some sessions stay for the whole time and send a command now and then; meanwhile others come and go in rounds, each with
commands, logins, small and large transfers and listings. Between two rounds all rest for as long as keeps server and
load generator together within a share of one core, so that an hour of it harms nobody else on the machine.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from benchmarks.group import memory
from benchmarks.running import Running
from benchmarks.scale.curves import Bench, Curve, each

BULK = 16 << 20
BRIEF = 0.1
"""Seconds that a row goes on."""
STEADY = 50
"""Sessions that stay."""
PACE = 25
"""Their commands in a second."""
POINTS = 20
"""Of each plot; a cost is the least that was found since the last one, since what others do can only add to it."""


def soak(bench: Bench, seconds: float, share: float) -> list[Curve]:
    """Mixed load for ``seconds`` that takes ``share`` of one core at most."""
    held = Curve("soak-memory", "Memory under mixed load", "seconds", "MB", [])
    held.note = f"{seconds:,.0f} seconds of it, with server and load generator on {share:.0%} of one core at most."
    kept = Curve("soak-descriptors", "Descriptors and threads between two rounds of mixed load", "seconds", "", [])
    cost = Curve("soak-cost", "Cost under mixed load", "seconds", "CPU µs", [])
    running = bench.start()
    try:
        bench.warm(running)
        spent = _spent(running)
        _round(bench, running)
        longest = 2 * (_spent(running) - spent) / share
        with _steady(bench, running, seconds + longest):
            began = time.monotonic()
            spent = _spent(running)
            least: dict[str, float] = {}
            wait = seconds / POINTS
            while (passed := time.monotonic() - began) < seconds or not held.at:
                for name, value in _round(bench, running).items():
                    least[name] = min(value, least.get(name, value))
                rest(time.monotonic() - began, _spent(running) - spent, share)
                if (passed := time.monotonic() - began) < wait:
                    continue
                wait += seconds / POINTS
                for curve in (held, kept, cost):
                    curve.at.append(round(passed))
                for name, value in _kept(running).items():
                    (held if name in {"PSS", "RSS"} else kept).add(name, value)
                for name, value in least.items():
                    cost.add(name, value)
                bench.told(f"{passed:,.0f} s, {(_spent(running) - spent) / passed:.0%} of a core")
                least = {}
    finally:
        running.stop()
    return [held, kept, cost]


@contextmanager
def _steady(bench: Bench, running: Running, seconds: float) -> Iterator[None]:
    """The sessions that stay. Raises CellFailed at the end where one of them has seen what it should not."""
    with ThreadPoolExecutor(1) as thread:
        given: dict[str, object] = {"sessions": STEADY, "seconds": seconds, "pace": PACE}
        staying = thread.submit(running.load, "latency", given, limit=seconds + 120)
        yield
        outcome = staying.result()
    waited = outcome.first * 1e3
    bench.told(f"{STEADY} sessions that stayed: {outcome.operations:,} commands, the slowest hundredth {waited:.3g} ms")


def _round(bench: Bench, running: Running) -> dict[str, float]:
    """Some of everything; what each cost the server, in CPU microseconds."""
    brief = {"threads": 1, "seconds": BRIEF}
    values = {"NOOP": bench.cost(running, "noop", seconds=BRIEF)}
    values["login, to QUIT"] = each(running.load("login", {"sessions": 16, **brief}, limit=60))
    for verb, path in (("RETR", "small"), ("STOR", "up/s")):
        given = {"verb": verb, "path": path, "size": 1024, "sessions": 8, **brief}
        outcome = running.load("small", given, limit=60)
        values[f"{verb} of 1 KiB"] = each(outcome)
        if verb == "STOR":
            bench.tree.check_uploads(files=outcome.operations, octets=outcome.octets)
    for verb, path in (("RETR", bench.tree.file(BULK)), ("STOR", "up/s")):
        outcome = running.load("bulk", {"verb": verb, "path": path, "size": BULK, "sessions": 4, "repeat": 1}, limit=60)
        if verb == "STOR":
            bench.tree.check_uploads(files=outcome.operations, octets=outcome.octets)
    folder = bench.tree.directory(100)
    listing = {"verb": "MLSD", "path": folder, "size": 100, "repeat": 20, "seconds": 0}
    values["MLSD of 100 entries"] = each(running.load("listing", listing, limit=60))
    return values


def _kept(running: Running) -> dict[str, float]:
    """What the server holds."""
    pids = running.group.pids()
    pss, rss = memory(pids)
    return {
        "PSS": pss / 1e6,
        "RSS": rss / 1e6,
        "descriptors": sum(_count(pid, "fd") for pid in pids),
        "threads": sum(_count(pid, "task") for pid in pids),
    }


def _count(pid: int, what: str) -> int:
    return len(list(Path(f"/proc/{pid}/{what}").iterdir()))


def _spent(running: Running) -> float:
    """CPU seconds of the server, of the load generators that have ended, and of this process."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return running.group.cpu() + sum(usage.ru_utime + usage.ru_stime for usage in used)


def rest(passed: float, spent: float, share: float) -> None:
    """Until ``spent`` CPU seconds are no more than ``share`` of the time."""
    time.sleep(max(0.0, spent / share - passed))
