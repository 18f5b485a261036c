"""A progress bar, on a terminal only."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from fairlead.client.trace import printable

if TYPE_CHECKING:
    from rich.progress import Progress


@contextmanager
def progress(
    args: argparse.Namespace, name: str, *, transient: bool = False
) -> Iterator[Callable[[int, int | None], None] | None]:
    """What to give to a transfer as ``on_progress``: a bar on standard error, None where nobody would see it.

    A ``transient`` one is gone at the end. Under ``--debug`` the dialogue takes its place.
    """
    with transfer_bars(args, transient=transient) as bars, bar(bars, name) as on_progress:
        yield on_progress


@contextmanager
def bar(
    bars: Progress | None, name: str, *, passing: bool = False
) -> Iterator[Callable[[int, int | None], None] | None]:
    """One of ``bars``, to be given to a transfer; None where there are none. A ``passing`` one does not stay."""
    if bars is None:
        yield None
        return
    task = bars.add_task(printable(name), total=None)

    def update(done: int, total: int | None) -> None:
        bars.update(task, completed=done, total=total)

    yield update
    if passing:
        bars.remove_task(task)


@contextmanager
def transfer_bars(args: argparse.Namespace, *, transient: bool = False) -> Iterator[Progress | None]:
    """Bars of transfers on standard error, None where :func:`progress` has none."""
    if not sys.stderr.isatty() or args.debug:
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(binary_units=True),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=transient) as bars:
        yield bars
