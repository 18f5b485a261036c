"""What to enter on the pages of a router that is set by hand, in words."""

from __future__ import annotations

from collections.abc import Iterator

from fairlead.reach.rules.model import Forward, Opening, RuleSet
from fairlead.reach.rules.terms import NOTHING, families, network, openings, pairs, ports, remark


def render(rules: RuleSet) -> str:
    """Sentences, one for each rule. Raises ArgumentError for ports and addresses that are none."""
    lines: list[str] = []
    if rules.forwards:
        lines.append("Port forwarding (also called virtual server, or NAT rule), all of it TCP:")
        lines += map(_forward, rules.forwards)
    forwarded = {(forward.host, forward.to) for forward in rules.forwards}
    wanted = [rule for rule in openings(rules) if not rule.inbound or (rule.host, rule.ports) not in forwarded]
    if wanted:
        lines.append("Firewall (also called packet filter, access rule or, for IPv6, pinhole), all of it TCP:")
        lines += map(_opening, wanted)
    lines += _helper(rules)
    return "\n".join(lines or [NOTHING.removeprefix("# ")]) + "\n"


def _forward(forward: Forward) -> str:
    several = len(list(pairs(forward))) > 1
    same = forward.ports == forward.to
    to = "the same" if same else ports(forward.to)
    shift = "" if same or not several else ", each by as much higher or lower"
    return (
        f"- external port{'s' if several else ''} {ports(forward.ports)} to {network(forward.host)},"
        f" internal port{'s' if several else ''} {to}{shift}{_from(forward)} ({remark(forward.purpose)})"
    )


def _opening(opening: Opening) -> str:
    direction = "in" if opening.inbound else "out"
    both = len(families(opening)) > 1
    family = "" if both else f", IPv{families(opening)[0]}"
    machine = network(opening.host) or "the machine"
    where = f"to {machine}" if opening.inbound else f"from {machine}"
    toward = f" of {network(opening.remote)}" if opening.remote and not opening.inbound else ""
    came = _from(opening) if opening.inbound else _source(opening)
    called = f"port{'s' if len(opening.ports) > 1 else ''} {ports(opening.ports)}"
    return f"- let {direction}: {where}, {called}{toward}{came}{family} ({remark(opening.purpose)})"


def _source(rule: Opening | Forward) -> str:
    return f", from port {ports(rule.source_ports)}" if rule.source_ports is not None else ""


def _from(rule: Opening | Forward) -> str:
    return _source(rule) + (f", from {network(rule.remote)} only" if rule.remote else "")


def _helper(rules: RuleSet) -> Iterator[str]:
    if rules.helper_ports:
        listed = ", ".join(map(str, rules.helper_ports))
        yield "Helper (also called FTP ALG, or application layer gateway):"
        yield f"- turn it on, for control connections to port {listed}; it works only where FTP goes in clear"
