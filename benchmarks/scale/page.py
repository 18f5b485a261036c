"""The page and the plots in ``docs/performance``, made from the data beside them."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pygal
from pygal.style import CleanStyle

from benchmarks.places import REPOSITORY
from benchmarks.scale.curves import Curve, Measured

# pygal leaves a finder for its plugins that Python warns of at each module that is not found.
sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, pygal.PluginImportFixer)]

FOLDER = REPOSITORY / "docs" / "performance"
DATA = "scale.json"
HEAD = """\
# How costs grow

What a session, a command, a file or a listed entry costs the server must not depend on how many there are. These plots
show it for Fairlead as it comes (one worker, log written); `make scale ARGS=--write` measures and draws them anew.
Costs are CPU time of the server, which other programs on the machine disturb less than they do the time on the clock.
`make bench` compares with other servers. The mixed load (commands, logins, small and large transfers, listings, and 50
sessions that stay) rests between its rounds, since its time is what counts, not its rate.
"""
LATENCIES = """\
## What others wait

50 sessions take turns with a NOOP, 2,000 in a second at most. The slowest hundredth of them waited at least so long for
its reply, while beside them went on:

| beside | 99th percentile | moved meanwhile |
|---|---:|---:|
"""


def files(measured: Measured) -> dict[str, str]:
    """The page, the plots and the data, by name."""
    plots = {f"{curve.name}.svg": plot(curve) for curve in measured.curves}
    return {"README.md": "\n".join(_page(measured)), **plots, DATA: data(measured)}


def data(measured: Measured) -> str:
    """What was measured, to be read by :func:`load`."""
    return json.dumps(measured.as_data(), indent=1, ensure_ascii=False) + "\n"


def write(measured: Measured) -> None:
    """Put all in its place."""
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.glob("*.svg"):
        old.unlink()
    for name, text in files(measured).items():
        (FOLDER / name).write_text(text)


def read(folder: Path) -> Measured:
    """What was written."""
    return load(folder / DATA)


def load(file: Path) -> Measured:
    """What :func:`data` made."""
    return Measured.of(json.loads(file.read_text()))


def _page(measured: Measured) -> Iterator[str]:
    yield HEAD
    machine = "; ".join(f"{key}: {value}" for key, value in measured.machine.items())
    yield f"{machine}.\n"
    for curve in measured.curves:
        yield f"## {curve.title}\n"
        if curve.note:
            yield f"{curve.note}\n"
        yield f"![{curve.title}, by {curve.across}]({curve.name}.svg)\n"
        yield from _table(curve)
        yield f"{curve.date}.\n"
    yield LATENCIES.rstrip("\n")
    for latency in measured.latencies:
        yield f"| {latency.beside} | {latency.slowest:.3g} ms | {_rate(latency.moved)} |"
    yield f"\n{max((latency.date for latency in measured.latencies), default='')}.\n"


def _rate(megabytes: float) -> str:
    return f"{megabytes:,.0f} MB/s" if megabytes >= 1 or not megabytes else f"{megabytes * 1e3:,.2g} KB/s"


def _table(curve: Curve) -> Iterator[str]:
    """The values in words, for those who see no pictures."""
    unit = f", {curve.unit}" if curve.unit else ""
    yield f"| {curve.across} | {' | '.join(f'{number:,}' for number in curve.at)} |"
    yield f"|---|{'---:|' * len(curve.at)}"
    for name, values in curve.series.items():
        yield f"| {name}{unit} | {' | '.join(f'{value:.4g}' for value in values)} |"
    yield ""


def plot(curve: Curve) -> str:
    """An SVG picture of ``curve``; its places stand at equal distances, whatever they count."""
    chart = pygal.Line(
        js=[],
        width=720,
        height=360,
        explicit_size=True,
        style=CleanStyle,
        legend_at_bottom=True,
        disable_xml_declaration=True,
        range=(0, 1.15 * max(max(values) for values in curve.series.values())),
        x_title=curve.across,
        y_title=curve.unit,
        x_labels=[f"{number:,}" for number in curve.at],
    )
    chart.uuid = curve.name  # which would be another one at each drawing
    for name, values in curve.series.items():
        chart.add(name, values)
    return re.sub(r"<!--.*?-->", "", chart.render()) + "\n"  # without the day on which it was drawn
