"""Coroutines run at once, in the caller's turn, until they really wait.

An ``asyncio.Task`` always begins in a later turn of the loop and resumes in yet another one. A small file is sent or
stored without waiting for anything, so most commands would pay for turns they do not need; a :class:`Stepper` runs
the coroutine as a call, and only what has to wait costs anything.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Generator
from typing import Any


class Wait:
    """Something a stepped coroutine awaits; whoever ends it runs the coroutine on, in its own turn."""

    __slots__ = ("_asyncio_future_blocking", "_callback", "_error", "done")

    def __init__(self) -> None:
        self.done = False
        self._error: Exception | None = None
        self._callback: Callable[[Any], None] | None = None

    def add_done_callback(self, callback: Callable[[Any], None]) -> None:
        """Call ``callback`` once this has ended."""
        self._callback = callback

    def end(self, error: Exception | None = None) -> None:
        """End the wait; ``error`` is raised where it was awaited. A second call does nothing."""
        if self.done:
            return
        self.done = True
        self._error = error
        if self._callback is not None:
            self._callback(self)

    def __await__(self) -> Generator[Wait, None, None]:
        """Suspend until :meth:`end`."""
        if not self.done:
            yield self
        if self._error is not None:
            raise self._error


class Stepper:
    """Runs one coroutine; ``finish(result, error)`` is called when it has ended, exactly once.

    The coroutine may await :class:`Wait` and asyncio's futures (those of threads among them), nothing that needs a
    task of its own.
    """

    __slots__ = ("_coroutine", "_finish")

    def __init__(self, coroutine: Coroutine[Any, Any, Any], finish: Callable[[Any, Exception | None], None]) -> None:
        self._coroutine = coroutine
        self._finish = finish

    def step(self, _ended: object = None) -> None:
        """Run the coroutine to its next wait or to its end."""
        try:
            waited = self._coroutine.send(None)
        except StopIteration as stop:
            self._finish(stop.value, None)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is answered in one place
            self._finish(None, error)
        else:
            waited._asyncio_future_blocking = False  # noqa: SLF001 - the mark by which a future knows it is awaited
            waited.add_done_callback(self.step)
