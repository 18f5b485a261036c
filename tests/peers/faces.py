"""The clients under test: both faces, driven the same way."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable, Iterator
from types import TracebackType
from typing import Any, Self

import pytest

from fairlead.client.aio import AsyncClient
from fairlead.client.aiofile import AsyncFile, Opening
from fairlead.client.sync import Client


class Bridged:
    """An :class:`AsyncClient` used like a :class:`Client`: each call runs on one event loop until it is done."""

    def __init__(self, runner: asyncio.Runner, *args: Any, **kwargs: Any) -> None:
        self._runner = runner
        self._client = AsyncClient(*args, **kwargs)

    def __enter__(self) -> Self:
        self._runner.run(self._client.__aenter__())
        return self

    def __exit__(self, *error: object) -> None:
        self._runner.run(self._client.__aexit__(None, None, None))

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._client, name)
        if not callable(value):
            return value
        return lambda *args, **kwargs: self._awaited(value(*args, **kwargs))

    def _awaited(self, value: Any) -> Any:
        if inspect.iscoroutine(value):
            return self._runner.run(value)
        if isinstance(value, Opening):
            return BridgedFile(self._runner, self._runner.run(_of(value)))
        return self._iterated(value) if isinstance(value, AsyncIterator) else value

    def _iterated(self, items: AsyncIterator[Any]) -> Iterator[Any]:
        async def following() -> Any:
            return await anext(items, None)

        while (item := self._runner.run(following())) is not None:
            yield item


class BridgedFile:
    """An :class:`AsyncFile` used like a file object."""

    def __init__(self, runner: asyncio.Runner, file: AsyncFile[Any]) -> None:
        self._runner = runner
        self._file = file

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._runner.run(self._file.__aexit__(kind, error, trace))

    def __iter__(self) -> Iterator[Any]:
        while line := self.readline():
            yield line

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._file, name)
        if not inspect.iscoroutinefunction(value):
            return value
        return lambda *args, **kwargs: self._runner.run(value(*args, **kwargs))


async def _of(opening: Opening[Any]) -> AsyncFile[Any]:
    return await opening


@pytest.fixture(params=["blocking", "asyncio"])
def connect(request: pytest.FixtureRequest) -> Iterator[Callable[..., Any]]:
    """Makes a client of either face; both are used as context managers and with blocking calls."""
    if request.param == "blocking":
        yield Client
        return
    with asyncio.Runner() as runner:
        yield lambda *args, **kwargs: Bridged(runner, *args, **kwargs)
