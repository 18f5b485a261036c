"""Coroutines that stop in their midst."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from fairlead.client._pausing import Pausable, pause
from fairlead.client._wires.blocking import step


async def twice(heard: list[str], meanwhile: Callable[[], Any]) -> str:
    try:
        for name in ("one", "two"):
            heard.append(name)
            await meanwhile()
            await pause()
    except BaseException as error:
        heard.append(f"{type(error).__name__} {error}".strip("_ "))
        raise
    return "done"


async def nothing() -> None:
    pass


async def go_on(pausable: Pausable[str]) -> None:
    await pausable


def test_each_await_goes_on_to_the_next_pause() -> None:
    heard: list[str] = []
    pausable = Pausable(twice(heard, nothing))
    step(go_on(pausable))
    assert (heard, pausable.over) == (["one"], False)
    step(go_on(pausable))
    assert heard == ["one", "two"]
    step(go_on(pausable))
    assert (pausable.over, pausable.result) == (True, "done")


def test_what_it_waits_for_goes_to_the_event_loop() -> None:
    heard: list[str] = []

    async def scene() -> None:
        pausable = Pausable(twice(heard, lambda: asyncio.sleep(0)))
        while not pausable.over:
            await asyncio.create_task(go_on(pausable))  # another task each time
        assert pausable.result == "done"

    asyncio.run(scene())
    assert heard == ["one", "two"]


def test_cancelling_who_waits_ends_it() -> None:
    heard: list[str] = []

    async def scene() -> None:
        begun = asyncio.Event()

        async def for_ever() -> None:
            begun.set()
            await asyncio.get_running_loop().create_future()

        pausable = Pausable(twice(heard, for_ever))
        task = asyncio.create_task(go_on(pausable))
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert pausable.over

    asyncio.run(scene())
    assert heard == ["one", "CancelledError"]


def test_what_it_raises_ends_it() -> None:
    async def broken() -> None:
        raise ValueError("broken")

    pausable = Pausable(twice([], broken))
    with pytest.raises(ValueError, match="broken"):
        step(go_on(pausable))
    assert pausable.over


def test_abandoning_ends_it_where_it_stands_once() -> None:
    heard: list[str] = []
    pausable = Pausable(twice(heard, nothing))
    step(go_on(pausable))
    pausable.abandon("nobody wants it")
    pausable.abandon("nobody wants it")
    assert (heard, pausable.over) == (["one", "Abandoned nobody wants it"], True)


def test_one_that_never_began_can_be_abandoned() -> None:
    heard: list[str] = []
    Pausable(twice(heard, nothing)).abandon("not needed")
    assert heard == []
