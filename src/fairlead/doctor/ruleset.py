"""What the machine's own firewall does with a new TCP connection, as far as its rules can be read.

The rules are those that ``nft -j list ruleset`` prints, which has the rules of iptables-nft among them. Rules may
depend on what is not known here, such as where the caller is; then what they decide is one of several outcomes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, Literal, NamedTuple, TypeAlias


class Verdict(StrEnum):
    """What becomes of the first packet."""

    ACCEPTED = "accepted"
    DROPPED = "dropped"
    REJECTED = "rejected"
    UNKNOWN = "unknown"
    """It depends, or the rules cannot be understood."""


class Packet(NamedTuple):
    """The first packet of a TCP connection."""

    hook: Literal["input", "output"]
    family: Literal[4, 6]
    port: int
    """The one that is called."""
    source_port: int | None = None


Key: TypeAlias = tuple[str, str, str]
"""Family, table and name of a chain or set."""
Outcomes: TypeAlias = "set[Verdict | None]"
"""What may become of a packet in a chain; None where it goes on after it."""

DEEPEST = 16
"""Chains that call each other."""
ENDS = {"accept": Verdict.ACCEPTED, "drop": Verdict.DROPPED, "reject": Verdict.REJECTED, "queue": Verdict.UNKNOWN}
"""Statements that decide."""
SOMETIMES = frozenset({"limit", "quota", "ct count", "meter"})
"""Statements by which a rule fits some packets and not others."""


class Ruleset:
    """The rules in the JSON ``text``. Raises ValueError where that is none."""

    def __init__(self, text: str) -> None:
        self._chains: dict[Key, Mapping[str, Any]] = {}
        self._rules: dict[Key, list[Mapping[str, Any]]] = {}
        self._sets: dict[Key, Mapping[str, Any]] = {}
        for entry in json.loads(text).get("nftables", ()):
            for kind, body in entry.items():
                if kind == "chain":
                    self._chains[body["family"], body["table"], body["name"]] = body
                elif kind == "rule":
                    self._rules.setdefault((body["family"], body["table"], body["chain"]), []).append(body)
                elif kind in {"set", "map"}:
                    self._sets[body["family"], body["table"], body["name"]] = body

    def verdict(self, packet: Packet) -> Verdict:
        """What becomes of ``packet``: every base chain of its hook must let it pass."""
        families = {"inet", "ip" if packet.family == 4 else "ip6"}
        found = {
            self._decided(key, chain, packet)
            for key, chain in self._chains.items()
            if chain.get("hook") == packet.hook and chain.get("type") == "filter" and key[0] in families
        }
        order = (Verdict.DROPPED, Verdict.REJECTED, Verdict.UNKNOWN)
        return next((verdict for verdict in order if verdict in found), Verdict.ACCEPTED)

    def spans(self, ports: range, family: Literal[4, 6]) -> Sequence[tuple[range, Verdict]]:
        """What becomes of calls to each of ``ports`` from outside; neighbours of one fate stand together."""
        found: list[tuple[range, Verdict]] = []
        for port in ports:
            verdict = self.verdict(Packet("input", family, port))
            if found and found[-1][1] is verdict:
                found[-1] = (range(found[-1][0][0], port + 1), verdict)
            else:
                found.append((range(port, port + 1), verdict))
        return found

    def _decided(self, key: Key, chain: Mapping[str, Any], packet: Packet) -> Verdict:
        policy = Verdict.DROPPED if chain.get("policy") == "drop" else Verdict.ACCEPTED
        outcomes = {policy if outcome is None else outcome for outcome in self._run(key, packet, 0)}
        return outcomes.pop() if len(outcomes) == 1 else Verdict.UNKNOWN

    def _run(self, key: Key, packet: Packet, depth: int) -> Outcomes:
        """What may become of ``packet`` in a chain."""
        outcomes: Outcomes = set()
        if depth > DEEPEST:
            return {Verdict.UNKNOWN}
        for rule in self._rules.get(key, ()):
            fits = _Rule(self, rule, packet, depth).run(outcomes)
            if fits:
                return outcomes
        return outcomes | {None}

    def chain(self, key: Key, packet: Packet, depth: int) -> Outcomes:
        """As within a rule that leads to the chain."""
        return self._run(key, packet, depth + 1)

    def elements(self, key: Key) -> Sequence[Any]:
        """Those of a named set or map."""
        found: Sequence[Any] = self._sets.get(key, {}).get("elem", ())
        return found


class _Rule:
    """One rule and one packet."""

    def __init__(self, rules: Ruleset, rule: Mapping[str, Any], packet: Packet, depth: int) -> None:
        self._rules = rules
        self._table = (rule["family"], rule["table"])
        self._statements: Sequence[Mapping[str, Any]] = rule.get("expr", ())
        self._packet = packet
        self._depth = depth
        self._certain = True

    def run(self, outcomes: Outcomes) -> bool:
        """Add what may come of it to ``outcomes``; whether it decides in any case."""
        for statement in self._statements:
            for kind, body in statement.items():
                if kind == "match":
                    fits = self._fits(body)
                    if fits is False:
                        return False
                    self._certain = self._certain and fits is not None
                elif kind == "xt" and body.get("type") == "target":
                    if body.get("name") == "REJECT":
                        outcomes.add(Verdict.REJECTED)
                        return self._certain
                elif kind == "xt":
                    if not self._fits_extension(body):
                        return False
                elif kind == "vmap":
                    if self._mapped(body, outcomes):
                        return True
                elif kind in SOMETIMES:
                    self._certain = False
                elif self._decides(kind, body, outcomes):
                    return self._certain
        return False

    def _decides(self, kind: str, body: Any, outcomes: Outcomes) -> bool:
        """Whether a statement ends the rule, for a packet that comes to it."""
        if kind in ENDS:
            outcomes.add(ENDS[kind])
            return True
        if kind == "return":
            outcomes.add(None)
            return True
        if kind in {"jump", "goto"}:
            inner = self._rules.chain((*self._table, body["target"]), self._packet, self._depth)
            if kind == "goto":
                outcomes |= inner
                return True
            outcomes |= inner - {None}
            return None not in inner
        return False

    def _fits_extension(self, body: Mapping[str, Any]) -> bool:
        """A match of iptables, of which nft tells the name only.

        States with a port are those of new connections, without one those of connections that exist.
        """
        if body.get("name") == "comment":
            return True
        if body.get("name") == "conntrack":
            return any("payload" in str(statement.get("match", "")) for statement in self._statements)
        self._certain = False
        return True

    def _mapped(self, body: Mapping[str, Any], outcomes: Outcomes) -> bool:
        """A map from values to verdicts."""
        value = _value(body["key"], self._packet)
        for known, verdict in self._elements(body["data"]):
            if value is not None and not _holds(known, value):
                continue
            ((kind, target),) = verdict.items()
            decides = self._decides(kind, target, outcomes)
            if value is not None:
                return decides and self._certain
        return False

    def _elements(self, data: Any) -> Sequence[Any]:
        if isinstance(data, str) and data.startswith("@"):
            return self._rules.elements((*self._table, data[1:]))
        elements: Sequence[Any] = data["set"] if isinstance(data, dict) and "set" in data else [data]
        return elements

    def _fits(self, body: Mapping[str, Any]) -> bool | None:
        """Whether a comparison holds; None where that is not known."""
        left, right = body["left"], body["right"]
        if _interface(left) and right == "lo":
            return bool(body["op"] == "!=")  # those who call from outside do not come that way
        value = _value(left, self._packet)
        if value is None:
            return None
        known = right if isinstance(right, list) else self._elements(right)
        negated = bool(body["op"] == "!=")
        return any(_holds(each, value) for each in known) is not negated


def _interface(left: Any) -> bool:
    return isinstance(left, dict) and left.get("meta", {}).get("key") in {"iif", "iifname", "oif", "oifname"}


def _value(left: Any, packet: Packet) -> Any:
    """What ``left`` is for ``packet``, ``""`` for a field that it has not; None where that is not known."""
    if not isinstance(left, dict):
        return None
    for kind, body in left.items():
        if kind == "payload":
            return _field(body.get("protocol"), body.get("field"), packet)
        if kind == "ct":
            return "new" if body.get("key") == "state" else None
        if kind == "meta":
            version = 4 if packet.family == 4 else 6
            known = {"l4proto": "tcp", "nfproto": f"ipv{version}", "protocol": "ip" if version == 4 else "ip6"}
            return known.get(body.get("key"))
    return None


def _field(protocol: str | None, field: str | None, packet: Packet) -> Any:
    """A field of a header."""
    if protocol in {"tcp", "th"}:
        return packet.port if field == "dport" else packet.source_port if field == "sport" else None
    if protocol is None:  # octets at some place
        return None
    if protocol not in {"ip", "ip6"} or (protocol == "ip") is not (packet.family == 4):
        return ""
    return "tcp" if field in {"protocol", "nexthdr"} else None


def _holds(known: Any, value: Any) -> bool:
    """Whether ``value`` is ``known``, or in its range."""
    if isinstance(known, dict):
        if "elem" in known:
            return _holds(known["elem"]["val"], value)
        if "range" in known and isinstance(value, int):
            first, last = known["range"]
            return int(first) <= value <= int(last)
        return False
    return bool(known == value or (known == 6 and value == "tcp"))
