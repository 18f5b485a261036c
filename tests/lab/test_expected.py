"""The design's table of topologies, against what is drawn from the obstacles."""

from __future__ import annotations

import pytest

from fairlead.reach.cause import Cause
from lab.compose import compose
from lab.expected import Cell, Mode, expected, families, works
from lab.topologies import TOPOLOGIES

_SHORT = {
    "ok": Cause.OK,
    "drop": Cause.PASSIVE_DROPPED,
    "rst": Cause.PASSIVE_REJECTED,
    "address": Cause.PASSIVE_PRIVATE_ADDRESS,
    "rewritten": Cause.PASSIVE_REWRITTEN,
    "partly": Cause.PASSIVE_RANGE_PARTLY_OPEN,
    "uncalled": Cause.ACTIVE_DROPPED,
    "private": Cause.ACTIVE_PRIVATE_ADDRESS,
    "family": Cause.FAMILY_UNSUPPORTED,
}

# EPSV, PASV, EPRT, PORT, in clear and then under TLS; over IPv4 where there is any.
TABLE = {
    "open": "ok ok ok ok / ok ok ok ok",
    "client-nat": "ok ok private private / ok ok private private",
    "client-nat-helper": "ok ok ok ok / ok ok private private",
    "client-firewall": "ok ok uncalled uncalled / ok ok uncalled uncalled",
    "server-nat-control": "drop address ok ok / drop address ok ok",
    "server-nat-range": "ok address ok ok / ok address ok ok",
    "server-nat-right": "ok ok ok ok / ok ok ok ok",
    "server-nat-remap": "drop drop ok ok / drop drop ok ok",
    "server-firewall": "drop drop ok ok / drop drop ok ok",
    "server-firewall-reject": "rst rst ok ok / rst rst ok ok",
    "server-firewall-range": "partly partly ok ok / partly partly ok ok",
    "server-firewall-helper": "ok ok ok ok / drop drop ok ok",
    "server-egress": "ok ok uncalled uncalled / ok ok uncalled uncalled",
    "both-nat": "ok ok private private / ok ok private private",
    "both-closed": "drop drop uncalled uncalled / drop drop uncalled uncalled",
    "ipv6-only": "ok family uncalled family / ok family uncalled family",
    "nat64-like": "ok family family family / ok family family family",
    "rewriter": "rewritten rewritten ok ok / ok ok ok ok",
    "idle-killer": "ok ok ok ok / ok ok ok ok",
    "lossy": "ok ok ok ok / ok ok ok ok",
    "cutter": "ok ok ok ok / ok ok ok ok",
}


def test_each_topology_has_its_row() -> None:
    assert list(TABLE) == list(TOPOLOGIES)


@pytest.mark.parametrize("name", TABLE)
def test_what_is_drawn_from_the_obstacles_is_what_the_table_says(name: str) -> None:
    topology = TOPOLOGIES[name]
    family = families(topology)[0]
    for private, words in enumerate(TABLE[name].split(" / ")):
        drawn = [expected(topology, Cell(mode, family, bool(private))) for mode in Mode]
        assert drawn == [_SHORT[word] for word in words.split()]


def test_a_client_that_ignores_the_announced_address_gets_through_where_the_range_is_open() -> None:
    pasv = Cell(Mode.PASV, 4, False)
    assert works(TOPOLOGIES["server-nat-range"], pasv) is True
    assert works(TOPOLOGIES["server-nat-control"], pasv) is False
    assert works(TOPOLOGIES["server-firewall-range"], pasv) is None


def test_a_composed_topology_is_had_again_from_its_seed() -> None:
    assert compose(7) == compose(7)


def test_composed_topologies_are_not_those_of_the_table() -> None:
    listed = {frozenset(topology.obstacles) for topology in TOPOLOGIES.values()}
    drawn = {frozenset(compose(seed).obstacles) for seed in range(300)}
    assert len(drawn) > 100
    assert not drawn & listed
