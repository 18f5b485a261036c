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
from fairlead.client.path import AsyncFtpPath
from fairlead.client.sync import Client


class Bridged:
    """Something of the asynchronous client used like its blocking twin: each call runs on one loop until it is done."""

    def __init__(self, runner: asyncio.Runner, target: AsyncClient | AsyncFile[Any] | AsyncFtpPath) -> None:
        self._runner = runner
        self._target: Any = target

    def __enter__(self) -> Self:
        self._runner.run(self._target.__aenter__())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._runner.run(self._target.__aexit__(kind, error, trace))

    def __iter__(self) -> Iterator[Any]:
        return self._iterated(self._target)

    def __truediv__(self, other: str) -> Any:
        return self._bridge(self._target / other)

    def __str__(self) -> str:
        return str(self._target)

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._target, name)
        if not callable(value):
            return self._bridge(value)
        return lambda *args, **kwargs: self._bridge(value(*args, **kwargs))

    def _bridge(self, value: Any) -> Any:
        if inspect.iscoroutine(value):
            return self._bridge(self._runner.run(value))
        if isinstance(value, Opening):
            return self._bridge(self._runner.run(_opened(value)))
        if isinstance(value, AsyncFile | AsyncFtpPath):
            return Bridged(self._runner, value)
        return self._iterated(value) if isinstance(value, AsyncIterator) else value

    def _iterated(self, items: AsyncIterator[Any]) -> Iterator[Any]:
        async def following() -> Any:
            return await anext(items, None)

        while (item := self._runner.run(following())) is not None:
            yield self._bridge(item)


async def _opened(opening: Opening[Any]) -> AsyncFile[Any]:
    return await opening


@pytest.fixture(params=["blocking", "asyncio"])
def connect(request: pytest.FixtureRequest) -> Iterator[Callable[..., Any]]:
    """Makes a client of either face; both are used as context managers and with blocking calls."""
    if request.param == "blocking":
        yield Client
        return
    with asyncio.Runner() as runner:
        yield lambda *args, **kwargs: Bridged(runner, AsyncClient(*args, **kwargs))
