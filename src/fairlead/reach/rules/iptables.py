"""Rules for iptables and ip6tables: commands for a shell."""

from __future__ import annotations

from collections.abc import Iterator

from fairlead.reach.rules.model import Forward, Opening, Place, RuleSet
from fairlead.reach.rules.terms import NOTHING, families, let_in, network, openings, pairs, ports, remark

PROGRAMS = {4: "iptables", 6: "ip6tables"}
"""The program that makes the rules of each version of IP."""


def render(rules: RuleSet) -> str:
    """Commands for a shell. Raises ArgumentError for ports and addresses that are none."""
    wanted = openings(rules)
    if not wanted and not rules.helper_ports:
        return f"{NOTHING}\n"
    lines = ["# They hold until the next start; on Debian, iptables-persistent keeps them: netfilter-persistent save"]
    lines += _replies(rules, sorted({family for opening in wanted for family in families(opening)} or PROGRAMS))
    forwarded = set(map(let_in, rules.forwards))
    for opening in wanted:
        for family in families(opening):
            lines.append(
                f"{PROGRAMS[family]} -I {_chain(opening, rules.place)} {_match(opening, opening in forwarded)}"
            )
    for forward in rules.forwards:
        lines.append(f"{PROGRAMS[families(forward)[0]]} -t nat -A PREROUTING {destination(forward)}")
    return "\n".join(lines) + "\n"


def helper_rules(rules: RuleSet) -> Iterator[str]:
    """Rules of the table raw that set the kernel's FTP helper on the control ports."""
    for number in rules.helper_ports:
        for chain in ("PREROUTING", "OUTPUT") if rules.place is Place.HOST else ("PREROUTING",):
            yield f"-A {chain} -p tcp --dport {ports(range(number, number + 1))} -j CT --helper ftp"


def destination(forward: Forward) -> str:
    """What follows ``-A PREROUTING`` in the table nat. Raises ArgumentError."""
    pairs(forward)
    host = network(forward.host) if families(forward)[0] == 4 else f"[{network(forward.host)}]"
    base = f"/{forward.ports.start}" if forward.ports != forward.to and len(forward.to) > 1 else ""
    return " ".join(
        [
            "-m addrtype --dst-type LOCAL -p tcp",
            *([f"-s {network(forward.remote)}"] if forward.remote else []),
            *([f"--sport {ports(forward.source_ports, ':')}"] if forward.source_ports is not None else []),
            f"--dport {ports(forward.ports, ':')}",
            f'-m comment --comment "{remark(forward.purpose)}"',
            f"-j DNAT --to-destination {host}:{ports(forward.to)}{base}",
        ]
    )


def _replies(rules: RuleSet, versions: list[int]) -> Iterator[str]:
    chains = ("INPUT", "OUTPUT") if rules.place is Place.HOST else ("FORWARD",)
    if rules.helper_ports:
        yield "modprobe -a nf_conntrack_ftp nf_nat_ftp"
    for family in versions:
        for chain in chains:
            yield f"{PROGRAMS[family]} -I {chain} -m conntrack --ctstate ESTABLISHED -j ACCEPT"
            if rules.helper_ports:
                yield f"{PROGRAMS[family]} -I {chain} -m conntrack --ctstate RELATED -m helper --helper ftp -j ACCEPT"
        for rule in helper_rules(rules):
            yield f"{PROGRAMS[family]} -t raw {rule}"


def _chain(opening: Opening, place: Place) -> str:
    if place is Place.ROUTER:
        return "FORWARD"
    return "INPUT" if opening.inbound else "OUTPUT"


def _match(opening: Opening, forwarded: bool) -> str:
    remote, host = ("-s", "-d") if opening.inbound else ("-d", "-s")
    return " ".join(
        [
            "-p tcp",
            *([f"{remote} {network(opening.remote)}"] if opening.remote else []),
            *([f"{host} {network(opening.host)}"] if opening.host else []),
            *([f"--sport {ports(opening.source_ports, ':')}"] if opening.source_ports is not None else []),
            f"--dport {ports(opening.ports, ':')}",
            "-m conntrack --ctstate NEW",
            *(["-m conntrack --ctstate DNAT"] if forwarded else []),
            f'-m comment --comment "{remark(opening.purpose)}" -j ACCEPT',
        ]
    )
