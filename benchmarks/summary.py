"""From samples to medians, ratios, and the list of rows in which Fairlead is behind."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks.measure import Sample
from benchmarks.rows import Better, Row
from benchmarks.servers import Family, Server

EVEN = 0.02
"""Ratios this near to 1 count as even: medians of a few rounds are no sharper than that."""


@dataclass(frozen=True, slots=True)
class Medians:
    """The medians of a row on a server, or why there are none."""

    value: float | None
    cpu: float | None
    rounds: int
    spread: float = 0.0
    """The distance of the extreme values as a share of the median."""
    detail: str = ""
    failure: str = ""


@dataclass(frozen=True, slots=True)
class Ratio:
    """How one configuration of Fairlead compares in one row; above 1 is better than the other."""

    row: Row
    figure: str
    """The row's unit, or that of CPU time."""
    server: str
    python: float | None
    python_best: str
    best: float | None
    best_name: str
    limit: float | None


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
        detail=samples[-1].detail,
    )


def advantage(ours: float, theirs: float, better: Better) -> float:
    """Above 1 where ``ours`` is the better value."""
    if better is Better.LOWER:
        ours, theirs = theirs, ours
    return ours / theirs if theirs else float("inf")


def ratios(cells: Table, rows: Sequence[Row], servers: Sequence[Server]) -> list[Ratio]:
    """Each configuration of Fairlead in each row that is compared, against the best of the others."""
    found = []
    for row in rows:
        if not row.compared:
            continue
        for server in servers:
            cell = cells.get((row.name, server.name))
            if server.family is not Family.FAIRLEAD or cell is None:
                continue
            if cell.value is not None:
                found.append(_ratio(cells, row, servers, server, row.unit, cell.value))
            if cell.cpu is not None and row.cpu_counts:
                found.append(_ratio(cells, row, servers, server, "CPU " + row.work.value, cell.cpu))
    return found


def _ratio(cells: Table, row: Row, servers: Sequence[Server], server: Server, figure: str, ours: float) -> Ratio:
    cpu = figure != row.unit
    better = Better.LOWER if cpu else row.better

    def best(families: set[Family]) -> tuple[float | None, str]:
        values = []
        for other in servers:
            cell = cells.get((row.name, other.name))
            value = None if cell is None else cell.cpu if cpu else cell.value
            if other.family in families and value is not None:
                values.append((value, other.title))
        if not values:
            return None, ""
        value, title = max(values) if better is Better.HIGHER else min(values)
        return advantage(ours, value, better), title

    python, python_best = best({Family.PYTHON})
    overall, best_name = best({Family.PYTHON, Family.C})
    limit, _ = best({Family.LIMIT})
    return Ratio(row, figure, server.name, python, python_best, overall, best_name, limit)


def behind(found: Iterable[Ratio]) -> list[tuple[Ratio, str, float]]:
    """Where a configuration of Fairlead is behind: the ratio, behind whom, and by which factor.

    Behind a Python server counts, and behind the best of all; once each.
    """
    result = []
    for ratio in found:
        if ratio.python is not None and ratio.python < 1 - EVEN:
            result.append((ratio, ratio.python_best, ratio.python))
        if ratio.best is not None and ratio.best < 1 - EVEN and ratio.best_name != ratio.python_best:
            result.append((ratio, ratio.best_name, ratio.best))
    return result
