"""When the event loop may call a local store itself, and when not."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import pytest

from fairlead.errors import NotFound
from fairlead.proto.listing.names import NameFormatter
from fairlead.storage.local import LocalStorage
from fairlead.storage.local.pace import CALM, LIMIT, Pace, Thread, thread

LONG = 2 * LIMIT


class Machine:
    """A clock that each call moves on by ``each``, and a thread that was waiting or busy meanwhile."""

    def __init__(self) -> None:
        self.now = 100.0
        self.each = 0.0
        self.busy = False
        self._spent = Thread(0, 0.0)

    def clock(self) -> float:
        self.now += self.each
        return self.now

    def thread(self) -> Thread:
        waits, spent = self._spent
        self._spent = Thread(waits + 1, spent + 2 * self.each if self.busy else spent)
        return self._spent


@pytest.fixture
def machine() -> Machine:
    return Machine()


@pytest.fixture
def store(tmp_path: Path, machine: Machine) -> Iterator[LocalStorage]:
    (tmp_path / "file").write_bytes(b"content")
    with closing(LocalStorage(tmp_path)) as made:
        made.pace = Pace(machine.clock, machine.thread)
        yield made


def call(store: LocalStorage, times: int = 1) -> None:
    """Call it as the server does: from the thread of an event loop."""

    async def look() -> None:
        for _ in range(times):
            store.stat("/file")

    asyncio.run(look())


def test_a_store_whose_calls_come_back_at_once_is_quick(store: LocalStorage, machine: Machine) -> None:
    machine.each = LIMIT / 4
    call(store, 100)
    assert store.inline


def test_one_long_call_makes_nothing_but_a_suspicion(store: LocalStorage, machine: Machine) -> None:
    machine.each = LONG
    call(store)
    assert store.inline


def test_a_store_that_makes_the_loop_wait_again_is_slow(store: LocalStorage, machine: Machine) -> None:
    machine.each = LONG
    call(store, 2)
    assert not store.inline


def test_a_call_that_was_long_because_the_machine_was_busy_is_not_held_against_it(
    store: LocalStorage, machine: Machine
) -> None:
    machine.each, machine.busy = LONG, True
    call(store, 100)
    assert store.inline


def test_who_fails_late_is_slow_too(store: LocalStorage, machine: Machine) -> None:
    machine.each = LONG
    call(store)

    async def look() -> None:
        with pytest.raises(NotFound):
            store.stat("/none")

    asyncio.run(look())
    assert not store.inline


def test_threads_may_wait_as_long_as_they_like(store: LocalStorage, machine: Machine) -> None:
    machine.each = LONG
    for _ in range(100):
        store.stat("/file")
    assert store.inline


def test_a_listing_that_makes_the_loop_wait_is_slow(store: LocalStorage, machine: Machine) -> None:
    lines = store.lines("/", NameFormatter(""))
    machine.each = LONG

    async def look() -> bytes:
        return b"".join(lines)

    assert b"file" in asyncio.run(look())
    assert not store.inline


def test_small_files_are_timed_as_well(store: LocalStorage, machine: Machine) -> None:
    machine.each = LONG

    async def look() -> list[bytes | None]:
        return [store.whole("/file", 100) for _ in range(2)]

    assert asyncio.run(look()) == [b"content"] * 2
    assert not store.inline


def test_a_slow_store_is_quick_again_once_it_was_calm_for_a_while(store: LocalStorage, machine: Machine) -> None:
    machine.each = LONG
    call(store, 2)
    machine.each = 0.0
    machine.now += CALM / 2
    store.stat("/file")  # by now in a thread
    slow = store.inline
    machine.now += CALM
    store.stat("/file")
    assert (slow, store.inline) == (False, True)


def test_calls_that_wait_in_threads_keep_a_slow_store_slow(store: LocalStorage, machine: Machine) -> None:
    machine.each = LONG
    call(store, 2)
    machine.now += CALM
    store.stat("/file")
    machine.each = 0.0
    machine.now += CALM / 2
    store.stat("/file")
    assert not store.inline


def test_a_store_with_another_umask_has_a_pace_of_its_own(store: LocalStorage, machine: Machine) -> None:
    machine.each = LONG
    call(store, 2)
    other = store.with_umask(0o077)
    assert (store.inline, other.inline) == (False, True)


def test_what_the_system_says_of_a_thread_grows() -> None:
    found = [thread() for _ in range(3)]
    assert all(before <= after for before, after in pairwise(found))
    assert all(sum(range(10_000)) for _ in range(100))
    assert thread().busy > found[0].busy
