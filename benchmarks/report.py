"""The results as JSON, as Markdown and on the terminal."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from rich.console import Console
from rich.table import Table as RichTable

from benchmarks.measure import Sample
from benchmarks.rows import Row, Work
from benchmarks.servers import Family
from benchmarks.summary import Medians, Ratio, Rival, Subject, Table, ahead_of, behind, load_bound, ratios, table
from benchmarks.targets import judge


@dataclass(frozen=True, slots=True)
class Report:
    """All that is known after a run."""

    kind: str
    """What the subjects are: server or client."""
    date: str
    machine: dict[str, str]
    method: dict[str, str]
    rows: Sequence[Row]
    subjects: Sequence[Subject]
    missing: dict[str, str]
    """Subjects that could not take part, with the reason."""
    samples: Sequence[Sample]

    @property
    def cells(self) -> Table:
        """The medians."""
        return table(self.samples)

    @property
    def shown_rows(self) -> list[Row]:
        """The rows with at least one sample."""
        sampled = {sample.row for sample in self.samples}
        return [row for row in self.rows if row.name in sampled]


def number(value: float | None) -> str:
    """Three significant digits, or all before the point."""
    if value is None:
        return "–"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    if abs(value) >= 10:
        return f"{value:.1f}"
    return f"{value:.2f}" if abs(value) >= 1 else f"{value:.3f}"


def factor(value: float) -> str:
    """A ratio."""
    return f"{value:.2f}×"


def against(rival: Rival | None) -> str:
    """The ratio to a rival, and who that is."""
    return "–" if rival is None else f"{factor(rival.advantage)} {rival.name}"


def _value(cell: Medians | None) -> str:
    if cell is None:
        return "–"
    if cell.failure:
        return "FAILED"
    return f"{number(cell.value)} ({cell.detail})" if cell.detail else number(cell.value)


def _cpu(cell: Medians | None) -> str:
    return number(cell.cpu if cell else None)


def write_json(report: Report, path: Path) -> None:
    """Everything, as data."""
    document = {
        "date": report.date,
        "machine": report.machine,
        "method": report.method,
        f"{report.kind}s": {
            one.name: {"title": one.title, "family": one.family.value, "configuration": one.published()}
            for one in report.subjects
        },
        "missing": report.missing,
        "rows": {row.name: {"title": row.title, "unit": row.unit, "better": row.better.value} for row in report.rows},
        "samples": [asdict(sample) for sample in report.samples],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n")


def markdown(report: Report) -> str:
    """The tables, what is behind, what failed, and every configuration."""
    cells = report.cells
    found = ratios(cells, report.shown_rows, report.subjects)
    parts = [
        f"# Benchmarks: {report.kind}s\n",
        f"{report.date}. "
        + "; ".join(f"{key}: {value}" for key, value in {**report.machine, **report.method}.items())
        + ".\n",
        "## Values\n\nMedians.\n",
        _grid(report, cells, _value, lambda row: f"{row.title}, {row.unit} ({row.better.value})"),
        f"## {report.kind.capitalize()} CPU time\n",
        _grid(
            replace(report, rows=[row for row in report.rows if row.work is not Work.NONE]),
            cells,
            _cpu,
            lambda row: f"{row.title}, {row.work.value}",
        ),
        *_targets(report, found),
        "## Ratios\n\nAbove 1 is ahead, whatever the unit.\n",
        _ratio_table(report, found),
        "## Behind\n",
        _behind(report, found),
        *_load_bound(report),
        *_failures(report),
        "## Configurations\n",
        *_configurations(report),
    ]
    return "\n".join(parts)


def _grid(report: Report, cells: Table, shown: Callable[[Medians | None], str], heading: Callable[[Row], str]) -> str:
    lines = [["", *(one.title for one in report.subjects)]]
    lines += [
        [heading(row), *(shown(cells.get((row.name, one.name))) for one in report.subjects)]
        for row in report.shown_rows
    ]
    return _table(lines)


def _table(lines: Sequence[Sequence[str]]) -> str:
    head, *body = lines
    rule = ["---", *["---:"] * (len(head) - 1)]
    return "\n".join("| " + " | ".join(line) + " |" for line in [head, rule, *body]) + "\n"


def _ratio_line(ratio: Ratio, heading: str) -> list[str]:
    limit = "–" if ratio.limit is None else factor(ratio.limit.advantage)
    return [f"{heading}, {ratio.figure}", ratio.server, against(ratio.python), against(ratio.best), limit]


def _ratio_columns(report: Report) -> list[str]:
    return ["", "configuration", f"/ best Python {report.kind}", "/ best of all", "/ limit"]


def _ratio_table(report: Report, found: Iterable[Ratio]) -> str:
    lines = [_ratio_columns(report), *(_ratio_line(ratio, ratio.row.title) for ratio in found)]
    return _table(lines) if len(lines) > 1 else "No row of Fairlead was measured.\n"


def _behind(report: Report, found: Sequence[Ratio]) -> str:
    if not found:
        return "Fairlead was not measured.\n"
    python, rows = ahead_of(found, python=True)
    best, all_rows = ahead_of(found, python=False)
    summary = (
        "As it comes (files stored with the durability of the others), ahead of or even with the best Python"
        f" {report.kind} in {python} of {rows} figures, with the best of all in {best} of {all_rows}.\n"
    )
    lines = []
    for entry in behind(found):
        factors = ", ".join(f"{name} {factor(by)}" for name, by in entry.factors.items())
        lines.append(f"* {entry.row.title}, {entry.figure}, behind {entry.rival}: {factors}")
    return "\n".join([summary, *lines]) + "\n"


def _targets(report: Report, found: Sequence[Ratio]) -> list[str]:
    judged = judge(found, report.cells, report.shown_rows)
    if not judged:
        return []
    lines = [["", "figure", "target", "measured", ""]]
    lines += [[one.row.title, one.about, one.wanted, one.measured, "met" if one.met else "not met"] for one in judged]
    met = sum(one.met for one in judged)
    return [f"## Targets\n\nAbove 1 is ahead. {met} of {len(judged)} are met.\n", _table(lines)]


def _failures(report: Report) -> list[str]:
    lines = [f"* {name}: {reason}." for name, reason in report.missing.items()]
    for row in report.shown_rows:
        for one in report.subjects:
            cell = report.cells.get((row.name, one.name))
            if cell is not None and cell.failure:
                lines.append(f"* {row.title}, {one.title}: **failed**: {cell.failure}")
            elif reason := one.without.get(row.name):
                lines.append(f"* {row.title}, {one.title}: {reason}.")
    return ["## Cells without a value\n", "\n".join(lines) + "\n"] if lines else []


def _load_bound(report: Report) -> list[str]:
    cells = [f"{row} of {server}" for row, server in load_bound(report.cells)]
    if not cells:
        return []
    return [f"The load generator had no time to spare in: {', '.join(cells)}. Those servers may do better.\n"]


def _configurations(report: Report) -> list[str]:
    return [
        f"### {one.title}\n\n" + (f"{one.remark}\n\n" if one.remark else "") + f"```\n{one.published()}\n```\n"
        for one in report.subjects
    ]


def show(report: Report, console: Console) -> None:
    """The tables on a terminal."""
    cells = report.cells
    subjects = [one for one in report.subjects if any(key[1] == one.name for key in cells)]
    values = RichTable(title="Values, medians", title_justify="left")
    values.add_column("", no_wrap=True)
    for one in subjects:
        style = "bold" if one.family is Family.FAIRLEAD else ""
        values.add_column(one.name.replace("-", "\n"), justify="right", style=style)
    for row in report.shown_rows:
        line = [f"{row.name} {row.unit}"]
        for one in subjects:
            cell = cells.get((row.name, one.name))
            line.append(_value(cell) + (f"\n[dim]{number(cell.cpu)}[/dim]" if cell and cell.cpu is not None else ""))
        values.add_row(*line)
    console.print(values)
    console.print(f"Dim: {report.kind} CPU time, µs per operation or s per GiB.")
    found = ratios(cells, report.shown_rows, report.subjects)
    if found:
        lines = RichTable(title="Ratios: above 1 is ahead", title_justify="left")
        for column in _ratio_columns(report):
            lines.add_column(column, no_wrap=True)
        for ratio in found:
            lines.add_row(*_ratio_line(ratio, ratio.row.name))
        console.print(lines)
        console.print("Behind:", style="bold")
        console.print(_behind(report, found), markup=False)
    for part in (*_targets(report, found), *_load_bound(report), *_failures(report)):
        console.print(part, markup=False)
