from __future__ import annotations

import pytest

from fairlead.reach.rules import Opening, Place
from fairlead.reach.rules.needs import MODES, Listener, Offer, at_router, client_side, server_side

PASSIVE = range(50000, 50010)
OFFER = Offer((Listener(21),), PASSIVE, sources=(range(20, 21),))


def told(openings: tuple[Opening, ...]) -> list[tuple[str, bool, range, int | None]]:
    return [(each.purpose.split(" ")[0], each.inbound, each.ports, each.family) for each in openings]


@pytest.mark.parametrize(
    ("modes", "data"),
    [
        (["epsv"], [("passive", True, PASSIVE, None)]),
        (["pasv"], [("passive", True, PASSIVE, 4)]),
        (["eprt"], [("active", False, range(1024, 65536), None)]),
        (["port"], [("active", False, range(1024, 65536), 4)]),
        (MODES, [("passive", True, PASSIVE, None), ("active", False, range(1024, 65536), None)]),
    ],
)
def test_the_server_needs_its_control_port_and_what_the_mode_calls(
    modes: list[str], data: list[tuple[str, bool, range, int | None]]
) -> None:
    rules = server_side(OFFER, modes)
    assert rules.place is Place.HOST
    assert told(rules.openings) == [("control", True, range(21, 22), None), *data]


def test_the_client_needs_the_same_the_other_way_round() -> None:
    rules = client_side(OFFER, MODES, range(40000, 40010), server="203.0.113.21")
    assert told(rules.openings) == [
        ("control", False, range(21, 22), None),
        ("passive", False, PASSIVE, None),
        ("active", True, range(40000, 40010), None),
    ]
    assert {each.remote for each in rules.openings} == {"203.0.113.21"}
    assert rules.openings[2].source_ports == range(20, 21)


def test_the_client_calls_the_ports_that_a_router_has_for_the_servers() -> None:
    offer = Offer((Listener(21),), PASSIVE, (range(40000, 40010),))
    assert client_side(offer, ["epsv"]).openings[1].ports == range(40000, 40010)


def test_a_server_that_calls_nobody_needs_no_way_out() -> None:
    offer = Offer((Listener(21),), PASSIVE, active=False)
    assert [each.inbound for each in server_side(offer, MODES).openings] == [True, True]
    assert [each.inbound for each in client_side(offer, MODES).openings] == [False, False]


def test_the_helper_stands_in_for_the_data_ports_where_it_can_read() -> None:
    offer = Offer((Listener(21), Listener(990, tls=True)), PASSIVE)
    rules = server_side(offer, MODES, helper=True)
    assert [each.ports for each in rules.openings] == [range(21, 22), range(990, 991)]
    assert rules.helper_ports == (21,)


def test_passive_ports_are_those_of_the_addresses_that_listen() -> None:
    offer = Offer((Listener(21, "192.0.2.1", 4), Listener(21, "2001:db8::1", 6)), PASSIVE)
    passive = [each for each in server_side(offer, ["epsv"]).openings if each.ports == PASSIVE]
    assert [(each.host, each.family) for each in passive] == [("192.0.2.1", 4), ("2001:db8::1", 6)]
    passive = [each for each in server_side(offer, ["pasv"]).openings if each.ports == PASSIVE]
    assert [(each.host, each.family) for each in passive] == [("192.0.2.1", 4)]


def test_a_router_forwards_what_it_translates_and_lets_out_the_rest() -> None:
    rules = at_router(server_side(OFFER, MODES), "10.1.1.21", translated=True)
    assert rules.place is Place.ROUTER
    assert [(each.ports, each.host, each.to) for each in rules.forwards] == [
        (range(21, 22), "10.1.1.21", range(21, 22)),
        (PASSIVE, "10.1.1.21", PASSIVE),
    ]
    assert told(rules.openings) == [("active", False, range(1024, 65536), None)]


def test_a_router_that_translates_nothing_lets_in_calls_of_one_machine() -> None:
    rules = at_router(server_side(OFFER, ["epsv"]), "2001:db8::21")
    assert rules.forwards == ()
    assert {each.host for each in rules.openings} == {"2001:db8::21"}


def test_a_router_may_have_other_ports() -> None:
    offer = Offer((Listener(21),), PASSIVE, (range(40000, 40010),))
    rules = at_router(server_side(offer, ["epsv"]), "10.1.1.21", translated=True, offer=offer)
    assert [(each.ports, each.to) for each in rules.forwards][1] == (range(40000, 40010), PASSIVE)


def test_rules_of_a_family_that_the_machine_has_not_are_left_out() -> None:
    assert told(at_router(server_side(OFFER, ["port"]), "2001:db8::21").openings) == [
        ("control", True, range(21, 22), None)
    ]


def test_a_server_calls_from_a_port_for_each_of_its_listeners() -> None:
    offer = Offer((Listener(21), Listener(990, tls=True)), PASSIVE, sources=(range(20, 21), range(989, 990)))
    assert [each.source_ports for each in server_side(offer, ["port"]).openings if not each.inbound] == [
        range(20, 21),
        range(989, 990),
    ]
    assert [each.source_ports for each in client_side(offer, ["port"]).openings if each.inbound] == [
        range(20, 21),
        range(989, 990),
    ]
