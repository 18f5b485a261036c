"""Calls that losses on the way do not fool, in simulated time."""

from __future__ import annotations

import asyncio

import pytest

from fairlead.client._wires.memory import MemoryStream, MemoryWire
from fairlead.doctor.calling import call, try_port
from fairlead.doctor.patience import SECOND_CALL, Patience
from fairlead.reach.evidence import Answer

THERE = ("203.0.113.21", 50001)


def accept(_: MemoryStream) -> None:
    """Take a connection and say nothing."""


def test_a_call_that_is_answered_gives_the_connection() -> None:
    wire = MemoryWire()
    wire.doors[THERE] = accept

    told, stream = asyncio.run(call(wire, THERE, 3.2))

    assert (told.answer, told.host, told.port) == (Answer.CONNECTED, *THERE)
    assert stream is not None
    assert stream.peer == THERE
    assert told.source == stream.local[1]
    stream.close()


@pytest.mark.parametrize(
    ("failure", "answer"),
    [
        (ConnectionRefusedError(111, "Connection refused"), Answer.REFUSED),
        (OSError(113, "No route to host"), Answer.UNREACHABLE),
        (TimeoutError(110, "Connection timed out"), Answer.SILENT),
    ],
)
def test_a_call_that_fails_says_how(failure: OSError, answer: Answer) -> None:
    wire = MemoryWire()
    wire.doors[THERE] = failure

    assert asyncio.run(try_port(wire, THERE, 3.2)).answer is answer


def test_silence_is_waited_for_and_no_longer() -> None:
    wire = MemoryWire()
    wire.doors[THERE], wire.delays[THERE] = None, 1e6

    told = asyncio.run(try_port(wire, THERE, 3.2))

    assert (told.answer, told.seconds) == (Answer.SILENT, 3.2)
    assert wire.calls == [THERE, THERE]


def test_a_second_call_is_answered_where_the_first_was_lost() -> None:
    wire = MemoryWire()
    wire.doors[THERE], wire.delays[THERE] = accept, 1e6
    wire.after(1.0, lambda: wire.delays.update({THERE: 0.01}))

    told = asyncio.run(try_port(wire, THERE, 3.2))

    assert told.answer is Answer.CONNECTED
    assert told.seconds == pytest.approx(SECOND_CALL + 0.01)


def test_a_glance_makes_one_call_only() -> None:
    wire = MemoryWire()
    wire.doors[THERE], wire.delays[THERE] = None, 1e6

    asyncio.run(try_port(wire, THERE, 0.25))

    assert wire.calls == [THERE]


def test_patience_grows_with_the_round_trip_and_has_bounds() -> None:
    near, far, absurd = Patience(0.001), Patience(0.3), Patience(20.0)

    assert near.call < far.call < absurd.call <= 5.0
    assert near.glance < far.glance <= absurd.glance <= 1.5
    assert near.call > 3.0, "a SYN that is lost twice is sent for the third time after 3 s"
    assert absurd.reply <= 6.0
