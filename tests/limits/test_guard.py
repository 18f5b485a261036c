from __future__ import annotations

import os

import pytest

from fairlead.limits import guard as guard_module
from fairlead.limits.guard import HALF_LIFE, LONGEST, LoginGuard


def test_without_failures_nobody_waits() -> None:
    assert LoginGuard().delay("192.0.2.1", 100.0) == 0.0


def test_the_delay_grows_with_each_failure_up_to_its_limit() -> None:
    guard = LoginGuard(base=1.0)
    delays = []
    for _ in range(7):
        guard.failed("192.0.2.1", 100.0)
        delays.append(guard.delay("192.0.2.1", 100.0))

    assert delays == pytest.approx([1.0, 2.0, 3.0, 4.0, 5.0, 5.0, 5.0])
    assert LONGEST == 5.0


@pytest.mark.req("S-2577-THR-2")
def test_the_failures_of_all_sessions_from_one_source_count_together_and_of_others_not() -> None:
    guard = LoginGuard(base=1.0)
    guard.failed("::ffff:192.0.2.1", 100.0)
    guard.failed("192.0.2.1", 100.0)

    assert guard.delay("192.0.2.1", 100.0) == pytest.approx(2.0)
    assert guard.delay("192.0.2.2", 100.0) == 0.0


def test_failures_are_forgotten_by_and_by() -> None:
    guard = LoginGuard(base=1.0)
    for _ in range(4):
        guard.failed("192.0.2.1", 100.0)

    assert guard.delay("192.0.2.1", 100.0 + HALF_LIFE) == pytest.approx(2.0)
    assert guard.delay("192.0.2.1", 100.0 + 2 * HALF_LIFE) == pytest.approx(1.0)
    assert guard.delay("192.0.2.1", 100.0 + 100 * HALF_LIFE) == pytest.approx(0.0)


def test_a_good_login_halves_what_was_counted() -> None:
    guard = LoginGuard(base=1.0)
    for _ in range(4):
        guard.failed("192.0.2.1", 100.0)

    guard.succeeded("192.0.2.1")
    guard.succeeded("192.0.2.2")

    assert guard.delay("192.0.2.1", 100.0) == pytest.approx(2.0)
    assert guard.delay("192.0.2.2", 100.0) == 0.0


def test_guessing_behind_an_account_of_ones_own_still_waits() -> None:
    guard = LoginGuard(base=1.0)
    for _ in range(50):
        guard.failed("192.0.2.1", 100.0)
        assert guard.delay("192.0.2.1", 100.0) >= 1.0
        guard.succeeded("192.0.2.1")


def test_no_delay_is_configurable() -> None:
    guard = LoginGuard(base=0.0)
    guard.failed("192.0.2.1", 100.0)

    assert guard.delay("192.0.2.1", 100.0) == 0.0


@pytest.mark.req("S-2577-THR-2")
def test_workers_count_together() -> None:
    guard = LoginGuard(base=1.0, workers=2)
    child = os.fork()
    if child == 0:
        try:
            guard.attach(1)
            guard.failed("192.0.2.1", 100.0)
        finally:
            os._exit(0)
    os.waitpid(child, 0)

    guard.attach(0)
    guard.failed("192.0.2.1", 100.0)

    assert guard.delay("192.0.2.1", 100.0) == pytest.approx(2.0)


def test_sources_that_share_one_cell_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    places = {"192.0.2.1": (0, 1), "192.0.2.2": (1, 2)}
    monkeypatch.setattr(guard_module, "cells", places.__getitem__)
    guard = LoginGuard(base=1.0)
    guard.failed("192.0.2.1", 100.0)

    assert guard.delay("192.0.2.2", 100.0) == 0.0


def test_many_sources_take_no_more_memory() -> None:
    guard = LoginGuard()
    slots = len(guard._moments._slots)
    for number in range(2000):
        guard.failed(f"10.0.{number >> 8}.{number & 255}", 100.0)

    assert len(guard._moments._slots) == slots
