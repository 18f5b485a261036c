"""Coroutines run as calls: at once, to their first real wait, and on from there."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from fairlead.server.stepping import Stepper, Wait


class Ends:
    """How often a stepped coroutine ended, and how."""

    def __init__(self) -> None:
        self.results: list[Any] = []

    def take(self, result: Any, error: Exception | None) -> None:
        self.results.append(result if error is None else error)


def stepped(coroutine: Coroutine[Any, Any, Any]) -> Ends:
    ends = Ends()
    Stepper(coroutine, ends.take).step()
    return ends


async def returning() -> int:
    return 226


async def failing() -> None:
    raise ValueError("no")


async def waiting(*waits: Wait) -> int:
    for wait in waits:
        await wait
    return len(waits)


def test_what_waits_for_nothing_ends_within_the_call() -> None:
    assert stepped(returning()).results == [226]


def test_an_exception_is_the_end_too() -> None:
    (error,) = stepped(failing()).results
    assert isinstance(error, ValueError)


def test_it_goes_on_within_the_call_that_ends_its_wait() -> None:
    first, second = Wait(), Wait()
    ends = stepped(waiting(first, second))
    assert ends.results == []
    first.end()
    assert ends.results == []
    second.end()
    assert ends.results == [2]


def test_a_wait_that_has_ended_costs_no_suspension() -> None:
    wait = Wait()
    wait.end()
    assert stepped(waiting(wait)).results == [1]


def test_a_wait_ends_once_and_with_its_first_error() -> None:
    wait = Wait()
    ends = stepped(waiting(wait))
    wait.end(ValueError("first"))
    wait.end(KeyError("second"))
    wait.end()
    (error,) = ends.results
    assert isinstance(error, ValueError)


def test_an_error_can_be_met_inside() -> None:
    async def met(wait: Wait) -> str:
        with pytest.raises(ValueError, match="stop"):
            await wait
        return "met"

    wait = Wait()
    ends = stepped(met(wait))
    wait.end(ValueError("stop"))
    assert ends.results == ["met"]


def test_futures_of_the_loop_are_waited_for_too() -> None:
    async def mixed(loop: asyncio.AbstractEventLoop) -> str:
        found = await loop.run_in_executor(None, lambda: "from a thread")
        wait = Wait()
        loop.call_soon(wait.end)
        await wait
        return found

    async def main() -> str:
        loop = asyncio.get_running_loop()
        ended: asyncio.Future[str] = loop.create_future()
        Stepper(mixed(loop), lambda result, _: ended.set_result(result)).step()
        return await asyncio.wait_for(ended, 10)

    assert asyncio.run(main()) == "from a thread"


def test_one_coroutine_can_await_another() -> None:
    async def outer(wait: Wait) -> int:
        return await waiting(wait) + 1

    wait = Wait()
    ends = stepped(outer(wait))
    wait.end()
    assert ends.results == [2]
