"""A coroutine that stops in its midst until it is told to go on.

The dialogue of a transfer is one coroutine from the command to the final reply. Who reads a file piece by piece needs
it to stand still between two pieces, without a task or a thread of its own: :func:`pause` hands the turn back to who
awaits the :class:`Pausable`, while everything else that the coroutine waits for goes to the event loop as ever. Under
the blocking wire there is nothing else.
"""

from __future__ import annotations

from collections.abc import Coroutine, Generator
from contextlib import suppress
from typing import Any, Generic, TypeVar

T = TypeVar("T")
_PAUSE = object()


class _Pause:
    def __await__(self) -> Generator[object, None, None]:
        yield _PAUSE


async def pause() -> None:
    """Stop here until somebody awaits the surrounding :class:`Pausable` again."""
    await _Pause()


class _Abandoned(BaseException):
    """Nobody goes on with it."""


class Pausable(Generic[T]):
    """``coroutine``, which each ``await`` takes on to its next pause or to its end, where ``result`` is set.

    What the coroutine raises, the ``await`` raises; it is ``over`` then. One ``await`` may follow another in another
    task.
    """

    result: T

    def __init__(self, coroutine: Coroutine[Any, Any, T]) -> None:
        self.over = False
        self._coroutine = coroutine

    def __await__(self) -> Generator[Any, Any, None]:
        act, value = self._coroutine.send, None
        while True:
            try:
                waits_for = act(value)
            except StopIteration as end:
                self.result, self.over = end.value, True
                return
            except BaseException:
                self.over = True
                raise
            if waits_for is _PAUSE:
                return
            try:
                act, value = self._coroutine.send, (yield waits_for)
            except BaseException as error:  # noqa: BLE001 - it is raised within
                act, value = self._coroutine.throw, error

    def abandon(self, why: str) -> None:
        """End the coroutine where it stands; it must not wait for anything on its way out."""
        if not self.over:
            self.over = True
            with suppress(_Abandoned):
                self._coroutine.throw(_Abandoned(why))
