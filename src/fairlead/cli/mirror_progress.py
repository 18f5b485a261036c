"""The progress of a mirror on a terminal: all of it, and each file that takes a while."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from fairlead.cli.progress import transfer_bars
from fairlead.client.mirror.plan import Action
from fairlead.client.mirror.run import Again, Began, Done, Event, Failed, Moved, Planned
from fairlead.client.trace import printable

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from fairlead.client.mirror.run import Listener


@contextmanager
def mirror_progress(args: argparse.Namespace) -> Iterator[Listener | None]:
    """What to give to a mirror as its listener; None where nobody would see anything."""
    with transfer_bars(args) as bars:
        shown = Shown(bars) if bars is not None else None

        def both(event: Event) -> None:
            _print(event)
            if shown is not None:
                shown(event)

        yield both if args.verbose else shown


class Shown:
    """A bar for the whole, one for each file that is not done at once."""

    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._all: TaskID = bars.add_task("looking at both ends", total=None)
        self._files: dict[str, TaskID] = {}
        self._moved: dict[str, int] = {}
        self._count = 0
        self._total = 0

    def __call__(self, event: Event) -> None:
        """Show what happened."""
        if isinstance(event, Planned):
            self._count = len(event.plan.copies)
            self._bars.update(self._all, total=event.plan.octets, description=self._description())
        elif isinstance(event, Moved):
            self._move(event)
        elif isinstance(event, Done | Failed) and event.step.action is Action.COPY:
            self._end(event)

    def _move(self, event: Moved) -> None:
        path = event.step.path
        self._bars.advance(self._all, event.done - self._moved.get(path, 0))
        self._moved[path] = event.done
        if path in self._files:
            self._bars.update(self._files[path], completed=event.done, total=event.total)
        elif event.done != event.total:
            self._files[path] = self._bars.add_task(printable(path), completed=event.done, total=event.total)

    def _end(self, event: Done | Failed) -> None:
        path, size = event.step.path, event.step.item.size or 0
        self._bars.advance(self._all, size - self._moved.pop(path, 0))
        self._total += 1
        self._bars.update(self._all, description=self._description())
        if path in self._files:
            self._bars.remove_task(self._files.pop(path))

    def _description(self) -> str:
        return f"{self._total} of {self._count} files"


def _print(event: Event) -> None:
    """A line for each step that ended, on standard error."""
    if isinstance(event, Planned | Began | Moved):
        return
    step = event.step
    why = f"{step.reason}" if isinstance(event, Done) else event.why
    verdict = {Done: "", Again: " again", Failed: " failed"}[type(event)]
    print(f"{step.action}{verdict} {printable(step.path)}: {printable(why)}", file=sys.stderr)
