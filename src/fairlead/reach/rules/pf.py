"""Rules for pf of the BSDs and macOS: lines for pf.conf."""

from __future__ import annotations

from collections.abc import Iterator

from fairlead.reach.rules.model import Forward, Opening, Place, RuleSet
from fairlead.reach.rules.terms import NOTHING, families, network, openings, pairs, ports, remark


def render(rules: RuleSet) -> str:
    """Lines for ``/etc/pf.conf``. Raises ArgumentError for ports and addresses that are none."""
    wanted = openings(rules)
    if not wanted and not rules.helper_ports:
        return f"{NOTHING}\n"
    lines = ["# At the end of /etc/pf.conf, where the last rule that fits decides; then: pfctl -f /etc/pf.conf"]
    lines += _helper(rules)
    lines += _forwards(rules)
    for opening in wanted:
        lines += _rules(opening, rules.place)
    return "\n".join(lines) + "\n"


def _helper(rules: RuleSet) -> Iterator[str]:
    if rules.helper_ports:
        yield "# The helper of pf is ftp-proxy(8): rcctl enable ftpproxy, or ftpproxy_enable=YES in /etc/rc.conf"
        yield 'anchor "ftp-proxy/*"'
    for number in rules.helper_ports:
        yield f"pass in quick inet proto tcp to port {ports(range(number, number + 1))} divert-to 127.0.0.1 port 8021"


def _forwards(rules: RuleSet) -> Iterator[str]:
    if not rules.forwards:
        return
    for forward in rules.forwards:
        yield f"# {remark(forward.purpose)}"
        yield f"pass in on egress {_called(forward, '(egress)')} rdr-to {network(forward.host)} port {_first(forward)}"
    yield "# FreeBSD and macOS write translation before all rules that filter, ext_if being the outer interface:"
    for forward in rules.forwards:
        target = f"{network(forward.host)} port {_first(forward)}"
        yield f"#   rdr pass on $ext_if {_called(forward, '($ext_if)')} -> {target}"


def _called(forward: Forward, address: str) -> str:
    family = "inet" if families(forward)[0] == 4 else "inet6"
    source = f" port {ports(forward.source_ports, ':')}" if forward.source_ports is not None else ""
    remote = network(forward.remote) or "any"
    return f"{family} proto tcp from {remote}{source} to {address} port {ports(forward.ports, ':')}"


def _first(forward: Forward) -> str:
    """The first target port; ``*`` lets the others follow in step."""
    return f"{forward.to.start}:*" if len(list(pairs(forward))) > 1 else str(forward.to.start)


def _rules(opening: Opening, place: Place) -> Iterator[str]:
    """A router's rules name no direction: each connection comes in on one interface and goes out on another."""
    direction = "" if place is Place.ROUTER else "in " if opening.inbound else "out "
    both = len(families(opening)) > 1
    family = "" if both else "inet " if families(opening)[0] == 4 else "inet6 "
    remote, host = network(opening.remote) or "any", network(opening.host) or "any"
    caller, called = (remote, host) if opening.inbound else (host, remote)
    source = f" port {ports(opening.source_ports, ':')}" if opening.source_ports is not None else ""
    yield f"# {remark(opening.purpose)}"
    yield f"pass {direction}{family}proto tcp from {caller}{source} to {called} port {ports(opening.ports, ':')}"
