"""Every topology does what is said of it: tried with a client that shares no code with ours."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from fairlead.reach.cause import Cause
from lab.compose import compose
from lab.expected import Cell, Mode, expected_of_long
from lab.laboratory import Lab
from lab.probe import SYMPTOMS, attempt
from lab.servers import LARGE_FILE, LARGE_SIZE, Protection, served
from lab.topologies import TOPOLOGIES, Topology, topology

Surprises = Callable[[Topology, str, Protection], list[str]]
PROTECTIONS = (Protection.CLEAR, Protection.REQUIRED)
OTHERS = ("vsftpd", "proftpd")


@pytest.mark.parametrize("protection", PROTECTIONS)
@pytest.mark.parametrize("name", TOPOLOGIES)
def test_each_mode_meets_what_the_obstacles_say(name: str, protection: Protection, surprises: Surprises) -> None:
    assert surprises(TOPOLOGIES[name], "fairlead", protection) == []


@pytest.mark.parametrize(
    ("name", "server", "protection"),
    [(name, OTHERS[number // 2 % 2], PROTECTIONS[number % 2]) for number, name in enumerate(TOPOLOGIES)],
)
def test_the_obstacles_are_the_same_for_servers_of_others(
    name: str, server: str, protection: Protection, surprises: Surprises
) -> None:
    assert surprises(TOPOLOGIES[name], server, protection) == []


@pytest.mark.parametrize("number", range(4))
def test_obstacles_composed_at_random_do_together_what_they_do_alone(number: int, surprises: Surprises) -> None:
    seed = random.SystemRandom().randrange(2**32)
    assert surprises(compose(seed), "fairlead", PROTECTIONS[number % 2]) == [], f"the topology is compose({seed})"


@pytest.mark.usefixtures("laboratory")
@pytest.mark.parametrize(
    ("name", "slowly", "octets"), [("open", 0.0, LARGE_SIZE), ("cutter", 0.0, None), ("idle-killer", 7.0, LARGE_SIZE)]
)
def test_a_long_transfer_ends_as_the_topology_says(name: str, slowly: float, octets: int | None) -> None:
    with Lab(topology(name)) as lab, served(lab, "fairlead", Protection.CLEAR):
        outcome = attempt(
            lab, Cell(Mode.EPSV, 4, False), control_patience=3.0, verb=f"RETR {LARGE_FILE}", slowly=slowly
        )
    cause = expected_of_long(lab.topology, private=False)
    assert outcome.met in SYMPTOMS[cause], outcome
    if cause is Cause.DATA_CUT:
        assert 500_000 < outcome.octets < LARGE_SIZE
    else:
        assert outcome.octets == octets
