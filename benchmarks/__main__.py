"""``python -m benchmarks``: measure, print the tables, write them to ``benchmarks/results/``."""

from __future__ import annotations

import argparse
import datetime as dt
import os
import resource
import signal
import sys
from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from rich.console import Console

from benchmarks import group
from benchmarks.build import BuildError, build, build_modules
from benchmarks.clients import CLIENTS
from benchmarks.clients.runner import ClientPlan, run_clients
from benchmarks.clients.tasks import client_rows
from benchmarks.group import new_group
from benchmarks.machine import describe
from benchmarks.measure import Sample
from benchmarks.network import new_network
from benchmarks.places import RESULTS
from benchmarks.report import Report, markdown, number, show, write_json
from benchmarks.rows import MIB, Row, rows
from benchmarks.runner import WARM, Plan, run
from benchmarks.running import CellFailed
from benchmarks.servers import SERVERS, Server
from benchmarks.summary import Subject


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
        description="Fairlead beside other FTP servers and clients, and beside the fastest this machine allows.",
        epilog="example: python -m benchmarks --rows 'retr*,noop' --servers fairlead,pure-ftpd,limit --rounds 3",
    )
    result.add_argument(
        "--rows", default="", metavar="NAMES", help="rows to run, separated by commas; NAME* for several"
    )
    result.add_argument("--servers", default="", metavar="NAMES", help="servers to run, likewise")
    result.add_argument("--clients", default="", metavar="NAMES", help="clients to run, likewise")
    result.add_argument("--rounds", type=int, help="how often each cell is measured (default 5, with --quick 2)")
    result.add_argument("--quick", action="store_true", help="smaller files and directories, shorter rows")
    result.add_argument(
        "--budget", type=float, default=60, metavar="MINUTES", help="end each table after so long (default 60)"
    )
    result.add_argument("--name", help="name of the results (default: the date)")
    result.add_argument("--list", action="store_true", help="show rows and servers, run nothing")
    return result


def main(arguments: Sequence[str] | None = None) -> int:
    """Run; 0 when every cell has a value, 1 when one failed, 2 for a wrong command line."""
    options = parser().parse_args(arguments)
    console = Console(width=None if sys.stdout.isatty() else 200)
    server_rows, all_client_rows = rows(quick=options.quick), client_rows(quick=options.quick)
    try:
        wanted = {row.name for row in chosen([*server_rows, *all_client_rows], options.rows)}
        servers, clients = chosen(SERVERS, options.servers), chosen(CLIENTS, options.clients)
        if options.list:
            everything: list[Named] = [*server_rows, *SERVERS, *all_client_rows, *CLIENTS]
            for one in everything:
                console.print(f"  {one.name:26}{one.title}{'  (optional)' if one.optional else ''}", highlight=False)
            return 0
        build("load")
        build("limit")
        build_modules()
    except (UnknownNameError, BuildError) as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 2
    group.remove_leftovers()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    run_of = _Run(options, console)
    of_servers = [row for row in server_rows if row.name in wanted]
    of_clients = [row for row in all_client_rows if row.name in wanted]
    failed = False
    if of_servers:
        present, missing = _present(servers)
        plan = Plan(
            rows=of_servers,
            servers=present,
            rounds=run_of.rounds,
            budget=options.budget * 60,
            warm=256 * MIB if options.quick else WARM,
            told=run_of.told,
        )
        failed |= run_of.report("server", of_servers, present, missing, lambda: run(plan))
    if of_clients:
        there, absent = _present(clients)
        tasks = ClientPlan(
            rows=of_clients,
            clients=there,
            server=_server_for_clients(),
            rounds=run_of.rounds,
            budget=options.budget * 60,
            told=run_of.told,
        )
        failed |= run_of.report("client", of_clients, there, absent, lambda: run_clients(tasks))
    return 1 if failed else 0


class Present(Named, Subject, Protocol):
    """A server or client that may be missing here."""

    def missing(self) -> str: ...


S = TypeVar("S", bound=Present)


def _present(subjects: Sequence[S]) -> tuple[list[S], dict[str, str]]:
    """Those that are here, and why the others are not."""
    missing = {one.title: reason for one in subjects if (reason := one.missing())}
    return [one for one in subjects if one.title not in missing], missing


def _server_for_clients() -> Server:
    """The quickest server that lists by MLSD, which most clients prefer; ours where that one is not here."""
    by_name = {server.name: server for server in SERVERS}
    quickest = by_name["pure-ftpd"]
    return by_name["fairlead"] if quickest.missing() else quickest


class _Run:
    """What the two tables of a run share."""

    def __init__(self, options: argparse.Namespace, console: Console) -> None:
        self.rounds: int = options.rounds or (2 if options.quick else 5)
        self._console = console
        self._name: str | None = options.name
        self._busy = f"{os.getloadavg()[0]:.1f}"

    def told(self, sample: Sample) -> None:
        """Show one sample."""
        value = f"FAILED: {sample.failure}" if sample.failure else number(sample.value)
        line = f"{sample.round + 1}/{self.rounds}  {sample.row:20}{sample.server:26}{value}"
        self._console.print(line, highlight=False, markup=False)

    def report(
        self,
        kind: str,
        of: Sequence[Row],
        subjects: Sequence[Subject],
        missing: dict[str, str],
        run_all: Callable[[], list[Sample]],
    ) -> bool:
        """Measure, print the tables and write them; whether a cell failed."""
        date = dt.datetime.now(dt.UTC)
        try:
            samples = run_all()
        except CellFailed as failure:
            print(f"benchmarks: {failure}", file=sys.stderr)
            return True
        report = Report(
            kind=kind,
            date=f"{date:%Y-%m-%d %H:%M} UTC",
            machine=describe(),
            method={"rounds": str(self.rounds), "load average before": self._busy, **method()},
            rows=of,
            subjects=subjects,
            missing=missing,
            samples=samples,
        )
        show(report, self._console)
        data = f"{self._name or f'{date:%Y-%m-%dT%H%M}'}-{kind}s.json"
        page = f"{kind}s.md"
        write_json(report, RESULTS / data)
        (RESULTS / page).write_text(markdown(report))
        self._console.print(f"written: benchmarks/results/{data}, benchmarks/results/{page}", highlight=False)
        return any(sample.failure for sample in samples)


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
