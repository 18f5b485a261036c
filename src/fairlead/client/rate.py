"""How fast data may go: one limit for all transfers that share it, whichever way they go."""

from __future__ import annotations

from math import inf

_BURST = 0.1
"""Seconds' worth that may go at once after a rest."""
_LARGEST_PIECE = 4 << 20


class Rate:
    """So many ``octets`` per second. One object may serve many clients: what they move is counted together.

    Raises ValueError for less than one octet per second.
    """

    def __init__(self, octets: int) -> None:
        if octets < 1:
            message = f"{octets} octets per second is no rate; leave it out for none"
            raise ValueError(message)
        self.octets = octets
        self.piece = max(1, min(_LARGEST_PIECE, int(octets * _BURST)))
        """Octets to move at once, so that the pauses between are short."""
        self._free = -inf

    def __repr__(self) -> str:
        return f"Rate({self.octets})"

    def take(self, octets: int, now: float) -> float:
        """Count ``octets`` that went at the time ``now``; returns for how many seconds nothing is to go."""
        self._free = max(self._free, now - _BURST) + octets / self.octets
        return max(0.0, self._free - now)
