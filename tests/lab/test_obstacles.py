"""What routers are told, as text; no rights are needed for that."""

from __future__ import annotations

import pytest

from lab.addresses import ROUTERS, Host
from lab.topologies import TOPOLOGIES, Topology, topology


def test_nothing_stands_in_the_way_where_nothing_is_declared() -> None:
    assert [TOPOLOGIES["open"].rules(host) for host in ROUTERS] == ["", "", ""]


def test_a_firewall_is_one_table_with_the_usual_chains() -> None:
    rules = TOPOLOGIES["server-firewall"].rules(Host.OFFICE)
    assert "table inet filter {" in rules
    assert "type filter hook forward priority filter; policy drop;" in rules
    assert 'iifname "wan" tcp dport { 21 } accept' in rules


def test_a_router_that_remaps_pairs_each_public_port_with_one_of_the_server() -> None:
    rules = TOPOLOGIES["server-nat-remap"].rules(Host.OFFICE)
    assert "dnat to 10.1.1.21 : tcp dport map { 40000 : 50000, 40001 : 50001," in rules


def test_obstacles_at_one_router_make_one_firewall_together() -> None:
    rules = topology("office-firewall+office-egress+office-helper").rules(Host.OFFICE)
    assert rules.count("table inet filter") == 1
    assert 'iifname "lan" accept' not in rules
    assert "ct helper ftp-ip6" in rules


def test_two_obstacles_that_decide_the_same_thing_do_not_go_together() -> None:
    with pytest.raises(ValueError, match="two obstacles decide about inbound at office"):
        topology("office-firewall+office-firewall-reject")


def test_an_obstacle_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(KeyError):
        _ = topology("office-dragon")


def test_only_the_side_of_a_nat_has_private_addresses() -> None:
    plan = TOPOLOGIES["client-nat"].plan
    assert (plan.client, plan.server, plan.public) == ("192.168.1.10", "203.0.113.21", "203.0.113.21")
    plan = TOPOLOGIES["server-nat-right"].plan
    assert (plan.client, plan.server, plan.public) == ("198.51.100.10", "10.1.1.21", "203.0.113.130")


def test_the_name_of_the_server_leads_where_the_client_can_go() -> None:
    assert TOPOLOGIES["open"].plan.names == ("2001:db8:5::21", "203.0.113.21")
    assert TOPOLOGIES["ipv6-only"].plan.names == ("2001:db8:5::21",)
    assert TOPOLOGIES["nat64-like"].plan.names == ("64:ff9b::cb00:7115",)


def test_a_topology_says_what_stands_in_the_way() -> None:
    assert Topology("here", ("home-nat", "lossy")).says == (
        "home router masquerades, and lets nobody in; 3 % of all packets are lost"
    )
