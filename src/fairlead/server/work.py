"""Long work of one command, such as hashing a file: in small pieces, in threads of its own, stopped at any of them.

To ABOR, the time-outs, the end of the session and SITE WHO it looks like a transfer. The threads are few, and each
session gets one for a moment only: neither a transfer nor another session waits for a long file.
"""

from __future__ import annotations

import time
from collections.abc import Generator
from typing import TYPE_CHECKING, TypeVar

from fairlead.server.failures import AbortedError

if TYPE_CHECKING:
    from fairlead.server.session import Session

T = TypeVar("T")

TURN = 0.05
"""Seconds of work after which others get their turn."""


class Work:
    """Work under way for ``session``."""

    announced = False
    """No 1yz reply went before, so no other reply may come before the final one: a client would take it for that."""

    __slots__ = ("_session", "aborted", "deadline", "moved", "path", "total", "verb")

    def __init__(self, session: Session, verb: str, path: str, total: int | None = None) -> None:
        """``total`` is how many octets will be gone through, None where nobody knows."""
        self._session = session
        self.verb = verb
        self.path = path
        self.total = total
        self.moved = 0
        """Octets so far."""
        self.aborted = False
        self.deadline: float | None = None
        """Always None: nothing is waited for but the work itself."""

    def abort(self) -> None:
        """Stop before the next piece (ABOR, or the control connection ended); :meth:`run` then raises."""
        self.aborted = True

    def expire(self) -> None:
        """Nothing expires."""

    async def run(self, pieces: Generator[int, None, T]) -> T:
        """Take ``pieces`` one after the other, in threads; what the generator returns.

        Each piece says how many octets it went through, and should take a few milliseconds. Raises AbortedError, and
        what the generator raises.
        """
        session = self._session
        session.transfer = self
        try:
            self.aborted = session.reply_to.stop_wanted
            result: tuple[T] | None = None
            while result is None:
                result = await session.server.in_background(self._some, pieces)
            return result[0]
        finally:
            session.transfer = None

    def _some(self, pieces: Generator[int, None, T]) -> tuple[T] | None:
        """A turn of pieces; the result where they came to their end."""
        until = time.monotonic() + TURN
        try:
            while not self.aborted:
                self.moved += next(pieces)
                if time.monotonic() >= until:
                    return None
        except StopIteration as end:
            return (end.value,)
        pieces.close()
        raise AbortedError("Stopped, as you asked")
