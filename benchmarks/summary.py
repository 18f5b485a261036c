"""From samples to medians, ratios, and the list of rows in which Fairlead is behind."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Protocol

from benchmarks.measure import Sample
from benchmarks.rows import Better, Row
from benchmarks.servers import Family

BUSY = 0.95
"""The share of a core above which the load generator may have held a server back."""
EVEN = 0.02
"""Ratios this near to 1 count as even: medians of a few rounds are no sharper than that."""


class Subject(Protocol):
    """Who is measured: a server, or a client."""

    @property
    def name(self) -> str: ...

    @property
    def title(self) -> str: ...

    @property
    def family(self) -> Family: ...

    @property
    def without(self) -> Mapping[str, str]: ...

    @property
    def remark(self) -> str: ...

    def published(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Medians:
    """The medians of a row on a server, or why there are none."""

    value: float | None
    cpu: float | None
    rounds: int
    spread: float = 0.0
    """The distance of the extreme values as a share of the median."""
    load_share: float = 0.0
    """Of one core, how much the load generator used."""
    detail: str = ""
    failure: str = ""


@dataclass(frozen=True, slots=True)
class Rival:
    """The best of a family in a row."""

    name: str
    advantage: float
    """Of Fairlead over it: above 1 is ahead."""


@dataclass(frozen=True, slots=True)
class Ratio:
    """How one configuration of Fairlead compares in one row."""

    row: Row
    figure: str
    """The row's unit, or that of CPU time."""
    server: str
    python: Rival | None
    """The best of those written in Python."""
    best: Rival | None
    """The best of all others but the limit."""
    limit: Rival | None

    @property
    def stands_for_fairlead(self) -> bool:
        """Whether this is the configuration that answers how Fairlead does: the default one, but with the durability
        of the others where files are stored.
        """
        return self.server == default_server(self.row)


def default_server(row: Row) -> str:
    """The configuration that stands for Fairlead in ``row``."""
    return "fairlead-relaxed" if row.arguments.get("verb") == "STOR" else "fairlead"


Table = dict[tuple[str, str], Medians]
"""Cells by names of row and server."""


def table(samples: Iterable[Sample]) -> Table:
    """The medians over all rounds that succeeded. One failed round makes the cell invalid: its failure is shown."""
    grouped: dict[tuple[str, str], list[Sample]] = {}
    for sample in samples:
        grouped.setdefault((sample.row, sample.server), []).append(sample)
    return {key: _cell(group) for key, group in grouped.items()}


def _cell(samples: Sequence[Sample]) -> Medians:
    failures = [sample.failure for sample in samples if sample.failure]
    if failures:
        return Medians(None, None, len(samples), failure=failures[0])
    values = [sample.value for sample in samples if sample.value is not None]
    cpus = [sample.cpu for sample in samples if sample.cpu is not None]
    middle = median(values)
    return Medians(
        value=middle,
        cpu=median(cpus) if cpus else None,
        rounds=len(samples),
        spread=(max(values) - min(values)) / middle if middle else 0.0,
        load_share=median(sample.load_share or 0.0 for sample in samples),
        detail=samples[-1].detail,
    )


def advantage(ours: float, theirs: float, better: Better) -> float:
    """Above 1 where ``ours`` is the better value."""
    if better is Better.LOWER:
        ours, theirs = theirs, ours
    return ours / theirs if theirs else float("inf")


def ratios(cells: Table, rows: Sequence[Row], subjects: Sequence[Subject]) -> list[Ratio]:
    """Each configuration of Fairlead in each row that is compared, against the best of the others."""
    found = []
    for row in rows:
        if not row.compared:
            continue
        for server in subjects:
            cell = cells.get((row.name, server.name))
            if server.family is not Family.FAIRLEAD or cell is None:
                continue
            if cell.value is not None:
                found.append(_ratio(cells, row, subjects, server, row.unit, cell.value))
            if cell.cpu is not None and row.cpu_counts:
                found.append(_ratio(cells, row, subjects, server, "CPU " + row.work.value, cell.cpu))
    return found


def _ratio(cells: Table, row: Row, subjects: Sequence[Subject], server: Subject, figure: str, ours: float) -> Ratio:
    cpu = figure != row.unit
    better = Better.LOWER if cpu else row.better

    def best(*families: Family) -> Rival | None:
        values = []
        for other in subjects:
            cell = cells.get((row.name, other.name))
            value = None if cell is None else cell.cpu if cpu else cell.value
            if other.family in families and value is not None:
                values.append((value, other.name))
        if not values:
            return None
        value, name = max(values) if better is Better.HIGHER else min(values)
        return Rival(name, advantage(ours, value, better))

    return Ratio(
        row,
        figure,
        server.name,
        python=best(Family.PYTHON),
        best=best(Family.PYTHON, Family.C),
        limit=best(Family.LIMIT),
    )


@dataclass(frozen=True, slots=True)
class Behind:
    """A row in which Fairlead is behind a rival: each configuration that is, with its factor."""

    row: Row
    figure: str
    rival: str
    factors: dict[str, float]


def behind(found: Iterable[Ratio]) -> list[Behind]:
    """Where Fairlead is behind the best Python server, and where behind the best of all, once each."""
    result: dict[tuple[str, str, str], Behind] = {}
    for ratio in found:
        for rival in {one.name: one for one in (ratio.python, ratio.best) if one is not None}.values():
            if rival.advantage < 1 - EVEN:
                key = (ratio.row.name, ratio.figure, rival.name)
                entry = result.setdefault(key, Behind(ratio.row, ratio.figure, rival.name, {}))
                entry.factors[ratio.server] = rival.advantage
    return list(result.values())


def ahead_of(found: Iterable[Ratio], *, python: bool) -> tuple[int, int]:
    """In how many rows Fairlead is not behind the best Python server (or the best of all), and of how many."""
    rivals = [ratio.python if python else ratio.best for ratio in found if ratio.stands_for_fairlead]
    there = [rival for rival in rivals if rival is not None]
    return sum(rival.advantage >= 1 - EVEN for rival in there), len(there)


def load_bound(cells: Table) -> list[tuple[str, str]]:
    """Cells (row, server) in which the load generator was as busy as it can be: the server might do better."""
    return [key for key, cell in cells.items() if cell.load_share > BUSY]
