"""Auto mode: what it tries beside and after what, how long it waits, and what it leaves alone."""

from __future__ import annotations

import io
from itertools import pairwise
from typing import Any

import pytest

from fairlead.client._race import Deadlines
from fairlead.client.settings import Settings
from fairlead.errors import DataConnectionError, PermanentError
from fairlead.reach.cause import Cause
from tests.client.reactive import CLOSED, LISTING, OPEN, SILENT, World
from tests.client.script import HOST6

NO_ACTIVE = {"EPRT": "501 not to there", "PORT": "501 not to there"}
NO_PASSIVE = {"EPSV": "500 what?", "PASV": "502 what?"}


def seconds_until_error(world: World, **options: Any) -> tuple[float, DataConnectionError]:
    with world.client(**options) as ftp:
        began = world.wire.now()
        with pytest.raises(DataConnectionError) as caught:
            ftp.scandir()
        return world.wire.now() - began, caught.value


@pytest.mark.parametrize(
    "surroundings",
    [
        {},
        {"then": SILENT},
        {"then": CLOSED},
        {"calls": SILENT},
        {"ports": [SILENT]},
        {"ports": [CLOSED]},
        {"ports": [SILENT] * 2, "calls": SILENT},
        {"ports": [SILENT] * 5, "calls": SILENT},
        {"ports": [SILENT] * 6, "refusals": NO_ACTIVE},
        {"ports": [CLOSED] * 9, "refusals": NO_ACTIVE},
        {"ports": [CLOSED, SILENT] * 3, "calls": CLOSED},
        {"then": SILENT, "refusals": {"EPRT": "500 what?"}},
        {"then": SILENT, "refusals": {"EPSV": "500 what?", "EPRT": "500 what?"}},
        {"refusals": NO_PASSIVE},
        {"then": SILENT, "sessions": 1},
        {"ports": [SILENT] * 3, "sessions": 1, "calls": SILENT},
        {"then": SILENT, "host": HOST6},
        {"then": CLOSED, "host": HOST6},
        {"ports": [SILENT] * 4, "host": HOST6, "calls": SILENT},
        {"then": SILENT, "list_reply": "550 you may not"},
        {"then": SILENT, "delay": 0.1},
        {"then": CLOSED, "announced": "10.0.0.5"},
        {"then": SILENT, "eager": True},
        {"ports": [SILENT] * 5, "calls": SILENT, "eager": True},
        {"ports": [SILENT] * 5, "calls": SILENT, "eager": True, "deaf": False},
    ],
)
def test_listing_arrives_within_three_seconds_where_any_mode_can_work(surroundings: dict[str, Any]) -> None:
    world = World(**surroundings)
    with world.client() as ftp:
        assert world.seconds(ftp) < 3
        assert world.seconds(ftp) < 2
        assert ftp.pwd() == "/"


@pytest.mark.req("C-DF-FALL-1", "C-959-PORT-1")
def test_call_that_is_not_answered_is_repeated_to_another_port_by_the_other_mode() -> None:
    world = World(ports=[SILENT, SILENT, SILENT], sessions=1)
    with world.client() as ftp:
        world.seconds(ftp)
        assert world.heard() == ["EPSV", "PASV", "EPSV", "PASV", "LIST"]
        assert len(set(world.wire.calls[1:])) == 5  # four ports, and the second session


def test_servers_call_is_tried_in_a_second_session_before_the_users_own_is_risked() -> None:
    world = World(then=SILENT)
    with world.client() as ftp:
        world.seconds(ftp)
        assert world.heard(1) == ["EPRT", "LIST"]
        assert world.heard(0)[-2:] == ["EPRT", "LIST"]
        assert "a second session tries EPRT: the server called" in world.said
        assert " … not waited for after " in world.said
        assert world.sessions[1].over


def test_session_is_not_lost_to_a_server_that_calls_in_vain() -> None:
    world = World(then=SILENT, calls=SILENT)
    took, error = seconds_until_error(world)
    assert took < 11
    assert "EPRT" not in world.heard(0)
    assert "ABOR" not in world.heard(0)
    assert error.cause is Cause.PASSIVE_DROPPED


def test_way_that_worked_is_taken_at_once_next_time() -> None:
    world = World(then=SILENT)
    with world.client() as ftp:
        world.seconds(ftp)
        assert world.seconds(ftp) < 0.1
        assert len(world.sessions) == 2
        assert world.heard(0)[-4:] == ["EPRT", "LIST"] * 2


def test_way_that_worked_has_a_second_for_a_lost_syn() -> None:
    world = World(ports=[OPEN, SILENT])
    with world.client() as ftp:
        world.seconds(ftp)
        assert 1.2 < world.seconds(ftp) < 1.5
        assert world.heard() == ["EPSV", "LIST", "EPSV", "PASV", "LIST"]


def test_range_that_is_open_in_parts_is_known_from_then_on() -> None:
    world = World(ports=[SILENT, OPEN, OPEN, SILENT, SILENT, SILENT, OPEN], calls=SILENT)
    with world.client() as ftp:
        assert 0.25 < world.seconds(ftp) < 0.3
        assert world.seconds(ftp) < 0.1
        assert 0.75 < world.seconds(ftp) < 0.9
        assert len(world.sessions) == 1


def test_scout_is_called_off_once_a_call_is_answered() -> None:
    world = World(ports=[SILENT] * 3, calls=SILENT)
    with world.client() as ftp:
        world.seconds(ftp)
        assert "a second session tries EPRT: not waited for" in world.said
        assert world.sessions[1].over


def test_way_that_worked_has_time_for_two_lost_calls_where_others_do_not_work() -> None:
    world = World(then=SILENT)
    with world.client() as ftp:
        world.seconds(ftp)
        world.surroundings.call_after = 3.1
        assert 3 < world.seconds(ftp) < 3.3


def test_way_that_was_seen_to_work_is_tried_again_in_the_end() -> None:
    world = World(then=SILENT, lost_calls=[False, True], refusals={"PORT": "500 what?"})
    with world.client() as ftp:
        assert world.seconds(ftp) < 8
        assert world.heard(0)[-2:] == ["EPRT", "LIST"]
        assert world.heard(-1)[-2:] == ["EPRT", "LIST"]


def test_server_that_wants_no_second_session_is_asked_in_the_first_one_after_four_calls() -> None:
    world = World(then=SILENT, sessions=1)
    with world.client() as ftp:
        world.seconds(ftp)
        assert world.heard() == ["EPSV", "PASV", "EPSV", "PASV", "EPRT", "LIST"]
        assert "a second session tries EPRT: the server does not take the session" in world.said


def test_refusal_in_the_second_session_is_one_for_the_first_too() -> None:
    world = World(then=SILENT, refusals={"EPRT": "501 not to there"})
    with world.client() as ftp:
        world.seconds(ftp)
        assert "EPRT" not in world.heard(0)
        assert world.heard(2) == ["PORT", "LIST"]


def test_servers_word_that_it_cannot_call_ends_the_wait() -> None:
    took, error = seconds_until_error(World(then=CLOSED, calls=CLOSED))
    assert took < 1
    assert "EPRT: the server answered 425 cannot call (active-rejected), active-rejected" in str(error)


def test_slow_path_gets_patience_in_the_end() -> None:
    world = World(delay=0.001, calls=SILENT)
    with world.client() as ftp:
        world.surroundings.delay = 2.0
        assert 4 < world.seconds(ftp) < 8


def test_closed_ports_are_not_called_again_with_patience() -> None:
    world = World(then=CLOSED, refusals=NO_ACTIVE)
    took, error = seconds_until_error(world)
    assert took < 0.2
    assert error.cause is Cause.PASSIVE_REJECTED
    assert len(world.heard()) == 12


def test_error_names_each_mode_with_its_cause_and_the_doctor() -> None:
    _, error = seconds_until_error(World(then=SILENT, calls=SILENT, refusals={"PORT": "500 what?"}))
    text = str(error)
    for part in (
        "EPSV: 192.0.2.90:5001 gave no answer in 250 ms and ",
        "PASV: 192.0.2.90:5002 gave no answer in 250 ms and ",
        " further calls failed, passive-dropped; ",
        "EPRT: the server did not call within ",
        "PORT: the server answered 500 what?, not-supported",
        "; fairlead doctor ftp://192.0.2.90 finds out more",
    ):
        assert part in text
    assert "\n" not in text


def test_private_address_that_the_server_refuses_to_call_is_named() -> None:
    world = World(refusals={**NO_ACTIVE, **NO_PASSIVE})
    world.wire._here[4] = "192.168.1.5"
    _, error = seconds_until_error(world)
    assert error.cause is Cause.ACTIVE_PRIVATE_ADDRESS


def test_announced_address_that_is_trusted_and_cannot_be_reached_is_named() -> None:
    world = World(then=SILENT, announced="10.0.0.5", refusals={"EPSV": "500 what?", **NO_ACTIVE})
    _, error = seconds_until_error(world, trust_announced_address=True)
    assert error.cause is Cause.PASSIVE_PRIVATE_ADDRESS


@pytest.mark.req("C-2428-EPSV-4")
def test_after_epsv_all_only_epsv_is_tried_again() -> None:
    world = World(ports=[SILENT] * 3)
    with world.client(epsv_all=True) as ftp:
        assert world.seconds(ftp) < 3
        assert world.heard() == ["EPSV"] * 5 + ["LIST"]
        assert len(world.sessions) == 1


@pytest.mark.parametrize("mode", ["epsv", "pasv", "eprt", "port"])
def test_chosen_mode_is_the_only_one_and_in_one_session(mode: Any) -> None:
    world = World(then=SILENT, calls=SILENT, deaf=False)
    took, _ = seconds_until_error(world, mode=mode)
    assert took == pytest.approx(20, abs=0.1)
    assert set(world.heard()) - {"LIST", "ABOR"} == {mode.upper()}
    assert len(world.sessions) == 1


def test_upload_goes_out_once() -> None:
    world = World(then=SILENT)
    with world.client() as ftp:
        ftp.upload(io.BytesIO(LISTING), "f")
    assert world.sessions[0].stored == LISTING
    assert "STOR" not in world.heard(1)


def test_refused_transfer_is_no_reason_for_another_mode() -> None:
    world = World(refusals={"LIST": "550 you may not"})
    with world.client() as ftp, pytest.raises(PermanentError, match="550"):
        ftp.scandir()
    assert world.heard() == ["EPSV", "LIST"]


def test_password_is_asked_for_once() -> None:
    asked: list[str] = []

    def secret() -> str:
        asked.append("password")
        return "secret"

    world = World(then=SILENT)
    with world.client(url=f"ftp://me@{world.surroundings.host}", password=secret) as ftp:
        world.seconds(ftp)
    assert len(world.sessions) == 2
    assert asked == ["password"]


@pytest.mark.parametrize("round_trip", [0.0, 0.05, 0.3])
def test_deadlines_grow_with_the_round_trip_and_never_exceed_the_users_patience(round_trip: float) -> None:
    deadlines = Deadlines.of(round_trip, Settings())
    assert deadlines.quick > 2 * round_trip
    assert deadlines.sure > 1 + 2 * round_trip
    steps = (deadlines.quick, deadlines.sure, deadlines.round, deadlines.long, deadlines.last)
    assert all(earlier <= later for earlier, later in pairwise(steps))
    hurried = Deadlines.of(round_trip, Settings(connect_timeout=0.1))
    assert max(hurried.quick, hurried.sure, hurried.round, hurried.long, hurried.last) == 0.1
