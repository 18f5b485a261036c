"""The doctor against a server in memory, behind what stands in the way, in simulated time."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from itertools import count
from typing import Any

import pytest

from fairlead.client._wires.memory import MemoryStream, MemoryWire
from fairlead.client.trace import ModeFailed, Record
from fairlead.doctor.advice import advice, surroundings, verdict
from fairlead.doctor.examine import Examination, examine
from fairlead.doctor.plan import Plan
from fairlead.doctor.report import document, exit_code, works
from fairlead.reach.cause import Cause
from fairlead.reach.explanations import Owner
from tests.client.reactive import CLOSED, OPEN, SILENT, World
from tests.client.script import HOST, HOST6

PLAN = Plan(host=HOST, port=21, user="me", password="secret", tls="off")


def examined(world: World, plan: Plan = PLAN) -> Examination:
    return asyncio.run(examine(world.wire, plan))


def causes(found: Examination) -> dict[str, Cause]:
    return {probe.seen.mode: probe.cause for probe in found.probes}


def behind(**surroundings: Any) -> Examination:
    return examined(World(sessions=20, **surroundings))


def test_where_nothing_is_in_the_way_all_modes_work() -> None:
    found = behind()

    assert set(causes(found).values()) == {Cause.OK}
    assert works(found) == ["EPSV", "PASV", "EPRT", "PORT"]
    assert exit_code(found) == 0
    assert advice(found) == ()
    assert verdict(found) == "Every mode that the server offers works from here."


def test_silent_ports_are_dropped_ones() -> None:
    found = behind(then=SILENT)

    assert causes(found) == {
        "EPSV": Cause.PASSIVE_DROPPED,
        "PASV": Cause.PASSIVE_DROPPED,
        "EPRT": Cause.OK,
        "PORT": Cause.OK,
    }
    assert exit_code(found) == 1
    assert verdict(found).startswith("EPRT and PORT work; EPSV and PASV do not: your call")


def test_ports_that_refuse_are_rejected_ones() -> None:
    assert causes(behind(then=CLOSED))["EPSV"] is Cause.PASSIVE_REJECTED


def test_a_server_that_is_silent_and_calls_in_vain_is_not_waited_for() -> None:
    found = behind(then=SILENT, calls=SILENT)

    assert causes(found) == {
        "EPSV": Cause.PASSIVE_DROPPED,
        "PASV": Cause.PASSIVE_DROPPED,
        "EPRT": Cause.ACTIVE_DROPPED,
        "PORT": Cause.ACTIVE_DROPPED,
    }
    assert exit_code(found) == 5
    assert verdict(found).startswith("No data connection can be made: your call")
    assert max(probe.seen.waited for probe in found.probes) < 5.0


def test_a_call_of_the_server_that_met_a_reset_is_a_rejected_one() -> None:
    assert causes(behind(calls=CLOSED))["PORT"] is Cause.ACTIVE_REJECTED


def test_some_open_ports_are_found_behind_a_closed_one() -> None:
    found = behind(ports=[SILENT, OPEN])

    assert causes(found)["EPSV"] is Cause.PASSIVE_RANGE_PARTLY_OPEN
    assert causes(found)["PASV"] is Cause.PASSIVE_RANGE_PARTLY_OPEN


def test_some_closed_ports_are_found_behind_an_open_one() -> None:
    found = behind(ports=[OPEN, OPEN, SILENT])

    assert causes(found)["EPSV"] is Cause.PASSIVE_RANGE_PARTLY_OPEN


def test_an_address_that_leads_nowhere_is_told_from_closed_ports() -> None:
    world = World(sessions=20, announced="10.0.0.5")
    for port in range(5000, 5100):
        world.wire.doors["10.0.0.5", port], world.wire.delays["10.0.0.5", port] = None, 1e6

    found = examined(world)

    assert causes(found)["EPSV"] is Cause.OK
    assert causes(found)["PASV"] is Cause.PASSIVE_PRIVATE_ADDRESS
    around = surroundings(found)
    assert (around.inside, around.announced, around.closed) == ("10.0.0.5", "10.0.0.5", False)
    told = [each.settings["fairlead"] for each in advice(found) if each.owner is Owner.SERVER]
    assert told == [f"--public-address {HOST}"]


def test_commands_that_the_server_does_not_know_are_no_failure() -> None:
    found = behind(refusals={"EPSV": "500 what?", "EPRT": "502 not here"})

    assert causes(found)["EPSV"] is Cause.NOT_SUPPORTED
    assert causes(found)["EPRT"] is Cause.NOT_SUPPORTED
    assert exit_code(found) == 0


def test_a_policy_is_no_failure_either() -> None:
    found = behind(refusals={"EPRT": "504 not here", "PORT": "550 Permission denied."})

    assert causes(found)["PORT"] is Cause.REFUSED_BY_POLICY
    assert exit_code(found) == 0


def test_no_free_port_is_told_from_a_closed_one() -> None:
    assert causes(behind(refusals={"PASV": "425 No port is free"}))["PASV"] is Cause.PASSIVE_EXHAUSTED


def test_a_data_connection_that_is_refused_after_it_was_made() -> None:
    found = behind(refusals={"LIST": "425 Security: Bad IP connecting."})

    assert causes(found)["EPSV"] is Cause.DATA_PEER_REFUSED


def test_ipv6_has_no_use_for_pasv_and_port() -> None:
    found = examined(World(sessions=20, host=HOST6), replace(PLAN, host=HOST6))

    assert causes(found) == {
        "EPSV": Cause.OK,
        "PASV": Cause.FAMILY_UNSUPPORTED,
        "EPRT": Cause.OK,
        "PORT": Cause.FAMILY_UNSUPPORTED,
    }
    assert exit_code(found) == 0


def test_a_server_with_room_for_few_sessions_is_asked_one_after_the_other() -> None:
    world = World(sessions=1)

    found = examined(world)

    assert set(causes(found).values()) == {Cause.OK}


def test_a_name_without_an_address() -> None:
    found = examined(World(), replace(PLAN, host="nowhere.example"))

    assert exit_code(found) == 3
    assert verdict(found) == "The server's name has no address."
    assert [each.owner for each in advice(found)] == [Owner.YOU]
    assert document(found)["control"] is None


@pytest.mark.parametrize(
    ("door", "cause"),
    [
        (ConnectionRefusedError(111, "Connection refused"), Cause.CONTROL_REFUSED),
        (None, Cause.CONTROL_TIMEOUT),
        (lambda stream: stream.send(memoryview(b"SSH-2.0-OpenSSH_9.2\r\n")), Cause.NOT_FTP),
        (lambda _: None, Cause.NOT_FTP),
        (MemoryStream.close, Cause.CONTROL_LOST),
        (lambda stream: stream.send(memoryview(b"421 go away\r\n")), Cause.CONTROL_LOST),
    ],
)
def test_no_session_at_all(door: Any, cause: Cause) -> None:
    wire = MemoryWire()
    wire.doors[HOST, 21] = door
    if door is None:
        wire.delays[HOST, 21] = 1e6

    found = asyncio.run(examine(wire, PLAN))

    assert [look.cause for look in found.looks] == [cause]
    assert found.probes == ()
    assert exit_code(found) == 3


def test_a_login_that_is_refused_is_tried_once_only() -> None:
    world = World(refusals={"PASS": "530 Login incorrect."})

    found = examined(world)

    assert [look.cause for look in found.looks] == [Cause.LOGIN_REFUSED]
    assert exit_code(found) == 4
    assert len(world.sessions) == 1


def test_a_family_that_this_machine_has_no_way_for_is_no_finding() -> None:
    world = World(sessions=20)
    world.wire.names["server.example"] = [HOST, HOST6]
    world.wire.doors[HOST6, 21] = OSError(101, "Network is unreachable")

    found = examined(world, replace(PLAN, host="server.example"))

    assert [look.family for look in found.looks] == [4]
    assert exit_code(found) == 0


def test_a_family_in_which_the_server_does_not_answer_is_one() -> None:
    world = World(sessions=20)
    world.wire.names["server.example"] = [HOST, HOST6]
    world.wire.doors[HOST6, 21], world.wire.delays[HOST6, 21] = None, 1e6

    found = examined(world, replace(PLAN, host="server.example"))

    assert {look.family: look.cause for look in found.looks} == {4: Cause.OK, 6: Cause.CONTROL_TIMEOUT}
    assert exit_code(found) == 1


def test_each_probe_is_told_to_who_watches_it_with_its_cause() -> None:
    heard: dict[str, list[Record]] = {}
    world = World(sessions=20, then=SILENT)

    asyncio.run(examine(world.wire, PLAN, watch=lambda name: heard.setdefault(name, []).append))

    assert "EPSV over IPv4 in clear" in heard
    last = heard["EPSV over IPv4 in clear"][-1]
    assert isinstance(last, ModeFailed)
    assert last.cause == "passive-dropped"
    assert not any(isinstance(record, ModeFailed) for record in heard["PORT over IPv4 in clear"])


def test_the_document_has_what_scripts_rely_on() -> None:
    told = document(behind(then=SILENT))

    assert set(told) >= {"target", "control", "probes", "works", "advice"}
    assert set(told["control"]) >= {"family", "rtt_ms", "greeting", "tls", "features", "resumption"}
    first = told["probes"][0]
    assert (first["mode"], first["family"], first["protection"], first["ok"]) == ("EPSV", 4, "clear", False)
    assert first["cause"] == "passive-dropped"
    assert first["evidence"]["calls"][0]["answer"] == "no answer"
    assert isinstance(first["seconds"], float)
    assert told["works"] == ["EPRT", "PORT"]
    assert set(told["advice"][0]) == {"owner", "text", "settings"}
    assert "secret" not in str(told)


def test_a_password_goes_in_clear_to_a_server_that_offers_no_tls() -> None:
    world = World(sessions=20, refusals={"AUTH": "500 what?", "HELP": "500 what?"})

    found = examined(world, replace(PLAN, tls="auto"))

    assert {probe.seen.private for probe in found.probes} == {False}
    assert set(causes(found).values()) == {Cause.OK}


def test_a_password_does_not_go_in_clear_where_tls_is_offered_and_fails() -> None:
    world = World(sessions=20, refusals={"FEAT": "211-Features:\r\n AUTH TLS\r\n211 End", "AUTH": "431 not now"})

    found = examined(world, replace(PLAN, tls="auto"))

    assert [look.cause for look in found.looks] == [Cause.TLS_FAILED]
    assert not any("PASS" in session.heard for session in world.sessions)
    assert exit_code(found) == 3


def test_a_file_is_fetched_once_in_a_mode_that_serves() -> None:
    world = World(sessions=20)

    found = examined(world, replace(PLAN, file="file"))

    assert [session.heard.count("RETR") for session in world.sessions if "RETR" in session.heard] == [1]
    assert exit_code(found) == 0


def test_a_file_that_is_not_there_is_no_finding() -> None:
    found = examined(World(sessions=20, refusals={"RETR": "550 no such file"}), replace(PLAN, file="none"))

    assert set(causes(found).values()) == {Cause.OK}


def test_what_only_long_transfers_meet_is_said_apart() -> None:
    found = behind()
    cut = replace(found.probes[0], cause=Cause.DATA_CUT)
    found = replace(found, probes=(cut, *found.probes[1:]))

    assert verdict(found).startswith("Listings arrive in every mode that is offered; a long transfer fails:")
    assert [each.owner for each in advice(found)] == [Owner.SERVERS_NETWORK]


def test_what_may_be_chance_is_tried_once_more() -> None:
    world = World(sessions=20, refusals={"LIST": "426 broke"})

    found = examined(world)

    assert set(causes(found).values()) >= {Cause.DATA_CUT}
    assert sum("EPSV" in session.heard for session in world.sessions) == 2


def test_sessions_that_are_cut_off_where_there_are_many_are_tried_again_one_by_one() -> None:
    world = World(sessions=20)
    take = world.wire.doors[HOST, 21]
    calls = count(1)

    def enter(stream: MemoryStream) -> None:
        if next(calls) == 3:
            stream.abort()
        else:
            assert callable(take)
            take(stream)

    world.wire.doors[HOST, 21] = enter

    found = examined(world)

    assert set(causes(found).values()) == {Cause.OK}


def test_one_mode_is_tried_where_one_is_asked_for() -> None:
    found = examined(World(sessions=20), replace(PLAN, mode="pasv"))

    assert causes(found) == {"PASV": Cause.OK}


def test_when_time_is_up_what_was_seen_is_judged() -> None:
    found = examined(World(sessions=20), replace(PLAN, limit=1e-6))

    assert {probe.cause for probe in found.probes} <= {Cause.CONTROL_TIMEOUT, Cause.OK}
