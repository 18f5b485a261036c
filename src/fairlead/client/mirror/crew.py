"""Work that is done side by side, each worker in a session of its own, and again when it failed for a while."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from contextvars import copy_context
from typing import Generic, TypeVar

from fairlead.client._face import session_of
from fairlead.client._retry import passing, persist
from fairlead.client.aio import AsyncClient
from fairlead.client.pool import Pool
from fairlead.errors import TransferError

T = TypeVar("T")
R = TypeVar("R")


class Crew(Generic[T]):
    """At most ``parallel`` workers who ``do`` one thing after the other, and no more of them than there are things."""

    def __init__(self, pool: Pool, parallel: int, do: Callable[[AsyncClient, T], Awaitable[None]]) -> None:
        self._pool = pool
        self._parallel = parallel
        self._do = do
        self._waiting: deque[T] = deque()
        self._workers = 0
        self._context = copy_context()
        self._group = asyncio.TaskGroup()

    async def work(self, things: Iterable[T]) -> None:
        """Do everything there is, and what :meth:`add` brings meanwhile. Raises what a worker raises first."""
        try:
            async with self._group:
                for thing in things:
                    self.add(thing)
        except BaseExceptionGroup as group:
            raise _first(group) from None

    def add(self, thing: T) -> None:
        """One thing more to do."""
        self._waiting.append(thing)
        if self._workers < self._parallel:
            self._workers += 1
            self._group.create_task(self._worker(), context=self._context.copy())

    async def _worker(self) -> None:
        async with self._pool.client() as ftp:
            while self._waiting:
                await self._do(ftp, self._waiting.popleft())
            self._workers -= 1  # before anybody else has a turn: what comes from now on needs a new one


async def persistently(
    ftp: AsyncClient, action: Callable[[], Awaitable[R]], *, reached: Callable[[], int] = lambda: 0
) -> R:
    """What ``action`` gives; it is tried again by the rules of :func:`fairlead.client._retry.persist`.

    A file that is not what it should be is one to transfer again, too: it may have changed meanwhile.
    """
    return await persist(session_of(ftp), action, worth=_worth, reached=reached)


def _worth(error: Exception) -> bool:
    return isinstance(error, TransferError) or passing(error)


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    error = group.exceptions[0]
    return _first(error) if isinstance(error, BaseExceptionGroup) else error
