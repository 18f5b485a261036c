"""Who fetches which part of a file: each has a segment, and who is done takes half of what another has left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

_WORTH_TAKING = 2.0
"""Seconds that a segment must still last for another hand to take half of it."""
SMALLEST = 1 << 20
"""Octets of a segment at least; less is not worth a command."""


@dataclass(eq=False, slots=True)
class Segment:
    """The octets from ``position`` up to ``end``, which may come closer while they are fetched."""

    position: int
    end: int
    taken: bool = False
    began: tuple[float, int] = (0.0, 0)
    """When it was taken, and where it began then."""

    @property
    def left(self) -> int:
        """Octets that are still to come."""
        return self.end - self.position

    def seconds(self, now: float) -> float:
        """How long they will take, if they go on as they began; for ever where none came yet."""
        since, start = self.began
        return self.left * (now - since) / (self.position - start) if self.position > start else inf


class Board:
    """Divides the ``gaps`` of a file, ranges without their ends, among ``hands`` who fetch side by side."""

    def __init__(self, gaps: Sequence[tuple[int, int]], hands: int) -> None:
        step = max(SMALLEST, -(-sum(end - start for start, end in gaps) // hands))
        self._segments = [
            Segment(position, min(position + step, end)) for start, end in gaps for position in range(start, end, step)
        ]

    @property
    def done(self) -> bool:
        """Whether nothing is left."""
        return not any(segment.left for segment in self._segments)

    def __len__(self) -> int:
        """How many segments there are."""
        return len(self._segments)

    def next(self, now: float) -> Segment | None:
        """A segment to fetch from the time ``now`` on: one that nobody has, else half of what will last longest.

        None where it would be over sooner than anybody else had begun.
        """
        free = [segment for segment in self._segments if not segment.taken and segment.left]
        if not free:
            worth = [one for one in self._segments if one.left >= 2 * SMALLEST and one.seconds(now) >= _WORTH_TAKING]
            longest = max(worth, key=lambda segment: (segment.seconds(now), segment.left), default=None)
            if longest is None:
                return None
            middle = longest.position + longest.left // 2
            free = [Segment(middle, longest.end)]
            longest.end = middle
            self._segments += free
        segment = max(free, key=lambda segment: segment.left)
        segment.taken, segment.began = True, (now, segment.position)
        return segment

    def extend(self, segment: Segment) -> bool:
        """Let ``segment`` go on with what follows it, if nobody has that yet; whether it does."""
        following = next(
            (other for other in self._segments if other.position == segment.end and other.left and not other.taken),
            None,
        )
        if following is None:
            return False
        self._segments.remove(following)
        segment.end = following.end
        return True

    def give_back(self, segment: Segment) -> None:
        """Somebody else is to fetch what is left of it."""
        segment.taken = False
