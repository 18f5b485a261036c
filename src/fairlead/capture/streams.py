"""One direction of a TCP connection: its octets in order, as far as the capture has them (RFC 9293 section 3.4)."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

WINDOW = 1 << 18
"""Octets that wait for earlier ones before those are given up."""
MOST_WAITING = 256
"""Segments that wait so."""
_HALF, _MODULUS = 1 << 31, 1 << 32


class Lost(NamedTuple):
    """``octets`` that were sent and are not in the capture."""

    octets: int


Piece: TypeAlias = bytes | Lost


def distance(start: int, end: int) -> int:
    """From one sequence number to another; negative when ``end`` comes first."""
    return (end - start + _HALF) % _MODULUS - _HALF


class Reassembly:
    """Segments in any order, doubled or overlapping, to octets in order; what the capture misses is a :class:`Lost`.

    Octets are missed when the receiver has acknowledged them, when too many later ones wait, or when the connection
    ends. Memory is bounded by that.
    """

    __slots__ = ("_acknowledged", "_held", "_next", "_waiting")

    def __init__(self) -> None:
        self._next: int | None = None
        self._waiting: dict[int, tuple[bytes, int]] = {}
        self._held = 0
        self._acknowledged: int | None = None

    def begin(self, seq: int) -> None:
        """The first octet will have the sequence number ``seq``."""
        if self._next is None:
            self._next = seq % _MODULUS

    def feed(self, seq: int, payload: bytes, size: int) -> list[Piece]:
        """What the segment at ``seq`` completes; ``size`` is what it carried, ``payload`` what was captured of it."""
        if not size:
            return []
        self.begin(seq)
        kept = self._waiting.get(seq)
        if kept is None or kept[1] < size:
            self._waiting[seq] = payload, size
            self._held += len(payload) - (len(kept[0]) if kept else 0)
        return self._ready(force=self._held > WINDOW or len(self._waiting) > MOST_WAITING)

    def acknowledged(self, ack: int) -> list[Piece]:
        """The receiver has all octets before ``ack``: what still misses there is not in the capture."""
        if self._acknowledged is None or distance(self._acknowledged, ack) > 0:
            self._acknowledged = ack
        return self._ready() if self._waiting else []

    def finish(self) -> list[Piece]:
        """What is still waiting, at the end of the connection."""
        return self._ready(force=True)

    def _ready(self, *, force: bool = False) -> list[Piece]:
        pieces: list[Piece] = []
        while self._waiting and self._next is not None:
            start = self._next
            seq = min(self._waiting, key=lambda each: distance(start, each))
            gap = distance(start, seq)
            if gap > 0:
                known = self._acknowledged is not None and distance(seq, self._acknowledged) >= 0
                if not (force or known):
                    break
                pieces.append(Lost(gap))
                self._next = seq
                continue
            payload, size = self._waiting.pop(seq)
            self._held -= len(payload)
            if size + gap > 0:
                pieces += _pieces(payload[-gap:], size + gap)
                self._next = (seq + size) % _MODULUS
        return pieces


def _pieces(payload: bytes, size: int) -> list[Piece]:
    """The captured octets of a segment, and how many the capture has cut off."""
    pieces: list[Piece] = [payload] if payload else []
    if size > len(payload):
        pieces.append(Lost(size - len(payload)))
    return pieces
