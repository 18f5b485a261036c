"""Rules for firewalld: commands for a shell."""

from __future__ import annotations

from collections.abc import Iterator

from fairlead.reach.rules.model import Forward, Opening, Place, RuleSet
from fairlead.reach.rules.terms import NOTHING, families, network, openings, pairs, ports

_COMMAND = "firewall-cmd --permanent"
_INWARD, _OUTWARD = "ftp-inward", "ftp-outward"


def render(rules: RuleSet) -> str:
    """Commands for a shell. Raises ArgumentError for ports and addresses that are none."""
    wanted = openings(rules)
    if not wanted and not rules.helper_ports:
        return f"{NOTHING}\n"
    lines = list(_host(rules, wanted) if rules.place is Place.HOST else _router(rules, wanted))
    if any(opening.source_ports is not None for opening in wanted):
        lines.insert(0, "# A rule of firewalld names a port or a source port, not both: these let any source port in.")
    return "\n".join([*lines, "firewall-cmd --reload"]) + "\n"


def _host(rules: RuleSet, wanted: tuple[Opening, ...]) -> Iterator[str]:
    yield "# firewall-cmd --get-active-zones names the zones; public is the usual one."
    zone = f"{_COMMAND} --zone=public"
    for opening in wanted:
        if opening.inbound:
            yield from _allowed(zone, opening)
    if any(not opening.inbound for opening in wanted):
        yield "# Calls that this machine makes pass, unless a policy refuses them (firewall-cmd --list-policies)."
    yield from _helper(zone, rules)


def _router(rules: RuleSet, wanted: tuple[Opening, ...]) -> Iterator[str]:
    yield "# external is the zone of the interface to the internet, internal that of the machines behind."
    zone = f"{_COMMAND} --zone=external"
    forwarded = {(forward.host, forward.to) for forward in rules.forwards}
    inward = [rule for rule in wanted if rule.inbound and (rule.host, rule.ports) not in forwarded]
    outward = [rule for rule in wanted if not rule.inbound]
    if inward or rules.helper_ports:
        yield from _policy(_INWARD, "external", "internal")
        for opening in inward:
            yield from _allowed(f"{_COMMAND} --policy={_INWARD}", opening)
        yield from _helper(f"{_COMMAND} --policy={_INWARD}", rules)
    if outward:
        yield from _policy(_OUTWARD, "internal", "external")
        for opening in outward:
            yield from _allowed(f"{_COMMAND} --policy={_OUTWARD}", opening)
    for forward in rules.forwards:
        yield from _forwarded(zone, forward)


def _policy(name: str, ingress: str, egress: str) -> Iterator[str]:
    yield f"{_COMMAND} --new-policy={name}"
    yield f"{_COMMAND} --policy={name} --add-ingress-zone={ingress}"
    yield f"{_COMMAND} --policy={name} --add-egress-zone={egress}"


def _helper(where: str, rules: RuleSet) -> Iterator[str]:
    """The service ftp of firewalld is port 21 with the helper; other ports need a service of their own."""
    for number in rules.helper_ports:
        name = "ftp" if number == 21 else f"ftp-{ports(range(number, number + 1))}"
        if name != "ftp":
            yield f"{_COMMAND} --new-service={name}"
            yield f"{_COMMAND} --service={name} --add-port={number}/tcp"
            yield f"{_COMMAND} --service={name} --add-helper=ftp"
        yield f"{where} --add-service={name}"


def _allowed(where: str, opening: Opening) -> Iterator[str]:
    remote, host = network(opening.remote), network(opening.host)
    if not remote and not host and len(families(opening)) > 1:
        yield f"{where} --add-port={ports(opening.ports)}/tcp"
        return
    source, destination = (remote, host) if opening.inbound else (host, remote)
    for family in families(opening):
        rule = [f'rule family="ipv{family}"']
        if source:
            rule.append(f'source address="{source}"')
        if destination:
            rule.append(f'destination address="{destination}"')
        rule.append(f'port port="{ports(opening.ports)}" protocol="tcp" accept')
        yield f"{where} --add-rich-rule='{' '.join(rule)}'"


def _forwarded(zone: str, forward: Forward) -> Iterator[str]:
    """Ports that keep their number in one line; of others, each has its own."""
    numbers = list(pairs(forward))
    same = forward.ports == forward.to
    for public, private in [(ports(forward.ports), ports(forward.to))] if same else numbers:
        target = f"port={public}:proto=tcp:toport={private}:toaddr={network(forward.host)}"
        if not forward.remote and families(forward) == (4,):
            yield f"{zone} --add-forward-port={target}"
            continue
        source = f' source address="{network(forward.remote)}"' if forward.remote else ""
        yield (
            f'{zone} --add-rich-rule=\'rule family="ipv{families(forward)[0]}"{source} forward-port'
            f' port="{public}" protocol="tcp" to-port="{private}" to-addr="{network(forward.host)}"\''
        )
