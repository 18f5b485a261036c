"""``python -m benchmarks``: measure, print the tables, write them to ``benchmarks/results/``."""

from __future__ import annotations

import argparse
import datetime as dt
import os
import resource
import signal
import sys
from collections.abc import Sequence
from typing import Protocol, TypeVar

from rich.console import Console

from benchmarks import group
from benchmarks.build import BuildError, build
from benchmarks.group import new_group
from benchmarks.machine import describe
from benchmarks.measure import Sample
from benchmarks.network import new_network
from benchmarks.places import RESULTS
from benchmarks.report import Report, markdown, number, show, write_json
from benchmarks.rows import MIB, rows
from benchmarks.runner import WARM, Plan, run
from benchmarks.servers import SERVERS


class Named(Protocol):
    """A row or a server."""

    @property
    def name(self) -> str: ...

    @property
    def title(self) -> str: ...

    @property
    def optional(self) -> bool: ...


N = TypeVar("N", bound=Named)


class UnknownNameError(Exception):
    """A row or server that does not exist was asked for."""


def chosen(all_of: Sequence[N], names: str) -> list[N]:
    """Those that ``names`` (separated by commas, ``*`` at the end stands for any rest) asks for, in their own order.

    Empty for all but the optional ones. Raises UnknownNameError.
    """
    if not names:
        return [one for one in all_of if not one.optional]
    asked: set[str] = set()
    for word in names.split(","):
        matching = {one.name for one in all_of if one.name == word}
        if word.endswith("*"):
            matching = {one.name for one in all_of if one.name.startswith(word[:-1])}
        if not matching:
            raise UnknownNameError(f"{word!r} is none of: {', '.join(one.name for one in all_of)}")
        asked |= matching
    return [one for one in all_of if one.name in asked]


def parser() -> argparse.ArgumentParser:
    """The command line."""
    result = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Fairlead side by side with other FTP servers and with the fastest this machine allows.",
        epilog="example: python -m benchmarks --rows 'retr*,noop' --servers fairlead,pure-ftpd,limit --rounds 3",
    )
    result.add_argument(
        "--rows", default="", metavar="NAMES", help="rows to run, separated by commas; NAME* for several"
    )
    result.add_argument("--servers", default="", metavar="NAMES", help="servers to run, likewise")
    result.add_argument("--rounds", type=int, help="how often each cell is measured (default 5, with --quick 2)")
    result.add_argument("--quick", action="store_true", help="smaller files and directories, shorter rows")
    result.add_argument("--budget", type=float, default=60, metavar="MINUTES", help="end after so long (default 60)")
    result.add_argument("--name", help="name of the results (default: the date)")
    result.add_argument("--list", action="store_true", help="show rows and servers, run nothing")
    return result


def main(arguments: Sequence[str] | None = None) -> int:
    """Run; 0 when every cell has a value, 1 when one failed, 2 for a wrong command line."""
    options = parser().parse_args(arguments)
    console = Console(width=None if sys.stdout.isatty() else 200)
    try:
        all_rows = rows(quick=options.quick)
        wanted = chosen(all_rows, options.rows)
        servers = chosen(SERVERS, options.servers)
        if options.list:
            everything: list[Named] = [*all_rows, *SERVERS]
            for one in everything:
                console.print(f"  {one.name:26}{one.title}{'  (optional)' if one.optional else ''}", highlight=False)
            return 0
        build("load")
        build("limit")
    except (UnknownNameError, BuildError) as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 2
    group.remove_leftovers()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    missing = {server.title: reason for server in servers if (reason := server.missing())}
    present = [server for server in servers if server.title not in missing]
    rounds = options.rounds or (2 if options.quick else 5)

    def told(sample: Sample) -> None:
        value = f"FAILED: {sample.failure}" if sample.failure else number(sample.value)
        console.print(
            f"{sample.round + 1}/{rounds}  {sample.row:18}{sample.server:26}{value}", highlight=False, markup=False
        )

    plan = Plan(
        rows=wanted,
        servers=present,
        rounds=rounds,
        budget=options.budget * 60,
        warm=256 * MIB if options.quick else WARM,
        told=told,
    )
    date, busy = dt.datetime.now(dt.UTC), f"{os.getloadavg()[0]:.1f}"
    samples = run(plan)
    report = Report(
        date=f"{date:%Y-%m-%d %H:%M} UTC",
        machine=describe(),
        method={"rounds": str(rounds), "load average before": busy, **method()},
        rows=wanted,
        servers=present,
        missing=missing,
        samples=samples,
    )
    show(report, console)
    name = options.name or f"{date:%Y-%m-%dT%H%M}"
    write_json(report, RESULTS / f"{name}.json")
    (RESULTS / "latest.md").write_text(markdown(report))
    console.print(f"written: benchmarks/results/{name}.json, benchmarks/results/latest.md", highlight=False)
    return 1 if any(sample.failure for sample in samples) else 0


def method() -> dict[str, str]:
    """How CPU time is counted and how servers are kept apart here."""
    probe, network = new_group("probe"), new_network()
    try:
        return {"CPU time by": probe.kind, "network": network.kind}
    finally:
        probe.remove()
        network.close()


if __name__ == "__main__":
    sys.exit(main())
