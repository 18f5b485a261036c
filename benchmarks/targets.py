"""What Fairlead is to reach, and whether a run shows it: ratios within the run, a few values as they are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from benchmarks.rows import Row
from benchmarks.summary import Ratio, Table, default_server


@dataclass(frozen=True, slots=True)
class Target:
    """What is to be reached in a row; each number is the least advantage, ``most`` the largest value."""

    row: str
    best: float | None = None
    """Over the best of the others."""
    limit: float | None = None
    """Over the minimal C server."""
    most: float | None = None
    cpu: bool = False
    """Whether it is about CPU time."""
    server: str | None = None
    """The configuration that is looked at, where not the one that stands for Fairlead."""


TARGETS = (
    Target("retr", best=1.0, limit=1 / 1.1, cpu=True),
    Target("stor", best=1.0, limit=1 / 1.1, cpu=True),
    Target("retr-x4", best=1.0),
    Target("stor-x4", best=1.0),
    Target("retr-1k", best=1.15, limit=0.9),
    Target("retr-1k-x8", best=1.2, limit=0.85),
    Target("stor-1k", best=1.0, limit=0.9),
    Target("stor-1k-x8", best=1.0, limit=0.8),
    Target("stor-1k-x8-disk", limit=4.0, server="fairlead"),
    Target("login", best=1.1, limit=0.85),
    Target("login-x16", best=1.5, limit=0.85),
    Target("noop", best=1.0),
    Target("noop-pipelined", best=4.0),
    Target("noop-under-bulk", best=0.8),
    Target("list-10k", best=1.0),
    Target("mlsd-10k", best=1.0),
    Target("list-100k", best=1.0),
    Target("mlsd-100k", best=1.0),
    Target("list-first", most=50),
    Target("idle-500", most=30),
    Target("idle-10000", most=60),
    Target("tls-retr", best=1 / 0.9, cpu=True),
    Target("tls-stor", best=1.0, cpu=True),
    Target("tls-retr-1k", best=1.25),
    Target("tls-retr-1k-x8", best=1.1),
    Target("tls-login", best=1.1),
    Target("start", most=300),
    *(
        Target(f"client-{name}", best=1.0)
        for name in ("get", "put", "get-many", "put-many", "list", "mirror", "mirror-x4", "mirror-again")
    ),
)


@dataclass(frozen=True, slots=True)
class Judgement:
    """One number of a target, beside what was measured."""

    row: Row
    about: str
    wanted: str
    measured: str
    met: bool


def judge(found: Iterable[Ratio], cells: Table, rows: Sequence[Row]) -> list[Judgement]:
    """Every target of which the run has a figure."""
    ratios = {(ratio.row.name, ratio.figure != ratio.row.unit, ratio.server): ratio for ratio in found}
    by_name = {row.name: row for row in rows}
    judged: list[Judgement] = []
    for target in TARGETS:
        row = by_name.get(target.row)
        if row is None:
            continue
        server = target.server or default_server(row)
        ratio = ratios.get((target.row, target.cpu, server))
        if ratio is not None:
            judged += _of_ratio(target, ratio)
        cell = cells.get((target.row, server))
        if target.most is not None and cell is not None and cell.value is not None:
            wanted, value = f"≤ {target.most:g} {row.unit}", cell.value
            judged.append(Judgement(row, "as it is", wanted, f"{value:.1f} {row.unit}", value <= target.most))
    return judged


def _of_ratio(target: Target, ratio: Ratio) -> list[Judgement]:
    figure = "CPU time" if target.cpu else ratio.row.unit
    return [
        Judgement(
            ratio.row, f"{figure}, against {rival.name}", f"≥ {wanted:.2f}×", f"{rival.advantage:.2f}×",
            rival.advantage >= wanted - _ROUNDED,
        )
        for wanted, rival in ((target.best, ratio.best), (target.limit, ratio.limit))
        if wanted is not None and rival is not None
    ]  # fmt: skip


_ROUNDED = 0.005
"""Ratios are shown with two decimals, and held against targets as they are shown."""
