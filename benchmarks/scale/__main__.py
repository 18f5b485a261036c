"""``python -m benchmarks.scale``: how costs grow with sessions, entries and time; a soak of any length."""

from __future__ import annotations

import argparse
import datetime as dt
import resource
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from benchmarks import group
from benchmarks.build import BuildError, build
from benchmarks.machine import describe
from benchmarks.running import CellFailed
from benchmarks.scale import page
from benchmarks.scale.curves import Bench, Curve, Measured
from benchmarks.scale.disk import slow_disk
from benchmarks.scale.soak import soak
from benchmarks.scale.workers import workers
from benchmarks.servers.declared import Family, Server
from benchmarks.tree import Tree, WrongUpload

SLOW = Server(
    name="fairlead-slow",
    title="Fairlead over a slow store",
    family=Family.FAIRLEAD,
    command=("{python}", "{repository}/benchmarks/servers/scripts/slow_store_server.py", "{port}", "{root}"),
)
SPARE = 2000
"""Descriptors that are left to what is not one of the idle sessions."""


@dataclass(frozen=True, slots=True)
class Extent:
    """How much is measured."""

    quick: bool
    soak: float
    """Seconds of mixed load."""
    share: float
    """Of one core, which that takes at most."""
    most: int
    """Idle sessions."""


def _sessions(bench: Bench, extent: Extent) -> list[Curve]:
    counts = (10, 100) if extent.quick else (10, 100, 1_000, 10_000)
    return bench.sessions([count for count in counts if count <= extent.most])


def _entries(bench: Bench, extent: Extent) -> list[Curve]:
    return bench.entries((100, 1_000) if extent.quick else (100, 1_000, 10_000, 100_000, 1_000_000))


def _length(bench: Bench, extent: Extent) -> list[Curve]:
    return bench.length((0.05, 0.5) if extent.quick else (0.05, 0.5, 5, 50))


def _soak(bench: Bench, extent: Extent) -> list[Curve]:
    return soak(bench, extent.soak, extent.share)


def _workers(bench: Bench, extent: Extent) -> list[Curve]:
    return workers(bench, (1, 2) if extent.quick else (1, 2, 3, 4))


CURVES = {"sessions": _sessions, "entries": _entries, "length": _length, "workers": _workers, "soak": _soak}
LATENCIES = "latencies"
PARTS = (*CURVES, LATENCIES)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    result = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__)
    result.add_argument("--quick", action="store_true", help="a minute: fewer points, shorter rows")
    result.add_argument("--soak", type=float, metavar="SECONDS", help="how long mixed load goes on (default 60)")
    result.add_argument("--share", type=float, default=2, help="of one core, which that load takes at most (default 2)")
    result.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, help="what to measure (default: everything)")
    result.add_argument("--save", type=Path, metavar="FILE", help="write what was measured to FILE")
    result.add_argument("--draw", type=Path, metavar="FILE", help="measure nothing, take what --save wrote")
    result.add_argument("--write", action="store_true", help="write docs/performance: page, plots, data")
    return result


def measure(bench: Bench, extent: Extent, parts: Iterable[str] = PARTS) -> Measured:
    """The parts that are named."""
    curves = [curve for name, part in CURVES.items() if name in parts for curve in part(bench, extent)]
    latencies = [*bench.latencies(SLOW), *slow_disk(bench)] if LATENCIES in parts else []
    date = f"{dt.datetime.now(dt.UTC):%Y-%m-%d %H:%M} UTC"
    for curve in curves:
        curve.date = date
    for latency in latencies:
        latency.date = date
    return Measured(describe(), curves, latencies)


def _measure(options: argparse.Namespace) -> Measured:
    """What the command line asks for. Raises BuildError, CellFailed and WrongUpload."""
    soak = options.soak if options.soak is not None else (5.0 if options.quick else 60.0)
    group.remove_leftovers()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    extent = Extent(options.quick, soak, options.share, most - SPARE)
    tree = Tree()
    try:
        build("load")
        return measure(Bench(tree, seconds=0.2 if options.quick else 0.5), extent, options.only)
    finally:
        tree.close()


def main() -> int:
    """Measure, show, and write where that is asked for; exit status 1 where something failed."""
    options = parser().parse_args()
    try:
        measured = page.load(options.draw) if options.draw else _measure(options)
    except (BuildError, CellFailed, WrongUpload) as failure:
        print(f"scale: {failure}", file=sys.stderr)
        return 1
    if options.save:
        options.save.write_text(page.data(measured))
    print(page.files(measured)["README.md"])
    if options.write:
        page.write(
            measured
            if set(options.only) == set(PARTS) and not options.draw
            else page.read(page.FOLDER).with_new(measured)
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
