from __future__ import annotations

import pytest

from fairlead.capture.both_ends import compared
from fairlead.capture.explain import Explained
from fairlead.capture.packets import SYN
from fairlead.capture.standpoint import Standpoint
from tests.capture.building import CLIENT, SERVER, Wire, logged_in, syn


def passive(wire: Wire, port: int) -> None:
    logged_in(wire).dialogue("EPSV", f"229 (|||{port}|)")


def both(client: Wire, server: Wire) -> list[list[str]]:
    """What is told of each end, in the light of the other."""
    ends = compared([client.explain(), server.explain()])
    return [[finding.cause.value for session in sessions for finding in session.findings] for sessions in ends]


def test_a_port_that_was_rewritten_is_told_at_the_client_too() -> None:
    client, server = Wire("client"), Wire("server")
    passive(client, 30000)
    passive(server, 50000)
    syn(client, (CLIENT[0], 40001), (SERVER[0], 30000), times=3)
    syn(server, (CLIENT[0], 40001), (SERVER[0], 30000), times=3, near=False)
    assert both(client, server) == [["passive-rewritten"], ["passive-rewritten"]]
    (session,) = compared([client.explain(), server.explain()])[0]
    assert session.findings[0].sentence == (
        "EPSV: the server announced port 50000, and the client read 30000: something in between rewrites the reply."
    )
    assert "passive-rewritten" in {step.cause for step in session.ladder.steps}


def test_what_is_refused_before_it_arrives_is_told_at_the_server_too() -> None:
    client, server = Wire("client"), Wire("server")
    passive(client, 50000)
    passive(server, 50000)
    call = client.connection((CLIENT[0], 40001), (SERVER[0], 50000))
    call.send(True, SYN)
    call.reset(False)
    assert [session.where for session in server.explain()] == [Standpoint.SERVER]
    assert both(client, server) == [["passive-rejected"], ["passive-rejected"]]


def test_what_vanishes_stays_dropped() -> None:
    client, server = Wire("client"), Wire("server")
    passive(client, 50000)
    passive(server, 50000)
    syn(client, (CLIENT[0], 40001), (SERVER[0], 50000), times=3)
    assert both(client, server) == [["passive-dropped"], ["passive-dropped"]]


def test_a_call_of_the_server_that_was_refused_is_told_at_the_client_too() -> None:
    client, server = Wire("client"), Wire("server")
    for wire in (client, server):
        logged_in(wire).dialogue("PORT 198,51,100,10,156,65", "200 I will", "LIST", "425 no")
    call = server.connection((SERVER[0], 20), (CLIENT[0], 40001), near=True)
    server.at -= 0.0015  # between LIST and 425
    call.send(True, SYN)
    call.reset(False)
    server.datagrams.sort()
    assert both(client, server) == [["active-rejected"], ["active-rejected"]]


@pytest.mark.parametrize("ends", [("client",), ("client", "client")])
def test_captures_of_one_end_only_stay_as_they_are(ends: tuple[str, ...]) -> None:
    wires = [Wire("client") for _ in ends]
    for wire in wires:
        passive(wire, 50000)
        syn(wire, (CLIENT[0], 40001), (SERVER[0], 50000), times=3)
    read: list[list[Explained]] = [wire.explain() for wire in wires]
    assert compared(read) == read
