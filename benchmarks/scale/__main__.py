"""``python -m benchmarks.scale``: how costs grow with sessions, entries and time; a soak of any length."""

from __future__ import annotations

import argparse
import datetime as dt
import resource
import sys

from benchmarks import group
from benchmarks.build import BuildError, build
from benchmarks.machine import describe
from benchmarks.running import CellFailed
from benchmarks.scale import page
from benchmarks.scale.curves import Bench, Measured
from benchmarks.servers.declared import Family, Server
from benchmarks.tree import Tree

SLOW = Server(
    name="fairlead-slow",
    title="Fairlead over a slow store",
    family=Family.FAIRLEAD,
    command=("{python}", "{repository}/benchmarks/servers/scripts/slow_store_server.py", "{port}", "{root}"),
)
SPARE = 2000
"""Descriptors that are left to what is not one of the idle sessions."""


def parser() -> argparse.ArgumentParser:
    """The command line."""
    result = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__)
    result.add_argument("--quick", action="store_true", help="a minute: fewer points, shorter rows")
    result.add_argument("--soak", type=float, metavar="SECONDS", help="how long mixed load goes on (default 60)")
    result.add_argument("--write", action="store_true", help="write docs/performance: page, plots, data")
    return result


def measure(bench: Bench, *, quick: bool, soak: float, most: int) -> Measured:
    """Everything; no more than ``most`` idle sessions."""
    sessions = [count for count in ((10, 100) if quick else (10, 100, 1_000, 10_000)) if count <= most]
    entries = (100, 1_000) if quick else (100, 1_000, 10_000, 100_000, 1_000_000)
    durations = (0.05, 0.5) if quick else (0.05, 0.5, 5, 50)
    curves = [
        *bench.sessions(sessions), *bench.entries(entries), *bench.length(durations), *bench.soak(soak)
    ]  # fmt: skip
    date = f"{dt.datetime.now(dt.UTC):%Y-%m-%d %H:%M} UTC"
    return Measured(date, describe(), curves, bench.latencies(SLOW))


def main() -> int:
    """Measure, show, and write where that is asked for; exit status 1 where something failed."""
    options = parser().parse_args()
    soak = options.soak if options.soak is not None else (5.0 if options.quick else 60.0)
    group.remove_leftovers()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    tree = Tree()
    try:
        build("load")
        bench = Bench(tree, seconds=0.2 if options.quick else 0.5)
        measured = measure(bench, quick=options.quick, soak=soak, most=most - SPARE)
    except (BuildError, CellFailed) as failure:
        print(f"scale: {failure}", file=sys.stderr)
        return 1
    finally:
        tree.close()
    print(page.files(measured)["README.md"])
    if options.write:
        page.write(measured)
    return 0


if __name__ == "__main__":
    sys.exit(main())
