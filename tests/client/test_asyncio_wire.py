"""How the asynchronous client waits: descriptors are watched as long as that pays, and no longer than they live."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

from fairlead.client._wires.asyncio import AsyncioWire
from fairlead.client._wires.sockets import SocketStream, watched

Scene = Callable[[AsyncioWire], Awaitable[None]]
Play = Callable[..., None]
PATIENCE = 20.0


@pytest.fixture
def ends() -> Iterator[tuple[SocketStream, socket.socket]]:
    ours, theirs = socket.socketpair()
    stream = SocketStream(ours, ("", 0))
    with theirs:
        yield stream, theirs
        stream.close()


@pytest.fixture(params=["asyncio", "uvloop"])
def play(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Runs a scene on a new event loop of either kind."""
    factory = asyncio.new_event_loop if request.param == "asyncio" else pytest.importorskip("uvloop").new_event_loop

    def run(scene: Scene, wire: AsyncioWire | None = None) -> None:
        async def main() -> None:
            async with asyncio.timeout(PATIENCE):
                await scene(wire or AsyncioWire())

        with asyncio.Runner(loop_factory=factory) as runner:
            runner.run(main())

    return run


def test_descriptor_is_watched_once_for_many_waits(
    play: Play, ends: tuple[SocketStream, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    stream, theirs = ends
    added: list[int] = []

    async def scene(wire: AsyncioWire) -> None:
        loop = asyncio.get_running_loop()
        add = loop.add_reader

        def noted(number: int, *rest: Any) -> None:
            added.append(number)
            add(number, *rest)

        monkeypatch.setattr(loop, "add_reader", noted)
        for _ in range(5):
            loop.call_soon(theirs.send, b"x")
            assert await wire.wait_any(readers=[stream], timeout=PATIENCE) == [stream]
            assert stream.receive_into(memoryview(bytearray(9))) == 1

    play(scene)
    assert added == [stream.fileno()]


@pytest.mark.parametrize("end", ["close", "abort"])
def test_descriptor_that_was_closed_is_free_for_others(
    play: Play, ends: tuple[SocketStream, socket.socket], end: str
) -> None:
    stream, _ = ends
    number = stream.fileno()

    async def scene(wire: AsyncioWire) -> None:
        assert await wire.wait_any(readers=[stream], timeout=0) == []
        assert number in watched
        getattr(stream, end)()
        assert number not in watched
        here, there = socket.socketpair()
        with here, there:
            assert here.fileno() == number
            here.setblocking(False)
            there.send(b"x")
            assert await asyncio.get_running_loop().sock_recv(here, 9) == b"x"

    play(scene)


def test_what_nobody_waits_for_is_watched_no_longer(play: Play, ends: tuple[SocketStream, socket.socket]) -> None:
    stream, theirs = ends

    async def scene(wire: AsyncioWire) -> None:
        assert await wire.wait_any(readers=[stream], timeout=0) == []
        theirs.send(b"x")
        for _ in range(5):
            await asyncio.sleep(0)
        assert stream.fileno() not in watched
        assert await wire.wait_any(readers=[stream], timeout=PATIENCE) == [stream]

    play(scene)


def test_deadlines_hold_whatever_was_waited_for_before(play: Play, ends: tuple[SocketStream, socket.socket]) -> None:
    stream, theirs = ends

    async def scene(wire: AsyncioWire) -> None:
        theirs.send(b"x")
        for timeout in (PATIENCE, None, 10 * PATIENCE):
            assert await wire.wait_any(readers=[stream], timeout=timeout) == [stream]
        stream.receive_into(memoryview(bytearray(9)))
        began = wire.now()
        for timeout in (0.02, 0.01, -1, 0.05):
            assert await wire.wait_any(readers=[stream], timeout=timeout) == []
        assert wire.now() - began >= 0.08

    play(scene)


def test_bell_that_rings_early_is_wound_again(play: Play, ends: tuple[SocketStream, socket.socket]) -> None:
    stream, theirs = ends

    async def scene(wire: AsyncioWire) -> None:
        theirs.send(b"x")
        assert await wire.wait_any(readers=[stream], timeout=0.01) == [stream]
        stream.receive_into(memoryview(bytearray(9)))
        began = wire.now()
        assert await wire.wait_any(readers=[stream], timeout=0.1) == []
        assert wire.now() - began >= 0.1

    play(scene)


def test_one_wire_waits_on_one_loop_after_the_other(play: Play, ends: tuple[SocketStream, socket.socket]) -> None:
    stream, theirs = ends
    wire = AsyncioWire()

    async def scene(wire: AsyncioWire) -> None:
        asyncio.get_running_loop().call_soon(theirs.send, b"x")
        assert await wire.wait_any(readers=[stream], timeout=PATIENCE) == [stream]
        stream.receive_into(memoryview(bytearray(9)))

    play(scene, wire)
    play(scene, wire)


def test_wire_waits_for_several_things_at_once(play: Play, ends: tuple[SocketStream, socket.socket]) -> None:
    stream, theirs = ends

    async def scene(wire: AsyncioWire) -> None:
        writing = asyncio.create_task(wire.wait_any(writers=[stream], timeout=PATIENCE))
        silent = asyncio.create_task(wire.wait_any(timeout=0.01))
        reading = asyncio.create_task(wire.wait_any(readers=[stream], timeout=PATIENCE))
        assert await writing == [stream]
        assert await silent == []
        theirs.send(b"x")
        assert await reading == [stream]

    play(scene)


def test_wait_that_was_given_up_leaves_nothing_behind(play: Play, ends: tuple[SocketStream, socket.socket]) -> None:
    stream, theirs = ends

    async def scene(wire: AsyncioWire) -> None:
        given_up = asyncio.create_task(wire.wait_any(readers=[stream], writers=[stream], timeout=PATIENCE))
        given_up.cancel()
        await asyncio.wait([given_up])
        theirs.send(b"x")
        assert await wire.wait_any(readers=[stream], timeout=PATIENCE) == [stream]

    play(scene)
