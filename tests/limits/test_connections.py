from __future__ import annotations

import fcntl
import os
import random
from collections.abc import Callable
from functools import partial
from mmap import mmap
from pathlib import Path

import pytest

from fairlead.limits import connections as connections_module
from fairlead.limits.connections import Connections


def admitted(connections: Connections, *addresses: str) -> list[bool]:
    return [connections.enter(address) is None for address in addresses]


def test_without_limits_everybody_is_admitted_and_counted() -> None:
    connections = Connections()

    assert all(admitted(connections, *["192.0.2.1"] * 50))
    assert connections.total() == 50


def test_the_total_is_limited_and_a_place_becomes_free_again() -> None:
    connections = Connections(max_total=2)

    assert admitted(connections, "192.0.2.1", "192.0.2.2", "192.0.2.3") == [True, True, False]
    assert connections.total() == 2

    connections.leave("192.0.2.1")

    assert connections.enter("192.0.2.3") is None


def test_the_refusal_is_a_sentence_that_says_which_limit() -> None:
    assert Connections(max_total=1, max_per_address=1).enter("192.0.2.1") is None

    total = Connections(max_total=1)
    total.enter("192.0.2.1")
    own = Connections(max_per_address=1)
    own.enter("192.0.2.1")

    assert total.enter("192.0.2.2") == "Too many sessions on this server, try again later."
    assert own.enter("192.0.2.1") == "Too many sessions from your address, try again later."


def test_each_address_is_limited_by_itself() -> None:
    connections = Connections(max_per_address=2)

    assert admitted(connections, *["192.0.2.1"] * 3, "192.0.2.2") == [True, True, False, True]
    assert connections.total() == 3

    connections.leave("192.0.2.1")

    assert admitted(connections, "192.0.2.1", "192.0.2.1") == [True, False]


def test_one_host_cannot_use_its_ipv6_addresses_to_get_around_the_limit() -> None:
    connections = Connections(max_per_address=1)

    assert admitted(connections, "2001:db8::1", "2001:db8::2", "2001:db8:0:1::1") == [True, False, True]


def test_addresses_that_left_take_no_memory() -> None:
    connections = Connections(max_per_address=1)
    for number in range(100):
        connections.enter(f"192.0.2.{number}")
        connections.leave(f"192.0.2.{number}")

    assert connections._here == {}


def start_worker(connections: Connections, worker: int, work: Callable[[], bool]) -> int:
    """The process id of a fork that attaches as ``worker`` and does ``work``."""
    child = os.fork()
    if child == 0:
        try:
            connections.attach(worker)
            os._exit(0 if work() else 1)
        finally:
            os._exit(2)
    return child


def ended_well(child: int) -> bool:
    """What the work of a fork returned."""
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status in {0, 1}
    return status == 0


def as_worker(connections: Connections, worker: int, work: Callable[[], bool]) -> bool:
    """What ``work`` returns in a fork attached as ``worker``."""
    return ended_well(start_worker(connections, worker, work))


def test_workers_share_the_total() -> None:
    connections = Connections(max_total=2, workers=3)

    assert as_worker(connections, 1, lambda: connections.enter("192.0.2.1") is None)
    assert as_worker(connections, 2, lambda: connections.enter("192.0.2.2") is None)
    assert connections.total() == 2
    assert not as_worker(connections, 0, lambda: connections.enter("192.0.2.3") is None)


def test_workers_share_the_count_of_each_address() -> None:
    connections = Connections(max_per_address=1, workers=2)

    assert as_worker(connections, 1, lambda: connections.enter("192.0.2.1") is None)
    assert as_worker(connections, 0, lambda: admitted(connections, "192.0.2.1", "192.0.2.2") == [False, True])


def test_a_worker_that_died_leaves_no_sessions_behind_once_its_successor_is_attached() -> None:
    connections = Connections(max_total=1, max_per_address=1, workers=2)
    assert as_worker(connections, 1, lambda: connections.enter("192.0.2.1") is None)

    assert as_worker(connections, 1, lambda: connections.enter("192.0.2.1") is None)
    assert connections.total() == 1


def test_a_source_that_shares_one_of_its_cells_is_not_charged_with_the_other_sources_sessions(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    places = {"192.0.2.1": (0, 1), "192.0.2.2": (1, 2), "192.0.2.3": (0, 2)}
    monkeypatch.setattr(connections_module, "cells", places.__getitem__)
    connections = Connections(max_per_address=2, workers=2)

    assert as_worker(connections, 1, lambda: admitted(connections, *["192.0.2.1"] * 2) == [True, True])
    assert as_worker(connections, 0, lambda: admitted(connections, *["192.0.2.2"] * 3) == [True, True, False])


def test_workers_that_hurry_never_exceed_the_limits(tmp_path: Path) -> None:
    addresses = ["192.0.2.1", "192.0.2.2"]
    connections = Connections(max_total=4, max_per_address=3, workers=3)
    held = memoryview(mmap(-1, 2))
    """Sessions of each address, raised after one was admitted and lowered before it leaves, under a lock."""

    def hurry(chance: random.Random) -> bool:
        fine = True
        here = [0, 0]
        with (tmp_path / "lock").open("w") as lock:

            def count(who: int, by: int) -> None:
                nonlocal fine
                here[who] += by
                fcntl.flock(lock, fcntl.LOCK_EX)
                held[who] += by
                fine = fine and max(held) <= 3 and sum(held) <= 4
                fcntl.flock(lock, fcntl.LOCK_UN)

            for turn in range(2000):
                who = chance.randrange(2)
                if here[who] and (turn > 1900 or chance.random() < 0.5):
                    count(who, -1)
                    connections.leave(addresses[who])
                elif turn <= 1900 and connections.enter(addresses[who]) is None:
                    count(who, 1)
        return fine and here == [0, 0]

    children = [start_worker(connections, worker, partial(hurry, random.Random(worker))) for worker in range(3)]

    assert [ended_well(child) for child in children] == [True] * 3
    assert connections.total() == 0
