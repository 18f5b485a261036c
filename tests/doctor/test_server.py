"""A configuration against the machine it is to serve on."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from fairlead.doctor.certificate import Shown
from fairlead.doctor.finding import State
from fairlead.doctor.machine import Machine
from fairlead.doctor.outside import resolved
from fairlead.doctor.ruleset import Ruleset
from fairlead.doctor.server import Report, Told, examine, look
from fairlead.reach.rules import TOOLS
from fairlead.server.settings import Announce, Certificate, Settings, TlsSettings

NOW = datetime(2026, 11, 20, tzinfo=UTC)
MACHINE = Machine(
    addresses=("127.0.0.1", "10.0.0.5", "::1", "fd00::5"), ephemeral=range(32768, 61000), descriptors=20_000
)
PLAIN = Machine(
    addresses=("127.0.0.1", "203.0.113.7"), unprivileged=1024, may_bind_all=False, descriptors=1064,
)  # fmt: skip
RULES = Ruleset((Path(__file__).parent / "ruleset.json").read_text())
OPEN = Ruleset('{"nftables": []}')
PORTS = range(61_000, 61_100)
NAMES = {"ftp.example.com": "203.0.113.7", "inner.example.com": "10.0.0.9"}


def shown(days: float = 90, *names: str, since: float = -1, **others: Any) -> Shown:
    begins = NOW + timedelta(days=since)
    return Shown(file="cert.pem", names=names, begins=begins, ends=NOW + timedelta(days=days), **others)


def report(
    machine: Machine = MACHINE,
    firewall: Ruleset | str = OPEN,
    certificates: Sequence[Shown] = (),
    **settings: Any,
) -> Report:
    settings.setdefault("listen", (("::", 21),))
    settings.setdefault("passive_ports", PORTS)
    if certificates:
        settings.setdefault("tls", TlsSettings(certificates=[Certificate("cert.pem")]))
    return examine(
        Settings(**settings), machine, firewall=firewall, certificates=certificates, now=NOW, resolve=NAMES.get
    )


def found(made: Report, subject: str) -> list[tuple[str, str]]:
    return [(each.state.value, each.text) for each in made.findings if each.subject == subject]


def has(made: Report, subject: str, state: str, text: str) -> bool:
    return any(each == state and text in said for each, said in found(made, subject))


# Listeners


@pytest.mark.parametrize(
    ("listen", "machine", "state", "text"),
    [
        (("::", 21), MACHINE, "right", "[::]:21 can be had"),
        (("10.0.0.5", 21), MACHINE, "right", "10.0.0.5:21 can be had"),
        (("192.0.2.1", 21), MACHINE, "wrong", "no address 192.0.2.1; it has 127.0.0.1, 10.0.0.5"),
        (("192.0.2.1", 21), Machine(), "right", "can be had"),
        (("localhost", 21), MACHINE, "right", "localhost:21 can be had"),
        (("::", 21), PLAIN, "wrong", "ports below 1024 need a privilege"),
        (("::", 2121), PLAIN, "right", "can be had"),
        (("::", 0), PLAIN, "right", "can be had"),
        (("10.0.0.5", 21), Machine(listening=frozenset({("0.0.0.0", 21)})), "doubtful", "somebody listens"),
        (("10.0.0.5", 21), Machine(listening=frozenset({("10.0.0.6", 21)})), "right", "can be had"),
        (("0.0.0.0", 21), Machine(listening=frozenset({("10.0.0.6", 21)})), "doubtful", "somebody listens"),
        (("127.0.0.1", 2121), MACHINE, "doubtful", "only this machine can connect"),
    ],
)
def test_where_it_listens(listen: tuple[str, int], machine: Machine, state: str, text: str) -> None:
    assert has(report(machine, listen=(listen,)), "listen", state, text)


# Passive ports


@pytest.mark.parametrize(
    ("ports", "machine", "state", "text"),
    [
        (PORTS, MACHINE, "right", "100 of the ports 61000-61099 are free"),
        (PORTS, Machine(listening=frozenset({("::", 61_005)})), "right", "99 of the ports 61000-61099 are free; 61005"),
        (
            range(61_000, 61_010),
            Machine(listening=frozenset(("::", port) for port in range(61_000, 61_007))),
            "right",
            "3 of the ports 61000-61009 are free; 61000, 61001, 61002, 61003, 61004 and others taken",
        ),
        (range(61_000, 61_001), Machine(listening=frozenset({("::", 61_000)})), "wrong", "none of the ports 61000"),
        (range(1000, 1100), PLAIN, "wrong", "ports below 1024 need a privilege"),
        (range(50_000, 50_100), MACHINE, "doubtful", "100 of the ports 50000-50099 are among 32768-60999"),
        (range(61_000, 61_005), MACHINE, "doubtful", "10 sessions may want passive ports at a time, and there are 5"),
        (range(1, 100), MACHINE, "wrong", "the control port 21 is among the passive ports"),
    ],
)
def test_the_passive_ports(ports: range, machine: Machine, state: str, text: str) -> None:
    assert has(report(machine, passive_ports=ports, max_sessions=10), "passive-ports", state, text)


def test_ports_that_the_system_leaves_out_are_free_of_its_own_calls() -> None:
    machine = Machine(ephemeral=range(32768, 61000), reserved=frozenset(range(50_000, 50_100)))
    assert found(report(machine, passive_ports=range(50_000, 50_100)), "passive-ports") == [
        ("right", "100 of the ports 50000-50099 are free")
    ]


# What clients are told


@pytest.mark.parametrize(
    ("rules", "machine", "state", "text"),
    [
        ((), MACHINE, "doubtful", "the address that they call, and this machine has no public one"),
        ((), PLAIN, "right", "all other clients: 227 names the address that they call"),
        ((Announce("", "10.0.0.0/8"), Announce("203.0.113.7")), MACHINE, "right", "10.0.0.0/8: 227 names the address"),
        ((Announce("203.0.113.7"),), PLAIN, "right", "203.0.113.7, which this machine has"),
        ((Announce("203.0.113.7"),), MACHINE, "right", "a router must forward 61000-61099 to it"),
        ((Announce("203.0.113.7", ports=range(40_000, 40_100)),), MACHINE, "right", "must forward 40000-40099"),
        ((Announce("192.168.1.1"),), MACHINE, "doubtful", "192.168.1.1, which is private"),
        ((Announce("192.168.1.1", "192.168.0.0/16"),), MACHINE, "right", "192.168.1.1, which this machine has not"),
        ((Announce("ftp.example.com"),), PLAIN, "right", "ftp.example.com, now 203.0.113.7, which this machine has"),
        ((Announce("inner.example.com"),), MACHINE, "doubtful", "now 10.0.0.9, which is private"),
        ((Announce("none.example.com"),), MACHINE, "wrong", "the name none.example.com has no IPv4 address now"),
    ],
)
def test_the_announced_places(rules: tuple[Announce, ...], machine: Machine, state: str, text: str) -> None:
    assert has(report(machine, announce=rules), "announce", state, text)


def test_what_each_network_is_told_is_listed() -> None:
    public = range(40_000, 40_100)
    rules = (Announce("", "10.0.0.0/8"), Announce("203.0.113.7", "192.0.2.0/24", public))
    assert report(announce=rules).told == (
        Told("10.0.0.0/8", "", PORTS), Told("192.0.2.0/24", "203.0.113.7", public), Told("", "", PORTS),
    )  # fmt: skip
    assert report(announce=(Announce("203.0.113.7"),)).told == (Told("", "203.0.113.7", PORTS),)


def test_names_are_those_of_the_machines_own_resolver() -> None:
    assert resolved("localhost") == "127.0.0.1"
    assert resolved("no.such.name.invalid") is None


# The firewall


def test_the_firewall_is_held_against_the_ports() -> None:
    made = report(firewall=RULES, passive_ports=range(50_000, 50_100), listen=(("::", 21), ("0.0.0.0", 22)))
    texts = found(made, "firewall")
    assert ("right", "IPv4: the control port 21 may be called, says this machine's firewall") in texts
    assert (
        "doubtful",
        "IPv4: the control port 22 may be called by some, says this machine's firewall, or not always",
    ) in texts
    assert ("wrong", "IPv6: the control port 22: calls are dropped by this machine's firewall") in texts
    assert ("right", "IPv4: the passive ports 50000-50049 may be called, says this machine's firewall") in texts
    assert ("wrong", "IPv4: the passive ports 50050-50099: calls are dropped by this machine's firewall") in texts
    assert not made.right


def test_calls_to_clients_are_held_against_it_too() -> None:
    assert has(report(firewall=RULES), "firewall", "doubtful", "calls to clients (active mode) are dropped")
    assert not has(report(firewall=RULES, active=False), "firewall", "doubtful", "calls to clients")
    assert not has(report(firewall=RULES, active_source_port=0), "firewall", "doubtful", "calls to clients")


@pytest.mark.parametrize(
    ("listen", "families"),
    [((("::", 21),), {"IPv4", "IPv6"}), ((("0.0.0.0", 21),), {"IPv4"}), ((("fd00::5", 21),), {"IPv6"})],
)
def test_only_families_that_are_served_are_looked_at(listen: tuple[tuple[str, int], ...], families: set[str]) -> None:
    assert {text[:4] for _, text in found(report(listen=listen), "firewall")} == families


def test_rules_that_cannot_be_read_are_said_to_be_unknown() -> None:
    assert found(report(firewall="who knows"), "firewall") == [("doubtful", "who knows")]


def test_nothing_outside_matters_where_only_this_machine_connects() -> None:
    made = report(firewall=RULES, listen=(("127.0.0.1", 2121),))
    assert (found(made, "firewall"), found(made, "announce"), made.router) == ([], [], None)


# Certificates


@pytest.mark.parametrize(
    ("certificate", "state", "text"),
    [
        (shown(90, "ftp.example.com"), "right", "valid until 2027-02-18, for ftp.example.com"),
        (shown(3), "doubtful", "valid only until 2026-11-23"),
        (shown(-1, since=-10), "wrong", "clients refuse it now"),
        (shown(10, since=1), "wrong", "valid from 2026-11-21 until 2026-11-30"),
        (shown(distrust="unable to get local issuer certificate"), "doubtful", "do not trust cert.pem: unable to get"),
        (shown(90, "other.example.com"), "doubtful", "no certificate is for ftp.example.com"),
    ],
)
def test_the_certificate(certificate: Shown, state: str, text: str) -> None:
    made = report(certificates=[certificate], names=("ftp.example.com",), announce=(Announce("203.0.113.7"),))
    assert has(made, "certificate", state, text)


def test_an_announced_address_needs_no_certificate_where_there_is_a_name() -> None:
    made = report(
        certificates=[shown(90, "ftp.example.com")], names=("ftp.example.com",), announce=(Announce("203.0.113.7"),)
    )
    assert len(found(made, "certificate")) == 1
    assert has(
        report(certificates=[shown(90, "x")], announce=(Announce("203.0.113.7"),)), "certificate", "doubtful", "for 203"
    )


def test_without_tls_all_goes_in_clear() -> None:
    assert found(report(), "certificate") == [("doubtful", "there is no TLS: passwords and files go in clear")]


# Privileges and limits


def test_active_mode_from_port_20_needs_a_privilege() -> None:
    assert has(report(PLAIN), "active", "doubtful", "cannot call from port 20")
    assert not found(report(PLAIN, active=False), "active")
    assert not found(report(PLAIN, active_source_port=0), "active")
    assert not found(report(), "active")


@pytest.mark.parametrize(
    ("machine", "settings", "expected"),
    [
        (PLAIN, {}, [("right", "there are descriptors for some 500 sessions with transfers")]),
        (PLAIN, {"workers": 2}, [("right", "there are descriptors for some 1000 sessions with transfers")]),
        (
            PLAIN,
            {"max_sessions": 600},
            [("wrong", "600 sessions need some 1264 descriptors in each process, and it may have 1064")],
        ),
        (Machine(), {}, []),
    ],
)
def test_descriptors_are_enough_for_the_sessions(
    machine: Machine, settings: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    assert found(report(machine, **settings), "descriptors") == expected


# The rules and the report


@pytest.mark.parametrize(
    ("machine", "settings", "inside"),
    [
        (MACHINE, {}, "10.0.0.5"),
        (MACHINE, {"listen": (("10.0.0.6", 21),)}, "10.0.0.6"),
        (PLAIN, {}, None),
        (PLAIN, {"announce": (Announce("198.51.100.1"),)}, "203.0.113.7"),
        (Machine(), {}, None),
    ],
)
def test_a_router_forwards_to_the_machine_where_addresses_are_translated(
    machine: Machine, settings: dict[str, Any], inside: str | None
) -> None:
    router = report(machine, **settings).router
    assert router is not None
    assert {forward.host for forward in router.forwards} == (set() if inside is None else {inside})


def test_the_report_is_json_with_the_rules_for_every_firewall() -> None:
    made = report(announce=(Announce("203.0.113.7"),))
    document = json.loads(json.dumps(made.document()))
    assert document["right"]
    assert document["told"] == [{"clients": "", "address": "203.0.113.7", "ports": "61000-61099"}]
    assert set(document["host"]) == set(document["router"]) == set(TOOLS)
    assert {finding["state"] for finding in document["findings"]} <= {state.value for state in State}
    assert report(listen=(("127.0.0.1", 2121),)).document()["router"] is None


def test_this_machine_can_be_looked_at() -> None:
    made = look(Settings(listen=(("127.0.0.1", 0),)))
    assert made.right
    assert found(made, "listen")
