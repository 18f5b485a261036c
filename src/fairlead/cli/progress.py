"""Progress bars, on a terminal only."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeAlias

from fairlead.client.trace import printable

if TYPE_CHECKING:
    from rich.progress import Progress

OnProgress: TypeAlias = Callable[[int, int | None], None]
"""What is told how many octets of a file are done, and how many there are where that is known."""


@contextmanager
def progress(args: argparse.Namespace, name: str, *, transient: bool = False) -> Iterator[OnProgress | None]:
    """What to give to a transfer as ``on_progress``: a bar on standard error, None where nobody would see it.

    A ``transient`` one is gone at the end. Under ``--debug`` the dialogue takes its place.
    """
    with transfer_bars(args, transient=transient) as bars, Files(bars, 1, None).bar(name) as on_progress:
        yield on_progress


@contextmanager
def files(args: argparse.Namespace, sizes: Sequence[int | None]) -> Iterator[Files]:
    """The bars of files of these ``sizes``, None for one that is not known."""
    octets = None if None in sizes else sum(size for size in sizes if size is not None)
    with transfer_bars(args) as bars:
        yield Files(bars, len(sizes), octets)


class Files:
    """A bar for each of ``count`` files, which have ``octets`` together; for several also one for all of them.

    The bars of several go when their files are done, the one of a single file stays.
    """

    def __init__(self, bars: Progress | None, count: int, octets: int | None) -> None:
        self._bars = bars
        self._count = count
        self._done = 0
        self._all = bars.add_task(self._description(), total=octets) if bars is not None and count > 1 else None

    @contextmanager
    def bar(self, name: str) -> Iterator[OnProgress | None]:
        """What to give to the transfer of ``name``; None where nobody would see it."""
        bars = self._bars
        if bars is None:
            yield None
            return
        task, moved = bars.add_task(printable(name), total=None), 0

        def update(done: int, total: int | None) -> None:
            nonlocal moved
            bars.update(task, completed=done, total=total)
            if self._all is not None:
                bars.advance(self._all, done - moved)
            moved = done

        yield update
        if self._all is not None:
            self._done += 1
            bars.update(self._all, description=self._description())
            bars.remove_task(task)

    def _description(self) -> str:
        return f"{self._done} of {self._count} files"


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
