"""What a firewall does with new connections, read from the rules that nft prints of ``ruleset.nft`` and of iptables."""

from __future__ import annotations

import json
import stat
from collections.abc import Sequence
from pathlib import Path

import pytest

from fairlead.doctor.firewall import read_ruleset
from fairlead.doctor.ruleset import DEEPEST, Packet, Ruleset, Verdict

HERE = Path(__file__).parent
ACCEPTED, DROPPED, REJECTED, UNKNOWN = Verdict.ACCEPTED, Verdict.DROPPED, Verdict.REJECTED, Verdict.UNKNOWN


@pytest.fixture(scope="module")
def nftables() -> Ruleset:
    return Ruleset((HERE / "ruleset.json").read_text())


@pytest.fixture(scope="module")
def iptables() -> Ruleset:
    return Ruleset((HERE / "iptables.json").read_text())


@pytest.mark.parametrize(
    ("port", "four", "six"),
    [
        (20, DROPPED, DROPPED),  # the policy
        (21, ACCEPTED, ACCEPTED),  # a set, new connections
        (22, UNKNOWN, DROPPED),  # by where the caller is, of IPv4
        (990, REJECTED, ACCEPTED),  # by a second chain of the hook
        (2121, ACCEPTED, ACCEPTED),  # a named set
        (50_000, ACCEPTED, ACCEPTED),
        (50_049, ACCEPTED, ACCEPTED),
        (50_050, DROPPED, DROPPED),
        (60_000, UNKNOWN, UNKNOWN),  # by the port the caller has
        (4000, REJECTED, DROPPED),
        (7000, ACCEPTED, ACCEPTED),  # a named map of verdicts
        (7001, DROPPED, DROPPED),
        (7003, DROPPED, ACCEPTED),  # of IPv6
        (7004, UNKNOWN, UNKNOWN),  # some of them
        (7005, ACCEPTED, ACCEPTED),  # from outside
        (7006, UNKNOWN, UNKNOWN),  # by the interface
        (7007, DROPPED, DROPPED),  # established ones
        (7008, UNKNOWN, DROPPED),  # a map by the address
        (7009, ACCEPTED, ACCEPTED),  # with a record
    ],
)
def test_calls_from_outside_meet_the_rules(nftables: Ruleset, port: int, four: Verdict, six: Verdict) -> None:
    assert nftables.verdict(Packet("input", 4, port)) is four
    assert nftables.verdict(Packet("input", 6, port)) is six


@pytest.mark.parametrize(
    ("port", "source", "verdict"),
    [(60_001, 20, ACCEPTED), (60_001, 21, DROPPED), (60_002, 21, REJECTED), (60_003, 21, DROPPED)],
)
def test_chains_are_gone_into_and_come_back_from(nftables: Ruleset, port: int, source: int, verdict: Verdict) -> None:
    assert nftables.verdict(Packet("input", 4, port, source)) is verdict


def test_calls_to_others_meet_the_rules_for_them(nftables: Ruleset) -> None:
    assert nftables.verdict(Packet("output", 4, 50_000, 20)) is DROPPED
    assert nftables.verdict(Packet("output", 4, 50_000, 1024)) is ACCEPTED
    assert nftables.verdict(Packet("output", 6, 50_000)) is UNKNOWN


@pytest.mark.parametrize(("port", "verdict"), [(21, ACCEPTED), (20, UNKNOWN), (5000, UNKNOWN), (6000, UNKNOWN)])
def test_rules_of_iptables_are_understood_as_far_as_nft_tells(iptables: Ruleset, port: int, verdict: Verdict) -> None:
    assert iptables.verdict(Packet("input", 4, port)) is verdict
    assert iptables.verdict(Packet("input", 6, port)) is ACCEPTED


def test_ports_of_one_fate_stand_together(nftables: Ruleset) -> None:
    assert nftables.spans(range(50_040, 50_060), 4) == [
        (range(50_040, 50_050), ACCEPTED), (range(50_050, 50_060), DROPPED),
    ]  # fmt: skip


def rules(*expressions: Sequence[object], policy: str = "accept") -> Ruleset:
    chain = {"family": "inet", "table": "t", "name": "c", "type": "filter", "hook": "input", "policy": policy}
    made: list[object] = [{"chain": chain}]
    made += [{"rule": {"family": "inet", "table": "t", "chain": "c", "expr": each}} for each in expressions]
    return Ruleset(json.dumps({"nftables": made}))


REJECT = [{"xt": {"type": "target", "name": "REJECT"}}]
OTHERS = {"match": {"op": "==", "left": {"payload": {"base": "th", "offset": 16, "len": 16}}, "right": 21}}


@pytest.mark.parametrize(
    ("made", "verdict"),
    [
        (rules(), ACCEPTED),
        (rules(policy="drop"), DROPPED),
        (rules(REJECT), REJECTED),
        (rules([{"xt": {"type": "target", "name": "LOG"}}]), ACCEPTED),
        (rules([{"queue": {"num": 1}}]), UNKNOWN),
        (rules([{"jump": {"target": "c"}}]), UNKNOWN),
        (rules([OTHERS, {"drop": None}]), UNKNOWN),
        (rules([OTHERS, {"accept": None}]), ACCEPTED),
        (rules([{"match": {"op": "==", "left": "x", "right": 21}}, {"drop": None}]), UNKNOWN),
        (rules([{"match": {"op": "==", "left": {"rt": {"key": "x"}}, "right": 21}}, {"drop": None}]), UNKNOWN),
        (rules([{"return": None}], [{"drop": None}]), ACCEPTED),
        (
            rules(
                [
                    {
                        "match": {
                            "op": "==",
                            "left": {"payload": {"protocol": "tcp", "field": "dport"}},
                            "right": {"set": [{"elem": {"val": 21, "timeout": 5}}, {"concat": []}]},
                        }
                    },
                    {"drop": None},
                ]
            ),
            DROPPED,
        ),
        (
            rules(
                [
                    {"match": {"op": "==", "left": {"payload": {"protocol": "ip", "field": "protocol"}}, "right": 6}},
                    {"drop": None},
                ]
            ),
            DROPPED,
        ),
    ],
)
def test_what_a_rule_may_be(made: Ruleset, verdict: Verdict) -> None:
    assert made.verdict(Packet("input", 4, 21)) is verdict
    assert DEEPEST > 0


# Asking nft


def program(place: Path, text: str) -> str:
    place.write_text(f"#!/bin/sh\n{text}\n")
    place.chmod(place.stat().st_mode | stat.S_IXUSR)
    return str(place)


def test_the_rules_are_asked_of_nft(tmp_path: Path) -> None:
    place = program(tmp_path / "nft", f'test "$*" = "-j list ruleset" && cat {HERE / "ruleset.json"}')
    found = read_ruleset([str(tmp_path / "none"), place])
    assert isinstance(found, Ruleset)
    assert found.verdict(Packet("input", 4, 21)) is ACCEPTED


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("echo 'Operation not permitted (you must be root)' >&2; exit 1", "Operation not permitted"),
        ("echo '{'", "cannot be read"),
        (None, "there is no nft"),
    ],
)
def test_why_the_rules_are_not_known_is_told(tmp_path: Path, text: str | None, why: str) -> None:
    place = str(tmp_path / "nft") if text is None else program(tmp_path / "nft", text)
    found = read_ruleset([place])
    assert isinstance(found, str)
    assert why in found
