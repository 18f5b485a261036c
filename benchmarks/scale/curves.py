"""What is measured: Fairlead alone, in its default configuration, each cost in server CPU time, which load spares."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from benchmarks.group import memory
from benchmarks.places import PROGRAMS
from benchmarks.runner import free_port
from benchmarks.running import Outcome, Running
from benchmarks.servers import SERVERS
from benchmarks.servers.declared import Server
from benchmarks.tree import Tree

REPEATS = 5
"""Each cost is the least of so many: what others do on the machine can only add to it."""
MANY = 100
"""Sessions from which on what each holds shows beside what a program takes and gives back at any time."""
BULK = 256 << 20
[FAIRLEAD] = [server for server in SERVERS if server.name == "fairlead"]


@dataclass(slots=True)
class Curve:
    """One plot: ``series`` by name, with a value for each of ``at``."""

    name: str
    title: str
    across: str
    """What ``at`` counts."""
    unit: str
    at: list[int]
    series: dict[str, list[float]] = field(default_factory=dict)
    note: str = ""
    """What else is to be known, in sentences."""
    date: str = ""

    def add(self, name: str, value: float) -> None:
        """The next value of a series."""
        self.series.setdefault(name, []).append(round(value, 3))


@dataclass(slots=True)
class Latency:
    """What 50 sessions wait for a NOOP, in milliseconds, while nothing or something else goes on."""

    beside: str
    slowest: float
    """The 99th percentile."""
    moved: float
    """Octets per second, in millions, of what goes on."""
    date: str = ""


@dataclass(slots=True)
class Measured:
    """All that was found."""

    machine: dict[str, str]
    curves: list[Curve]
    latencies: list[Latency]

    def with_new(self, new: Measured) -> Measured:
        """This with the curves and latencies that ``new`` has in the place of those of the same name."""
        curves = {curve.name: curve for curve in (*self.curves, *new.curves)}
        latencies = {latency.beside: latency for latency in (*self.latencies, *new.latencies)}
        return Measured(new.machine, list(curves.values()), list(latencies.values()))

    def as_data(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    @classmethod
    def of(cls, data: dict[str, Any]) -> Measured:
        """From JSON."""
        return cls(
            machine=data["machine"],
            curves=[Curve(**curve) for curve in data["curves"]],
            latencies=[Latency(**latency) for latency in data["latencies"]],
        )


class Bench:
    """Starts servers over a tree of files and sends them load."""

    def __init__(self, tree: Tree, *, seconds: float, told: Callable[[str], None] = print) -> None:
        self.tree = tree
        self.seconds = seconds
        self.told = told

    def start(self, server: Server = FAIRLEAD) -> Running:
        """A server of its own."""
        return Running(server, root=self.tree.root, port=free_port(), load=PROGRAMS / "load")

    def cost(self, running: Running, row: str, **arguments: object) -> float:
        """Server CPU microseconds for each operation of a row of the load generator."""
        given = {"sessions": 1, "threads": 1, "seconds": self.seconds, **arguments}
        return min(each(running.load(row, given, limit=120)) for _ in range(REPEATS))

    def sessions(self, counts: Iterable[int]) -> list[Curve]:
        """Memory, and the cost of commands, while so many sessions are idle."""
        at = list(counts)
        many = [count for count in at if count >= MANY]
        held = Curve("sessions-memory", "Memory that an idle session holds", "idle sessions", "KB", many)
        cost = Curve("sessions-cost", "Cost beside idle sessions", "idle sessions", "CPU µs", at)
        for count in at:
            running = self.start()
            try:
                self.warm(running)
                before = memory(running.group.pids())[0]

                def look(running: Running = running, before: int = before, count: int = count) -> dict[str, float]:
                    if count >= MANY:
                        held.add("PSS for each session", (memory(running.group.pids())[0] - before) / count / 1e3)
                    cost.add("NOOP", self.cost(running, "noop"))
                    cost.add("RETR of 1 KiB", self.cost(running, "small", verb="RETR", path="small", size=1024))
                    cost.add("login, to QUIT", self.cost(running, "login"))
                    return {}

                running.load("idle", {"sessions": count}, limit=300, hold=look)
            finally:
                running.stop()
            self.told(f"{count:,} sessions")
        return [held, cost]

    def entries(self, counts: Iterable[int]) -> list[Curve]:
        """The cost of each entry of a listing, and of a file, by how many are in the directory."""
        at = list(counts)
        listed = Curve("entries-listing", "Cost of a listed entry", "entries in the directory", "CPU µs", at)
        fetched = Curve("entries-file", "Cost of RETR of 8 KB", "entries in the directory", "CPU µs", at)
        running = self.start()
        try:
            self.warm(running)
            for count in at:
                folder = self.tree.directory(count)
                for verb in ("LIST", "MLSD"):
                    given = {"verb": verb, "path": folder, "size": count, "repeat": max(1, 20_000 // count)}
                    listed.add(verb, self.cost(running, "listing", **given, seconds=0) / count)
                file = f"{folder}/measurement-00000001.csv"
                fetched.add("RETR", self.cost(running, "small", verb="RETR", path=file, size=7919))
                self.told(f"{count:,} entries")
        finally:
            running.stop()
        return [listed, fetched]

    def length(self, durations: Iterable[float]) -> list[Curve]:
        """The cost of a command, by how many a session has had."""
        running = self.start()
        cost = Curve("length-cost", "Cost in a session that goes on", "commands in the session", "CPU µs", [])
        try:
            self.warm(running)
            for seconds in durations:
                outcome = running.load("noop", {"sessions": 1, "seconds": seconds}, limit=seconds + 60)
                cost.at.append(outcome.operations)
                cost.add("NOOP", each(outcome))
                self.told(f"{outcome.operations:,} commands")
        finally:
            running.stop()
        return [cost]

    def latencies(self, slow: Server) -> list[Latency]:
        """What 50 sessions wait for their NOOPs: alone, beside a bulk transfer, beside a reader of a ``slow`` store."""
        found = []
        for beside, server, size in (
            ("nothing", FAIRLEAD, 0),
            ("a session that fetches a large file", FAIRLEAD, BULK),
            ("a session that fetches from a store that takes 50 ms for each call", slow, BULK),
        ):
            running = self.start(server)
            try:
                given = {"sessions": 50, "seconds": self.seconds * 2, "size": size, "path": self.tree.file(BULK)}
                outcomes = [running.load("latency", given, limit=120) for _ in range(REPEATS)]
            finally:
                running.stop()
            slowest = statistics.median(outcome.first for outcome in outcomes) * 1e3
            moved = statistics.median(outcome.side_octets / outcome.seconds for outcome in outcomes) / 1e6
            found.append(Latency(beside, round(slowest, 3), round(moved, 1)))
            self.told(f"beside {beside}")
        return found

    def warm(self, running: Running) -> None:
        """What is imported and allocated once does not count."""
        brief: dict[str, object] = {"threads": 1, "seconds": 0.1, "sessions": 1}
        running.load("login", brief, limit=30)
        running.load("small", {"verb": "RETR", "path": "small", "size": 1024, **brief}, limit=30)


def each(outcome: Outcome) -> float:
    """Server CPU microseconds for each operation."""
    return outcome.cpu / outcome.operations * 1e6
