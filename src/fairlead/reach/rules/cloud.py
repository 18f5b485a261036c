"""Rules for the security groups of AWS, Google Cloud and Azure: commands of their command lines.

A security group keeps track of connections, so replies need no rule. It stands at the machine, whatever the place: the
translation of addresses, one to one there, keeps the ports.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

from fairlead.reach.rules.model import Opening, RuleSet
from fairlead.reach.rules.terms import ANY, NOTHING, cidr, families, openings, ports, remark, title, version

_NO_HELPER = "# There is no FTP helper here: the ports of data connections must be opened, as a fixed range."
_NO_SOURCE = "# A rule here cannot name the port that is called from: these let any in."
_NO_SHIFT = "# Public and private ports are the same here: announce the ports that the server really has."


def render_aws(rules: RuleSet) -> str:
    """Commands of ``aws``. Raises ArgumentError for ports and addresses that are none."""
    wanted = openings(rules)
    lines = ["# SG is the id of the instance's security group, such as sg-0123456789abcdef0."]
    lines += _remarks(rules, wanted, source_ports=False)
    for opening in wanted:
        direction = "ingress" if opening.inbound else "egress"
        for family in families(opening):
            list_name, key = ("IpRanges", "CidrIp") if family == 4 else ("Ipv6Ranges", "CidrIpv6")
            remote = f'[{{{key}={_remote(opening, family)},Description="{_description(opening)}"}}]'
            lines.append(
                f'aws ec2 authorize-security-group-{direction} --group-id "$SG" --ip-permissions'
                f" 'IpProtocol=tcp,FromPort={opening.ports.start},ToPort={opening.ports.stop - 1},{list_name}={remote}'"
            )
    if any(not opening.inbound for opening in wanted):
        lines.append(
            "# A new security group lets all calls out: only where that was taken away are the egress rules needed."
        )
    lines.append(
        "# A network ACL of the subnet keeps no track of connections: there, open ports 1024-65535 both ways, too."
    )
    return _text(lines, wanted)


def render_gcp(rules: RuleSet) -> str:
    """Commands of ``gcloud``. Raises ArgumentError for ports and addresses that are none."""
    wanted = openings(rules)
    lines = ["# NETWORK is the VPC network; the rules hold for instances with the network tag ftp."]
    lines += _remarks(rules, wanted, source_ports=False)
    for opening in wanted:
        for family in families(opening):
            direction, ranges = ("INGRESS", "source") if opening.inbound else ("EGRESS", "destination")
            name = f"{_name(opening, direction)}{'-v6' if family == 6 else ''}"
            lines.append(
                f'gcloud compute firewall-rules create {name} --network="$NETWORK" --direction={direction}'
                f" --action=ALLOW --rules=tcp:{ports(opening.ports)} --{ranges}-ranges={_remote(opening, family)}"
                f' --target-tags=ftp --description="{remark(opening.purpose)}"'
            )
    return _text(lines, wanted)


def render_azure(rules: RuleSet) -> str:
    """Commands of ``az``. Raises ArgumentError for ports and addresses that are none."""
    wanted = openings(rules)
    lines = ["# GROUP is the resource group, NSG its network security group; priorities must be free ones."]
    lines += _remarks(rules, wanted, source_ports=True)
    for opening, priority in zip(wanted, count(300, 10)):
        for family in families(opening) if opening.remote or len(families(opening)) == 1 else (0,):
            remote = _remote(opening, family) if family else "'*'"
            host = cidr(opening.host) if opening.host else "'*'"
            caller, called = (remote, host) if opening.inbound else (host, remote)
            source = ports(opening.source_ports) if opening.source_ports is not None else "'*'"
            direction = "Inbound" if opening.inbound else "Outbound"
            lines.append(
                f'az network nsg rule create --resource-group "$GROUP" --nsg-name "$NSG"'
                f" --name {_name(opening, direction)} --priority {priority} --direction {direction}"
                f" --access Allow --protocol Tcp --source-address-prefixes {caller} --source-port-ranges {source}"
                f" --destination-address-prefixes {called} --destination-port-ranges {ports(opening.ports)}"
            )
    return _text(lines, wanted)


def _name(opening: Opening, direction: str) -> str:
    return title(f"ftp {opening.purpose[:30]} {opening.ports.start} {direction}")


def _remarks(rules: RuleSet, wanted: tuple[Opening, ...], *, source_ports: bool) -> Iterator[str]:
    if rules.helper_ports:
        yield _NO_HELPER
    if not source_ports and any(opening.source_ports is not None for opening in wanted):
        yield _NO_SOURCE
    if any(forward.ports != forward.to for forward in rules.forwards):
        yield _NO_SHIFT


def _remote(opening: Opening, family: int) -> str:
    return cidr(opening.remote) if opening.remote and version(opening.remote) == family else ANY[family]


def _description(opening: Opening) -> str:
    """A description of AWS, which takes no comma within this short form of an argument."""
    return remark(opening.purpose).replace(",", "")


def _text(lines: list[str], wanted: tuple[Opening, ...]) -> str:
    return "\n".join(lines if wanted else [NOTHING, *lines[1:2]]) + "\n"
