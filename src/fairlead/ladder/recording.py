"""A ladder in the making: steps as they are seen, kept by whoever sees them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from fairlead.ladder.model import CONTROL, End, Kind, Ladder, Party, Step


@dataclass(slots=True)
class Data:
    """The data connection that was agreed on last, as one of its parties sees it."""

    number: int
    ours: End
    theirs: End
    made: bool = False
    """Whether it came about, whoever called."""


class Recording:
    """Steps in the order in which they were seen.

    ``clock`` gives seconds that never go back, ``now`` seconds since the epoch; ``title`` stands above the drawing. Of
    more than ``limit`` steps the older half is forgotten.
    """

    def __init__(
        self, *, clock: Callable[[], float], now: Callable[[], float], title: str, limit: int | None = None
    ) -> None:
        self._clock = clock
        self._started = clock()
        self._began = now()
        self._title = title
        self.steps: list[Step] = []
        """What was seen; times are seconds since the recording began."""
        self.data: Data | None = None
        """The data connection that was agreed on last, None before and while the next is being agreed on."""
        self._count = 0
        self._limit = limit
        self._forgotten = 0

    def elapsed(self) -> float:
        """Seconds since the recording began."""
        return self._clock() - self._started

    def add(
        self,
        kind: Kind,
        connection: int,
        source: End,
        target: End | None = None,
        *,
        at: float | None = None,
        **said: Any,
    ) -> None:
        """A step that is seen now, or was to be seen ``at`` some time; ``said`` are further fields of it."""
        when = self.elapsed() if at is None else at
        said["cause"] = str(said.get("cause", ""))
        if len(self.steps) == self._limit:
            self._forgotten += self._limit // 2
            del self.steps[: self._limit // 2]
        self.steps.append(Step(at=when, kind=kind, connection=connection, source=source, target=target, **said))

    def note(self, end: End, text: str, note: str, *, cause: str = "", connection: int = CONTROL) -> None:
        """Something that happened at ``end``, on none of its ports."""
        self.add(Kind.NOTE, connection, replace(end, port=0), None, text=text, note=note, cause=cause)

    def next_data(self, ours: End, theirs: End) -> Data:
        """A further data connection."""
        self._count += 1
        self.data = Data(self._count, ours, theirs)
        return self.data

    def ladder(self, *parties: Party) -> Ladder:
        """What was seen so far, in the order of time, beginning at 0."""
        steps = sorted(self.steps, key=lambda step: step.at)
        first = steps[0].at if steps else 0.0
        return Ladder(
            parties=parties,
            steps=tuple(replace(step, at=round(step.at - first, 6)) for step in steps),
            began=self._began + first,
            title=self._title if not self._forgotten else self._shortened(),
        )

    def _shortened(self) -> str:
        kept = len(self.steps)
        return f"{self._title} (the last {kept} of {kept + self._forgotten} steps)".lstrip()
