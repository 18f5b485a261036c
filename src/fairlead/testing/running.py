"""A Fairlead server in a thread of its own: ready when the block begins, gone when it ends."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from fairlead.events import Event
from fairlead.server import Server

DEADLINE = 10.0
"""Seconds that a server may take to start, to stop, and to do what a test waits for."""


class Running:
    """A server that is listening, from the test's side; ``recorded`` is everything that happened, in order."""

    def __init__(self, server: Server, loop: asyncio.AbstractEventLoop) -> None:
        self.server = server
        self.loop = loop
        self.recorded: list[Event] = []
        self._changed = threading.Condition()
        server.events.subscribe(Event, self._record)

    def _record(self, event: Event) -> None:
        with self._changed:
            self.recorded.append(event)
            self._changed.notify_all()

    def await_event(self, kind: type[Event], condition: Callable[[Any], bool] = lambda _: True) -> Any:
        """The first event of ``kind`` that fulfils ``condition``, waiting for it if need be.

        Raises AssertionError when none came within ten seconds.
        """

        def found() -> Event | None:
            return next((event for event in self.recorded if isinstance(event, kind) and condition(event)), None)

        with self._changed:
            assert self._changed.wait_for(lambda: found() is not None, DEADLINE), f"no {kind.__name__} came"
            return found()

    def address(self, family: int = 4) -> tuple[str, int]:
        """Where it listens for IPv4 or IPv6."""
        return next(pair for pair in self.server.addresses if (":" in pair[0]) == (family == 6))

    def call(self, function: Callable[[], Any]) -> Any:
        """Run ``function`` in the server's own thread, and return what it returns."""

        async def run() -> Any:
            return function()

        return asyncio.run_coroutine_threadsafe(run(), self.loop).result(DEADLINE)


R = TypeVar("R", bound=Running)


@contextmanager
def running(
    server: Server, kind: type[R], *, run: Callable[[Coroutine[Any, Any, None]], None] = asyncio.run
) -> Iterator[R]:
    """Run ``server`` in a thread; the block gets it as a ``kind`` of :class:`Running`.

    ``run`` runs its event loop. Raises what the server raised when it could not start, such as ConfigError.
    """
    started = threading.Event()
    there: list[R] = []
    stop: list[asyncio.Event] = []
    failures: list[BaseException] = []

    async def main() -> None:
        stop.append(asyncio.Event())
        async with server:
            there.append(kind(server, asyncio.get_running_loop()))
            started.set()
            await stop[0].wait()

    def work() -> None:
        try:
            run(main())
        except BaseException as error:  # noqa: BLE001 - it is raised in the thread of the test
            failures.append(error)
        finally:
            started.set()

    thread = threading.Thread(target=work, name="server")
    thread.start()
    assert started.wait(DEADLINE), "the server did not start"
    if failures:
        raise failures[0]
    try:
        yield there[0]
    finally:
        there[0].loop.call_soon_threadsafe(stop[0].set)
        thread.join(DEADLINE)
        assert not thread.is_alive(), "the server did not stop"
    if failures:
        raise failures[0]
