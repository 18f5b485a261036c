"""Our client by itself: a listing arrives wherever any mode can work, whatever stands in the way."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from fairlead.client.settings import TlsSetting
from fairlead.client.sync import Client
from fairlead.errors import DataConnectionError
from lab.addresses import SERVER_NAME, Host
from lab.compose import compose
from lab.expected import Family, cells, families, works
from lab.laboratory import Lab
from lab.listing import PASSWORD, URL, USER
from lab.servers import FAIRLEAD, Protection, Unavailable, served
from lab.topologies import TOPOLOGIES, Topology, topology

pytestmark = pytest.mark.usefixtures("laboratory")
PROTECTIONS = (Protection.CLEAR, Protection.REQUIRED)
OTHERS = ("vsftpd", "proftpd")
BOUND = 15.0
"""Seconds: far more than it takes, since this machine may be busy; ``make lab`` prints what it took."""


@dataclass(frozen=True, slots=True)
class Visit:
    """What came of a session over one family."""

    family: Family
    listed: bool
    seconds: float
    said: str


def visit(lab: Lab, family: Family, protection: Protection) -> Visit:
    """List the directory from the client of ``lab``."""
    address = next(name for name in lab.plan.names if (":" in name) == (family == 6))
    url = f"ftp://[{address}]" if family == 6 else f"ftp://{address}"

    def session() -> Visit:
        tls: TlsSetting = "require" if protection.tls else "off"
        with Client(url, user=USER, password=PASSWORD, tls=tls, insecure=True) as ftp:
            began = time.monotonic()
            try:
                listed, said = bool(ftp.scandir()), ""
            except DataConnectionError as error:
                listed, said = False, str(error)
            return Visit(family, listed, time.monotonic() - began, said)

    return lab.inside(Host.CLIENT, session)


def surprises(where: Topology, server: str, protection: Protection) -> Sequence[str]:
    """Where a listing did not arrive although a mode works, or late, or although none does."""
    try:
        with Lab(where) as lab, served(lab, server, protection), ThreadPoolExecutor(2) as threads:
            visits = list(threads.map(lambda family: visit(lab, family, protection), families(where)))
    except Unavailable as reason:
        pytest.skip(str(reason))
    found = []
    for seen in visits:
        known = {works(where, cell) for cell in cells(where, private=protection.tls) if cell.family == seen.family}
        may, must = known != {False}, True in known or None in known
        if (must and not seen.listed) or (seen.listed and not may) or seen.seconds > BOUND:
            found.append(f"{where.name}, {server}, {protection}: {seen}")
    return found


@pytest.mark.parametrize("protection", PROTECTIONS)
@pytest.mark.parametrize("name", TOPOLOGIES)
def test_listing_arrives_wherever_any_mode_works(name: str, protection: Protection) -> None:
    assert surprises(TOPOLOGIES[name], "fairlead", protection) == []


@pytest.mark.parametrize(
    ("name", "server", "protection"),
    [
        (name, OTHERS[number // 2 % 2], PROTECTIONS[number % 2])
        for number, name in enumerate((*TOPOLOGIES, "home-firewall+office-firewall-range", "home-nat+office-firewall"))
    ],
)
def test_listing_arrives_from_servers_of_others(name: str, server: str, protection: Protection) -> None:
    assert surprises(topology(name), server, protection) == []


@pytest.mark.parametrize("number", range(4))
def test_listing_arrives_through_obstacles_composed_at_random(number: int) -> None:
    seed = random.SystemRandom().randrange(2**32)
    server, protection = (*OTHERS, "fairlead")[number % 3], PROTECTIONS[number % 2]
    assert surprises(compose(seed), server, protection) == [], f"the topology is compose({seed})"


def test_what_worked_is_remembered_for_the_next_run(tmp_path: Path) -> None:
    env = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    with Lab(topology("server-firewall")) as lab, served(lab, "vsftpd", Protection.CLEAR):
        first, second = (lab.run(Host.CLIENT, [FAIRLEAD, "ls", "-4d", URL], timeout=60, env=env) for _ in range(2))
    assert (first.returncode, second.returncode) == (0, 0)
    assert first.stdout == second.stdout != ""
    assert "---> EPSV" in first.stderr
    assert "EPRT served last time in this network" in second.stderr
    assert "---> EPSV" not in second.stderr


def test_memory_that_is_out_of_date_does_no_harm(tmp_path: Path) -> None:
    env = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}

    def listing(name: str) -> str:
        with Lab(topology(name)) as lab, served(lab, "vsftpd", Protection.CLEAR):
            done = lab.run(Host.CLIENT, [FAIRLEAD, "ls", "-4d", URL], timeout=60, env=env)
        assert done.returncode == 0, done.stderr
        return done.stderr

    assert "remembering for this network: EPRT" in listing("server-firewall")
    told = listing("client-firewall")
    assert "hears nothing any more, going on in a new session" in told
    assert "remembering for this network: EPSV" in told


def test_where_nothing_works_one_sentence_says_why() -> None:
    with Lab(topology("both-closed")) as lab, served(lab, "vsftpd", Protection.CLEAR):
        done = lab.run(Host.CLIENT, [FAIRLEAD, "ls", "--no-memory", "-4", URL], timeout=60)
    assert done.returncode == 5
    assert done.stderr.count("\n") == 1
    for mode in ("EPSV", "PASV", "EPRT", "PORT"):
        assert f"{mode}: " in done.stderr
    assert f"fairlead doctor ftp://{SERVER_NAME} " in done.stderr
