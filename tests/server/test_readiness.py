"""Waiting for descriptors, by one epoll instance and by the loop's own means."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import TypeAlias

import pytest

from fairlead.server.readiness import LoopReadiness, Readiness, readiness
from fairlead.server.stepping import Stepper, Wait

Watching: TypeAlias = Readiness | LoopReadiness
Scene: TypeAlias = Callable[[Watching, socket.socket, socket.socket], Coroutine[object, object, None]]
KINDS: list[type[Watching]] = [Readiness, LoopReadiness]


def play(kind: type[Watching], scene: Scene) -> None:
    """Run ``scene`` with two ends of a connection, as the server runs its handlers."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        watching = kind(loop)
        here, there = socket.socketpair()
        ended: asyncio.Future[None] = loop.create_future()

        def finish(_: object, error: Exception | None) -> None:
            if error is None:
                ended.set_result(None)
            else:
                ended.set_exception(error)

        try:
            with here, there:
                here.setblocking(False)
                Stepper(scene(watching, here, there), finish).step()
                await asyncio.wait_for(ended, 10)
        finally:
            watching.close()

    asyncio.run(main())


@pytest.mark.parametrize("kind", KINDS)
def test_a_wait_ends_once_there_is_something_to_read(kind: type[Watching]) -> None:
    async def scene(watching: Watching, here: socket.socket, there: socket.socket) -> None:
        for octets in (b"first", b"second"):
            wait = Wait()
            asyncio.get_running_loop().call_soon(there.send, octets)
            await watching.readable(here.fileno(), wait)
            assert wait.done
            assert here.recv(100) == octets

    play(kind, scene)


@pytest.mark.parametrize("kind", KINDS)
def test_a_wait_ends_once_there_is_room_to_write(kind: type[Watching]) -> None:
    async def scene(watching: Watching, here: socket.socket, there: socket.socket) -> None:
        with suppress(BlockingIOError):
            while True:
                here.send(bytes(65536))
        asyncio.get_running_loop().call_soon(there.recv, 1 << 20)
        await watching.writable(here.fileno(), Wait())
        assert here.send(b"x") == 1

    play(kind, scene)


@pytest.mark.parametrize("kind", KINDS)
def test_the_end_of_the_other_side_can_be_read(kind: type[Watching]) -> None:
    async def scene(watching: Watching, here: socket.socket, there: socket.socket) -> None:
        asyncio.get_running_loop().call_soon(there.close)
        await watching.readable(here.fileno(), Wait())
        assert here.recv(1) == b""

    play(kind, scene)


@pytest.mark.parametrize("kind", KINDS)
def test_others_can_end_a_wait_and_the_next_one_is_not_harmed(kind: type[Watching]) -> None:
    async def scene(watching: Watching, here: socket.socket, there: socket.socket) -> None:
        wait = Wait()
        asyncio.get_running_loop().call_soon(wait.end, TimeoutError("too late"))
        with pytest.raises(TimeoutError):
            await watching.readable(here.fileno(), wait)
        there.send(b"x")
        await watching.readable(here.fileno(), Wait())
        assert here.recv(1) == b"x"

    play(kind, scene)


@pytest.mark.parametrize("kind", KINDS)
def test_reading_and_writing_can_be_waited_for_in_turn(kind: type[Watching]) -> None:
    async def scene(watching: Watching, here: socket.socket, there: socket.socket) -> None:
        await watching.writable(here.fileno(), Wait())
        there.send(b"x")
        await watching.readable(here.fileno(), Wait())
        await watching.writable(here.fileno(), Wait())

    play(kind, scene)


def test_a_descriptor_that_was_closed_and_given_out_again_is_a_new_one() -> None:
    async def scene(watching: Watching, _here: socket.socket, _there: socket.socket) -> None:
        for _ in range(3):
            first, second = socket.socketpair()
            with first, second:
                second.send(b"x")
                await watching.readable(first.fileno(), Wait())

    play(Readiness, scene)


def test_the_system_is_asked_what_it_has() -> None:
    async def main() -> None:
        watching = readiness(asyncio.get_running_loop())
        assert isinstance(watching, Readiness)
        watching.close()
        watching.close()

    asyncio.run(main())
