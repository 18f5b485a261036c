"""Rules for ufw: commands for a shell, and lines for its file where the command has no word for them."""

from __future__ import annotations

from collections.abc import Iterator

from fairlead.reach.rules.iptables import destination, helper_rules
from fairlead.reach.rules.model import Opening, Place, RuleSet
from fairlead.reach.rules.terms import ANY, NOTHING, families, network, openings, ports, remark


def render(rules: RuleSet) -> str:
    """Commands for a shell. Raises ArgumentError for ports and addresses that are none."""
    wanted = openings(rules)
    if not wanted and not rules.helper_ports:
        return f"{NOTHING}\n"
    return "\n".join([*(_command(opening, rules.place) for opening in wanted), *_by_hand(rules)]) + "\n"


def _command(opening: Opening, place: Place) -> str:
    """``ufw allow`` for connections of this machine, ``ufw route allow`` for those that it forwards."""
    verb = "ufw route allow" if place is Place.ROUTER else f"ufw allow {'in' if opening.inbound else 'out'}"
    any_address = "any" if len(families(opening)) > 1 else ANY[families(opening)[0]]
    remote, host = network(opening.remote) or any_address, network(opening.host) or any_address
    caller, called = (remote, host) if opening.inbound else (host, remote)
    source = f" port {ports(opening.source_ports, ':')}" if opening.source_ports is not None else ""
    return (
        f"{verb} proto tcp from {caller}{source} to {called} port {ports(opening.ports, ':')}"
        f" comment '{_comment(opening)}'"
    )


def _comment(opening: Opening) -> str:
    """Its purpose; a single word could be taken for one of the rule's own, such as ``out``."""
    text = remark(opening.purpose)
    return text if " " in text else f"FTP {text}"


def _by_hand(rules: RuleSet) -> Iterator[str]:
    if rules.helper_ports:
        yield "# In /etc/ufw/before.rules, and in before6.rules for IPv6, after the last COMMIT; then: ufw reload"
        yield "# (ufw lets related connections through already; where it translates addresses: modprobe nf_nat_ftp)"
        yield from _table("raw", [":PREROUTING ACCEPT [0:0]", ":OUTPUT ACCEPT [0:0]"], helper_rules(rules))
    for family, file in ((4, "before.rules"), (6, "before6.rules")):
        forwards = [forward for forward in rules.forwards if families(forward)[0] == family]
        if forwards:
            yield f"# In /etc/ufw/{file}, before its line *filter; then: ufw reload"
            rule_lines = (f"-A PREROUTING {destination(forward)}" for forward in forwards)
            yield from _table("nat", [":PREROUTING ACCEPT [0:0]"], rule_lines)
    if rules.place is Place.ROUTER:
        yield "# In /etc/ufw/sysctl.conf, so that this machine forwards at all:"
        yield "#   net/ipv4/ip_forward=1"
        yield "#   net/ipv6/conf/all/forwarding=1"


def _table(name: str, chains: list[str], lines: Iterator[str]) -> Iterator[str]:
    """A table as a block of comments, since it belongs into a file."""
    for line in (f"*{name}", *chains, *lines, "COMMIT"):
        yield f"#   {line}"
