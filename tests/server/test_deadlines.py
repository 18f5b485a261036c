"""Deadlines of many sessions under one timer; the time is the test's."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from math import inf
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.server.deadlines import TICKS, Deadlines


class Loop:
    """An event loop that has only timers, and whose time is set."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.timers: list[Timer] = []

    def time(self) -> float:
        return self.now

    def call_at(self, when: float, call: Callable[[], None]) -> Timer:
        self.timers.append(Timer(self, when, call))
        return self.timers[-1]

    def run_until(self, end: float) -> None:
        while due := [timer for timer in self.timers if timer.when <= end]:
            timer = min(due, key=lambda timer: timer.when)
            self.timers.remove(timer)
            self.now = max(self.now, timer.when)
            timer.call()
        self.now = end


class Timer:
    def __init__(self, loop: Loop, when: float, call: Callable[[], None]) -> None:
        self.loop, self.when, self.call = loop, when, call

    def cancel(self) -> None:
        if self in self.loop.timers:
            self.loop.timers.remove(self)


class Session:
    """Remembers when it was called."""

    def __init__(self, loop: Loop, then: Callable[[], None] = lambda: None) -> None:
        self.loop = loop
        self.then = then
        self.called: list[float] = []

    def look_at_deadlines(self) -> None:
        self.called.append(self.loop.now)
        self.then()


@pytest.fixture
def loop() -> Loop:
    return Loop()


@pytest.fixture
def deadlines(loop: Loop) -> Deadlines:
    return Deadlines(cast("asyncio.AbstractEventLoop", loop))


@given(waits=st.lists(st.floats(0, 400), min_size=1, max_size=20))
def test_each_session_is_called_once_never_early_and_at_most_a_tick_late(waits: list[float]) -> None:
    loop = Loop()
    deadlines = Deadlines(cast("asyncio.AbstractEventLoop", loop))
    sessions = [(Session(loop), loop.now + wait) for wait in waits]
    for session, when in sessions:
        deadlines.put(session, when)
        assert len(loop.timers) == 1

    loop.run_until(loop.now + 500)

    for session, when in sessions:
        (called,) = session.called
        assert when <= called <= when + 1 / TICKS
    assert loop.timers == []


def test_who_is_dropped_is_not_called(loop: Loop, deadlines: Deadlines) -> None:
    staying, leaving = Session(loop), Session(loop)
    deadlines.put(staying, 1001.0)
    deadlines.drop(leaving, deadlines.put(leaving, 1001.0))
    deadlines.drop(leaving, 5)  # a tick at which nobody is due

    loop.run_until(1002.0)

    assert (staying.called, leaving.called) == ([1001.0], [])


def test_a_session_may_drop_another_that_is_due_at_the_same_time(loop: Loop, deadlines: Deadlines) -> None:
    sessions: list[Session] = []

    def drop_the_others() -> None:
        for session in sessions:
            deadlines.drop(session, ticks[0])

    sessions += [Session(loop, drop_the_others) for _ in range(3)]
    ticks = [deadlines.put(session, 1001.0) for session in sessions]
    loop.run_until(1002.0)

    assert sum(len(session.called) for session in sessions) == 1


def test_a_session_may_ask_to_be_called_again(loop: Loop, deadlines: Deadlines) -> None:
    def ask_again() -> None:
        deadlines.put(session, loop.now + 10.0)

    session = Session(loop, ask_again)
    deadlines.put(session, 1001.0)

    loop.run_until(1025.0)

    assert session.called == [1001.0, 1011.0, 1021.0]


def test_a_session_that_fails_keeps_no_other_from_being_called(loop: Loop, deadlines: Deadlines) -> None:
    def fail() -> None:
        raise RuntimeError("on purpose")

    failing, others = Session(loop, fail), [Session(loop) for _ in range(3)]
    deadlines.put(failing, 1001.0)
    for session in others:
        deadlines.put(session, 1001.0)
    with pytest.raises(RuntimeError, match="on purpose"):
        loop.run_until(1001.0)

    loop.run_until(1001.0)

    assert [session.called for session in others] == [[1001.0]] * 3


def test_who_has_no_deadline_is_never_called_and_keeps_nobody_waiting(loop: Loop, deadlines: Deadlines) -> None:
    eternal, mortal = Session(loop), Session(loop)
    tick = deadlines.put(eternal, inf)
    deadlines.put(mortal, 1001.0)

    loop.run_until(1e9)

    assert (eternal.called, mortal.called) == ([], [1001.0])
    deadlines.drop(eternal, tick)


def test_nobody_is_called_after_the_end(loop: Loop, deadlines: Deadlines) -> None:
    session = Session(loop)
    deadlines.put(session, 1001.0)

    deadlines.close()

    loop.run_until(1002.0)
    assert session.called == []
    assert loop.timers == []
