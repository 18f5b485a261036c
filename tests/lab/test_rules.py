"""Rules as they are printed open the way for their mode, and for nothing else."""

from __future__ import annotations

import contextlib
import shutil
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from fairlead.reach.rules import RuleSet, render
from fairlead.reach.rules.needs import EPHEMERAL, Listener, Offer, at_router, client_side, server_side
from lab.addresses import CONTROL_PORT, PASSIVE_PORTS, REMAPPED_PORTS, Host
from lab.expected import Cell, Mode
from lab.laboratory import Lab
from lab.probe import Met, attempt
from lab.servers import FAIRLEAD, Protection, served
from lab.topologies import topology

pytestmark = pytest.mark.usefixtures("laboratory")

OFFER = Offer((Listener(CONTROL_PORT),), PASSIVE_PORTS, sources=(range(20, 21),))
CLOSED = """
table inet filter {
    chain input {
        type filter hook input priority filter; policy drop;
        ct state established accept
        meta l4proto { icmp, ipv6-icmp } accept
    }
    chain output {
        type filter hook output priority filter; policy drop;
        ct state established accept
        meta l4proto { icmp, ipv6-icmp } accept
    }
}
"""
"""A machine that lets nothing through but what is open already."""
MODES = [mode.value.lower() for mode in Mode]


def works(lab: Lab, mode: str, *, family: int = 4, private: bool = False) -> bool:
    cell = Cell(Mode(mode.upper()), 6 if family == 6 else 4, private)
    try:
        return attempt(lab, cell, patience=0.7, control_patience=1.5).met is Met.OK
    except OSError:
        return False


def modes_that_work(lab: Lab, *, family: int = 4, private: bool = False) -> set[str]:
    with ThreadPoolExecutor(len(MODES)) as threads:
        working = threads.map(lambda mode: works(lab, mode, family=family, private=private), MODES)
        return {mode for mode, works_now in zip(MODES, working, strict=True) if works_now}


@contextlib.contextmanager
def listening(lab: Lab, host: Host, port: int) -> Iterator[None]:
    """A program that accepts whatever is let through."""
    listener = lab.inside(host, lambda: socket.create_server(("", port)))
    with listener:
        yield


def reaches(lab: Lab, host: Host, target: tuple[str, int], *, source: int = 0) -> bool:
    def call() -> bool:
        try:
            socket.create_connection(target, timeout=0.5, source_address=("", source)).close()
        except OSError:
            return False
        return True

    return lab.inside(host, call)


def needs_iptables() -> None:
    if shutil.which("iptables") is None:
        pytest.skip("needs the Debian package iptables")


def with_nft(lab: Lab, host: Host, rules: RuleSet) -> None:
    lab.nft(host, render("nftables", rules))


def with_iptables(lab: Lab, host: Host, rules: RuleSet) -> None:
    done = lab.run(host, ["sh", "-ec", render("iptables", rules)])
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("mode", MODES)
def test_rules_of_the_server_let_their_mode_through_and_no_other(mode: str) -> None:
    with Lab(topology("open")) as lab, served(lab, "fairlead", Protection.CLEAR):
        lab.nft(Host.SERVER, CLOSED)
        assert modes_that_work(lab) == set()

        with_nft(lab, Host.SERVER, server_side(OFFER, [mode]))

        alike = {"epsv", "pasv"} if mode in {"epsv", "pasv"} else {"eprt", "port"}
        assert modes_that_work(lab) == alike
        assert modes_that_work(lab, family=6) == ({mode} if mode in {"epsv", "eprt"} else set())
        with listening(lab, Host.SERVER, 2222), listening(lab, Host.CLIENT, 40000):
            assert not reaches(lab, Host.CLIENT, (lab.plan.server, 2222))
            assert not reaches(lab, Host.SERVER, (lab.plan.client, 40000))


@pytest.mark.parametrize("mode", MODES)
def test_rules_of_the_client_let_their_mode_through_and_no_other(mode: str) -> None:
    with Lab(topology("open")) as lab, served(lab, "fairlead", Protection.CLEAR):
        lab.nft(Host.CLIENT, CLOSED)
        assert modes_that_work(lab) == set()

        with_nft(lab, Host.CLIENT, client_side(OFFER, [mode], server=lab.plan.server))

        alike = {"epsv", "pasv"} if mode in {"epsv", "pasv"} else {"eprt", "port"}
        assert modes_that_work(lab) == alike
        with listening(lab, Host.CLIENT, EPHEMERAL[0]), listening(lab, Host.SERVER, 2222):
            assert not reaches(lab, Host.CLIENT, (lab.plan.server, 2222))
            assert not reaches(lab, Host.SERVER, (lab.plan.client, EPHEMERAL[0]), source=2020)


def test_iptables_rules_do_the_same() -> None:
    needs_iptables()
    with Lab(topology("open")) as lab, served(lab, "fairlead", Protection.CLEAR):
        closed = "\n".join(
            f"{program} -P {chain} DROP" for program in ("iptables", "ip6tables") for chain in ("INPUT", "OUTPUT")
        )
        # Neighbours are found by ICMPv6.
        neighbours = "\n".join(f"ip6tables -A {chain} -p icmpv6 -j ACCEPT" for chain in ("INPUT", "OUTPUT"))
        assert lab.run(Host.SERVER, ["sh", "-ec", f"{closed}\n{neighbours}"]).returncode == 0
        assert modes_that_work(lab) == set()

        with_iptables(lab, Host.SERVER, server_side(OFFER, ["epsv"]))

        assert modes_that_work(lab) == {"epsv", "pasv"}
        assert modes_that_work(lab, family=6) == {"epsv"}
        with listening(lab, Host.SERVER, 2222):
            assert not reaches(lab, Host.CLIENT, (lab.plan.server, 2222))


Apply = Callable[[Lab, Host, RuleSet], None]


@pytest.mark.parametrize("name", ["server-firewall", "server-firewall-reject", "server-firewall-range"])
def test_rules_of_the_servers_router_open_the_passive_range(name: str) -> None:
    with Lab(topology(name)) as lab, served(lab, "fairlead", Protection.CLEAR):
        with_nft(lab, Host.OFFICE, at_router(server_side(OFFER, ["epsv"]), lab.plan.server))

        assert all(works(lab, "pasv") for _ in range(5))
        with listening(lab, Host.SERVER, 2222), listening(lab, Host.SERVER, PASSIVE_PORTS[-1] + 1):
            assert not reaches(lab, Host.CLIENT, (lab.plan.server, 2222))
            assert not reaches(lab, Host.CLIENT, (lab.plan.server, PASSIVE_PORTS[-1] + 1))


def test_rules_of_the_servers_router_let_its_calls_out() -> None:
    with Lab(topology("server-egress")) as lab, served(lab, "fairlead", Protection.CLEAR):
        assert modes_that_work(lab) == {"epsv", "pasv"}

        with_nft(lab, Host.OFFICE, at_router(server_side(OFFER, ["port"]), lab.plan.server))

        assert modes_that_work(lab) == set(MODES)
        with listening(lab, Host.CLIENT, 40000):
            assert not reaches(lab, Host.SERVER, (lab.plan.client, 40000), source=2020)


@pytest.mark.parametrize("apply", [with_nft, with_iptables])
def test_rules_of_the_servers_router_forward_what_it_translates(apply: Apply) -> None:
    if apply is with_iptables:
        needs_iptables()
    with Lab(topology("server-nat-control")) as lab:
        public = lab.plan.public
        if apply is with_iptables:  # an accept of one table does not keep another from dropping
            lab.nft(Host.OFFICE, "flush chain inet filter forward; add chain inet filter forward { policy accept; }")
            assert lab.run(Host.OFFICE, ["iptables", "-P", "FORWARD", "DROP"]).returncode == 0
        with served(lab, "fairlead", Protection.CLEAR, ["--public-address", public]):
            assert not works(lab, "epsv")

            apply(lab, Host.OFFICE, at_router(server_side(OFFER, ["epsv"]), lab.plan.server, translated=True))

            assert {mode for mode in ("epsv", "pasv") if works(lab, mode)} == {"epsv", "pasv"}
            with listening(lab, Host.SERVER, 2222):
                assert not reaches(lab, Host.CLIENT, (public, 2222))


@pytest.mark.parametrize("apply", [with_nft, with_iptables])
def test_rules_of_the_servers_router_map_other_ports_one_by_one(apply: Apply) -> None:
    if apply is with_iptables:
        needs_iptables()
    with Lab(topology("server-nat-control")) as lab:
        if apply is with_iptables:
            lab.nft(Host.OFFICE, "flush chain inet filter forward; add chain inet filter forward { policy accept; }")
            assert lab.run(Host.OFFICE, ["iptables", "-P", "FORWARD", "DROP"]).returncode == 0
        mapped = Offer((Listener(CONTROL_PORT),), PASSIVE_PORTS, (REMAPPED_PORTS,), sources=(range(20, 21),))
        rules = at_router(server_side(mapped, ["epsv"]), lab.plan.server, translated=True, offer=mapped)
        apply(lab, Host.OFFICE, rules)
        with contextlib.ExitStack() as stack:
            for port in (PASSIVE_PORTS[0], PASSIVE_PORTS[7]):
                stack.enter_context(listening(lab, Host.SERVER, port))
            public = [port for port in REMAPPED_PORTS if reaches(lab, Host.CLIENT, (lab.plan.public, port))]
        assert public == [REMAPPED_PORTS[0], REMAPPED_PORTS[7]]


def test_rules_of_the_clients_router_let_the_servers_call_in() -> None:
    with Lab(topology("client-firewall")) as lab, served(lab, "fairlead", Protection.CLEAR):
        assert modes_that_work(lab) == {"epsv", "pasv"}

        with_nft(lab, Host.HOME, at_router(client_side(OFFER, ["eprt"], server=lab.plan.server), lab.plan.client))

        assert modes_that_work(lab) == set(MODES)
        with listening(lab, Host.CLIENT, 40000):
            assert not reaches(lab, Host.SERVER, (lab.plan.client, 40000), source=2020)
            assert not reaches(lab, Host.SERVER, (lab.plan.client, 2222), source=20)


def test_the_helper_opens_the_way_in_clear_and_is_blind_under_tls() -> None:
    with Lab(topology("server-firewall")) as lab, served(lab, "fairlead", Protection.OFFERED):
        with_nft(lab, Host.OFFICE, at_router(server_side(OFFER, MODES, helper=True), lab.plan.server))

        assert modes_that_work(lab) == set(MODES)
        assert not works(lab, "epsv", private=True)
        with listening(lab, Host.SERVER, PASSIVE_PORTS[0]):
            assert not reaches(lab, Host.CLIENT, (lab.plan.server, PASSIVE_PORTS[0]))


def test_what_the_command_line_prints_can_be_loaded_as_it_is() -> None:
    with Lab(topology("server-nat-control")) as lab:
        public = lab.plan.public
        with served(lab, "fairlead", Protection.CLEAR, ["--public-address", public]):
            ports = f"{PASSIVE_PORTS[0]}-{PASSIVE_PORTS[-1]}"
            words: list[str | Path] = [FAIRLEAD, "firewall", "--passive-ports", ports, "--mode", "pasv"]
            words += ["--place", "router", "--inside-address", lab.plan.server, "--public-address", public]
            printed = lab.run(Host.OFFICE, [*words, "--tool", "nftables"])
            assert printed.returncode == 0, printed.stderr

            lab.nft(Host.OFFICE, printed.stdout)
            lab.nft(Host.OFFICE, printed.stdout)  # also a second time

            assert works(lab, "pasv")
