"""What a running server has beside it: its log, and the upkeep of its stores."""

from __future__ import annotations

import asyncio
import os
import resource
import stat
import sys
import time
from collections.abc import Callable, Iterable
from threading import Thread
from typing import TYPE_CHECKING

from fairlead.server.log import Log

if TYPE_CHECKING:
    from fairlead.config.models import Config
    from fairlead.server.server import Server
    from fairlead.storage.local import LocalStorage

HOUR, DAY = 3600.0, 86400.0

_tasks: set[asyncio.Task[None]] = set()
"""The event loop itself keeps no task alive."""


def attend(server: Server, config: Config, stores: Iterable[LocalStorage]) -> None:
    """Write the log of ``server``, whose event loop runs, and sweep ``stores`` for uploads that nobody resumes."""
    if sys.stderr is not None:  # else whatever was opened first may have its number
        loop = asyncio.get_running_loop()
        log = Log(log_descriptor(sys.stderr.fileno()), config.log.format, loop.call_later, time.time)
        log.attach(server.events)
        _tasks.add(loop.create_task(_flush_at_the_end(log)))
    if config.storage.keep_partials:
        sweep_daily(tuple(stores), config.storage.keep_partials, asyncio.get_running_loop().call_later)


def log_descriptor(descriptor: int) -> int:
    """A descriptor for what ``descriptor`` leads to that does not block; itself where there can be none.

    To set the flag on ``descriptor`` would change it for every program that has the same terminal or pipe.
    """
    try:
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            return descriptor  # another descriptor would have another place in the file
        return os.open(f"/proc/self/fd/{descriptor}", os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:  # a socket, or somebody else's terminal
        return descriptor


def allow_many_descriptors() -> None:
    """Raise the number of descriptors this process may have as far as it may itself: each session takes one or more."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def sweep_daily(
    stores: Iterable[LocalStorage], older_than: float, schedule: Callable[[float, Callable[[], None]], object]
) -> None:
    """Once a day remove partial uploads that have not grown for ``older_than`` seconds, in a thread of its own.

    The first time comes within an hour, at a moment of its own in each of several workers. ``schedule`` calls a
    function after some seconds, as an event loop's ``call_later`` does.
    """

    def sweep() -> None:
        for store in stores:
            store.sweep(older_than)

    def due() -> None:
        Thread(target=sweep, daemon=True).start()
        schedule(DAY, due)

    schedule(HOUR * int.from_bytes(os.urandom(4)) / (1 << 32), due)


async def _flush_at_the_end(log: Log) -> None:
    """Wait until the event loop, about to end, cancels its tasks."""
    try:
        await asyncio.Event().wait()
    finally:
        log.flush()
