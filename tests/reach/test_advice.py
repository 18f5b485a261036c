"""Advice: by owner, in the order of least effort, with settings that can be used as they stand."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from fairlead.cli import parser_of
from fairlead.config.loader import load
from fairlead.reach.advice import Advice, Finding, Surroundings, advise, best, range_of
from fairlead.reach.cause import Cause
from fairlead.reach.explanations import Owner
from fairlead.reach.products import CLIENTS, NETWORKS, SERVERS, TITLES

MODES = ("EPSV", "PASV", "EPRT", "PORT")
OPEN = Surroundings(server={4: "203.0.113.21", 6: "2001:db8:5::21"}, client={4: "198.51.100.10"}, ports=(50003, 50017))
ROUTERS = Surroundings(
    server={4: "203.0.113.130", 6: "2001:db8:5::21"},
    client={4: "192.168.1.10", 6: "2001:db8:c::10"},
    inside="10.1.1.21",
    announced="10.1.1.21",
    outside="192.0.2.2",
    ports=(50003, 50017),
    closed=True,
    offers_tls=True,
)
AROUND = {"open": OPEN, "routers": ROUTERS, "unknown": Surroundings()}


def all_advice() -> Iterator[Advice]:
    """What is advised for each cause in each mode and family, in different surroundings."""
    for around in AROUND.values():
        for cause in Cause:
            for mode in MODES:
                for family in (4, 6):
                    if family == 6 and mode in {"PASV", "PORT"}:
                        continue
                    yield from advise([Finding(cause=cause, mode=mode, family=family)], around)
    yield from advise([Finding(cause=Cause.OK, mode=mode) for mode in MODES] + [Finding(cause=Cause.TLS_REQUIRED)])


ADVICE = {(each.owner, each.text, tuple(each.settings.items())): each for each in all_advice()}.values()


def settings(product: str) -> list[tuple[Owner, str]]:
    return sorted({(each.owner, each.settings[product]) for each in ADVICE if product in each.settings})


@pytest.mark.parametrize(("owner", "line"), settings("fairlead"))
def test_options_for_fairlead_are_options_that_it_has(owner: Owner, line: str) -> None:
    verb = "serve" if owner is Owner.SERVER else "ls"
    arguments = [] if verb == "serve" else ["ftp://localhost/"]

    parsed, unknown = parser_of(verb, alone=False).parse_known_args([verb, *shlex.split(line), *arguments])

    assert unknown == []
    assert parsed.verb == verb


@pytest.mark.parametrize(("owner", "text"), settings("fairlead-config"))
def test_lines_for_fairleads_configuration_are_a_configuration(tmp_path: Path, owner: Owner, text: str) -> None:
    file = tmp_path / "fairlead.toml"
    file.write_text(text)

    load(str(file))

    assert owner is Owner.SERVER


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("nft") is None, reason="needs root and the package nftables")
@pytest.mark.parametrize(("_owner", "text"), settings("nftables"))
def test_rules_for_nftables_load_as_they_stand(_owner: Owner, text: str) -> None:
    nft = shutil.which("nft")
    assert nft is not None

    done = subprocess.run(
        ["unshare", "--net", nft, "--file", "-"], input=text, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr


def test_settings_are_for_products_that_have_a_name() -> None:
    assert {product for each in ADVICE for product in each.settings} <= set(TITLES)
    assert set(TITLES) == {*SERVERS, *NETWORKS, *CLIENTS}


def test_closed_ports_are_opened_and_set_on_every_server_and_firewall() -> None:
    advised = advise([Finding(cause=Cause.PASSIVE_DROPPED, mode="EPSV")], OPEN)

    by_owner = {each.owner: set(each.settings) for each in advised}
    assert by_owner[Owner.SERVERS_NETWORK] == set(NETWORKS)
    assert by_owner[Owner.SERVER] == set(SERVERS)


def test_advice_comes_in_the_order_of_least_effort() -> None:
    advised = advise(
        [Finding(cause=Cause.OK, mode="PORT"), *(Finding(cause=Cause.PASSIVE_DROPPED, mode=each) for each in MODES)],
        ROUTERS,
    )

    owners = [each.owner for each in advised]
    assert owners == sorted(owners, key=list(Owner).index)
    assert advised[0].settings["fairlead"] == "--mode port"


def test_nothing_is_advised_where_all_is_well_or_not_offered() -> None:
    assert advise([Finding(cause=Cause.OK, mode="EPSV"), Finding(cause=Cause.FAMILY_UNSUPPORTED, mode="PASV")]) == ()
    assert advise([]) == ()


def test_ports_behind_a_router_are_forwarded_to_the_address_that_227_told() -> None:
    found = [Finding(cause=Cause.PASSIVE_DROPPED, mode="EPSV", family=family) for family in (4, 6)]

    text = next(each for each in advise(found, ROUTERS) if each.owner is Owner.SERVERS_NETWORK).settings["nftables"]

    assert "dnat ip to 10.1.1.21" in text
    assert "ip6 daddr 2001:db8:5::21 tcp dport 50000-50099" in text


def test_a_closed_range_is_spoken_of_once_whatever_the_causes() -> None:
    found = [
        Finding(cause=Cause.PASSIVE_DROPPED, mode="EPSV"),
        Finding(cause=Cause.PASSIVE_PRIVATE_ADDRESS, mode="PASV"),
        Finding(cause=Cause.HELPER_BLIND, mode="EPSV", private=True),
    ]

    advised = advise(found, ROUTERS)

    assert [each.owner for each in advised].count(Owner.SERVERS_NETWORK) == 1
    assert any("Announce 203.0.113.130 in place of 10.1.1.21" in each.text for each in advised)


def test_an_address_alone_needs_no_ports() -> None:
    around = Surroundings(server={4: "203.0.113.130"}, announced="10.1.1.21", ports=(50003,))

    advised = advise([Finding(cause=Cause.PASSIVE_PRIVATE_ADDRESS, mode="PASV")], around)

    assert [each.owner for each in advised] == [Owner.SERVER]
    assert advised[0].settings["vsftpd"] == "pasv_address=203.0.113.130"


def test_a_client_behind_a_router_announces_the_routers_address_and_forwards() -> None:
    advised = {each.owner: each for each in advise([Finding(cause=Cause.ACTIVE_PRIVATE_ADDRESS, mode="PORT")], ROUTERS)}

    assert advised[Owner.YOU].settings["fairlead"] == "--active-ports 40000-40099 --active-address 192.0.2.2"
    assert "dnat ip to 192.168.1.10" in advised[Owner.YOUR_NETWORK].settings["nftables"]


def test_what_works_under_tls_only_is_advised_with_tls() -> None:
    found = [Finding(cause=Cause.OK, mode="EPSV", private=True), Finding(cause=Cause.PASSIVE_REWRITTEN, mode="EPSV")]

    first = advise(found, ROUTERS)[0]

    assert first.text == "Use EPSV under TLS, which works from here."
    assert first.settings["curl"] == "--ftp-pasv --ssl-reqd"


def test_the_best_way_is_passive_and_under_tls() -> None:
    ways = [Finding(cause=Cause.OK, mode=mode, private=private) for mode in MODES[::-1] for private in (False, True)]

    assert best(ways) == Finding(cause=Cause.OK, mode="EPSV", private=True)
    assert best([]) is None


def test_an_active_way_under_tls_is_better_than_a_passive_one_in_clear() -> None:
    found = [
        Finding(cause=Cause.OK, mode="EPSV"),
        Finding(cause=Cause.HELPER_BLIND, mode="EPSV", private=True),
        Finding(cause=Cause.OK, mode="EPRT", private=True),
    ]

    assert advise(found, OPEN)[0].settings["fairlead"] == "--mode eprt --tls require"


def test_what_works_in_clear_only_is_advised_with_a_warning() -> None:
    found = [
        Finding(cause=Cause.OK, mode="EPSV"),
        Finding(cause=Cause.HELPER_BLIND, mode="EPSV", private=True),
    ]

    first = advise(found, OPEN)[0]

    assert "in clear" in first.text
    assert first.settings["fairlead"] == "--mode epsv --tls off"


@pytest.mark.parametrize(
    ("ports", "expected"),
    [
        ((), range(50000, 50100)),
        ((50003, 50017), range(50000, 50100)),
        ((50003, 50217), range(50000, 50300)),
        ((32768, 60999), range(32700, 33700)),
        ((1030,), range(1024, 1100)),
        ((65535,), range(65500, 65536)),
    ],
)
def test_a_range_to_open_is_round_and_no_wider_than_need_be(ports: tuple[int, ...], expected: range) -> None:
    assert range_of(ports) == expected


def test_behind_a_translator_of_families_the_server_has_ipv4() -> None:
    found = [Finding(cause=Cause.PASSIVE_DROPPED, mode="EPSV", family=6)]
    around = Surroundings(server={6: "64:ff9b::cb00:7182"}, mapped=True, ports=(50003,))

    plain = next(each for each in advise(found, around) if each.owner is Owner.SERVERS_NETWORK)
    routed = next(
        each for each in advise(found, replace(around, inside="10.1.1.21")) if each.owner is Owner.SERVERS_NETWORK
    )

    assert "ip6" not in plain.settings["nftables"]
    assert "dnat ip to 10.1.1.21" in routed.settings["nftables"]
