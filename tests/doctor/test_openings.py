"""What must pass between a server and its clients."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from fairlead.doctor.openings import host_rules, offer_of, router_rules
from fairlead.reach.rules import Forward, Opening, Place
from fairlead.reach.rules.needs import CALLED
from fairlead.server.settings import Announce, Settings, TlsSettings

PORTS = range(50_000, 50_100)
PUBLIC = range(40_000, 40_100)
INSIDE = "10.0.0.5"
OUT = Opening(purpose="active data connections", inbound=False, ports=CALLED, source_ports=range(20, 21))


def control(port: int, **others: Any) -> Opening:
    tls = " under TLS" if port == 990 else ""
    return Opening(purpose=f"control connections{tls}", inbound=True, ports=range(port, port + 1), **others)


def data(**others: Any) -> Opening:
    return Opening(purpose="passive data connections", inbound=True, ports=PORTS, **others)


def settings(*listen: tuple[str, int], **others: Any) -> Settings:
    return Settings(listen=listen, passive_ports=PORTS, **others)


@pytest.mark.parametrize(
    ("made", "openings"),
    [
        (settings(("::", 21)), (control(21), data(), OUT)),
        (settings(("0.0.0.0", 21)), (control(21, family=4), data(family=4), OUT)),
        (settings(("0.0.0.0", 21), ("::", 21)), (control(21, family=4), control(21), data(), OUT)),
        (
            settings(("10.0.0.5", 21), ("fd00::5%eth0", 21)),
            (
                control(21, family=4, host="10.0.0.5"),
                control(21, family=6, host="fd00::5"),
                data(family=4, host="10.0.0.5"),
                data(family=6, host="fd00::5"),
                OUT,
            ),
        ),
        (settings(("localhost", 21), active=False), (control(21), data())),
        (settings(("::", 0), active=False), (data(),)),
        (
            settings(("::", 21), tls=TlsSettings(implicit=(("::", 990), ("::", 990))), active=False),
            (control(21), control(990), data()),
        ),
    ],
)
def test_the_machine_lets_in_what_the_server_listens_on(made: Settings, openings: tuple[Opening, ...]) -> None:
    rules = host_rules(made)
    assert rules.place is Place.HOST
    assert rules.openings == openings


@pytest.mark.parametrize(
    ("announce", "public"),
    [
        ((), (PORTS,)),
        ((Announce("203.0.113.7"),), (PORTS,)),
        ((Announce("", "10.0.0.0/8"), Announce("203.0.113.7", ports=PUBLIC)), (PUBLIC,)),
        ((Announce("", "192.0.2.0/24", PUBLIC), Announce("203.0.113.7")), (PUBLIC, PORTS)),
        ((Announce("", "127.0.0.0/8"),), (PORTS,)),
    ],
)
def test_a_router_forwards_ipv4_and_lets_ipv6_through(announce: tuple[Announce, ...], public: tuple[range]) -> None:
    rules = router_rules(settings(("::", 21), announce=announce), INSIDE)
    assert rules.place is Place.ROUTER
    assert rules.openings == (
        replace(OUT, family=4, host=INSIDE), control(21, family=6), data(family=6), replace(OUT, family=6),
    )  # fmt: skip
    assert rules.forwards == (
        Forward(purpose="control connections", ports=range(21, 22), host=INSIDE, to=range(21, 22)),
        *(Forward(purpose="passive data connections", ports=ports, host=INSIDE, to=PORTS) for ports in public),
    )


def test_a_router_that_translates_nothing_lets_all_through() -> None:
    made = settings(("::", 21))
    assert router_rules(made, "").openings == host_rules(made).openings
    assert not router_rules(made, "").forwards


@pytest.mark.parametrize(
    ("made", "sources"),
    [
        (settings(("::", 21)), [20]),
        (settings(("::", 21), ("::", 22)), [20, 21]),
        (settings(("::", 21), tls=TlsSettings(implicit=(("::", 990),))), [20, 989]),
        (settings(("::", 21), active_source_port=0), []),
        (settings(("::", 21), active_source_port=2020), [2020]),
        (settings(("::", 0)), []),
    ],
)
def test_active_connections_leave_from_ports_that_may_be_known(made: Settings, sources: list[int]) -> None:
    assert offer_of(made).sources == tuple(range(port, port + 1) for port in sources)
