"""Waiting for data connections: one epoll instance for all of them, itself watched by the event loop.

A loop's own ``add_reader`` costs several system calls for each wait, which is much for connections that live for a
single file. Here a wait is one call, and none to end it, since a closed connection leaves the set by itself. Where the
system has no epoll the loop's readers and writers serve.
"""

from __future__ import annotations

import select
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

    from fairlead.server.stepping import Wait


class Readiness:
    """Ends a :class:`Wait` once a descriptor can be read or written."""

    def __init__(self, loop: AbstractEventLoop) -> None:
        self._loop = loop
        self._epoll = select.epoll()
        self._waiting: dict[int, Wait] = {}
        loop.add_reader(self._epoll.fileno(), self._wake)

    def readable(self, fd: int, wait: Wait) -> Coroutine[Any, Any, None]:
        """Wait until ``fd`` can be read; ``wait`` lets others end the waiting early with an error."""
        return self._ready(fd, select.EPOLLIN, wait)

    def writable(self, fd: int, wait: Wait) -> Coroutine[Any, Any, None]:
        """Wait until ``fd`` can be written; otherwise as :meth:`readable`."""
        return self._ready(fd, select.EPOLLOUT, wait)

    async def _ready(self, fd: int, events: int, wait: Wait) -> None:
        try:
            self._epoll.register(fd, events | select.EPOLLONESHOT)
        except FileExistsError:
            self._epoll.modify(fd, events | select.EPOLLONESHOT)
        self._waiting[fd] = wait
        try:
            await wait
        finally:
            if self._waiting.pop(fd, None) is not None:
                self._epoll.unregister(fd)

    def _wake(self) -> None:
        for fd, _ in self._epoll.poll(0):
            wait = self._waiting.pop(fd, None)
            if wait is not None:
                wait.end()

    def close(self) -> None:
        """Stop watching; a second call does nothing."""
        if not self._epoll.closed:
            self._loop.remove_reader(self._epoll.fileno())
            self._epoll.close()


class LoopReadiness:
    """The same by the loop's own means, for systems without epoll."""

    def __init__(self, loop: AbstractEventLoop) -> None:
        self._loop = loop

    async def readable(self, fd: int, wait: Wait) -> None:
        """As :meth:`Readiness.readable`."""
        self._loop.add_reader(fd, wait.end)
        try:
            await wait
        finally:
            self._loop.remove_reader(fd)

    async def writable(self, fd: int, wait: Wait) -> None:
        """As :meth:`Readiness.writable`."""
        self._loop.add_writer(fd, wait.end)
        try:
            await wait
        finally:
            self._loop.remove_writer(fd)

    def close(self) -> None:
        """Nothing is held."""


def readiness(loop: AbstractEventLoop) -> Readiness | LoopReadiness:
    """What this system offers."""
    return Readiness(loop) if hasattr(select, "epoll") else LoopReadiness(loop)
