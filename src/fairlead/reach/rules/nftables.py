"""Rules for nftables: a text for ``nft -f``.

A packet that one base chain accepts can still be dropped by another: an accept in a table of our own would open
nothing. So the rules go in front of those in the chains that decide; address translation and the FTP helper, which no
other chain takes back, stand in a table of their own, made anew each time.
"""

from __future__ import annotations

from collections.abc import Iterator

from fairlead.reach.rules.model import Forward, Opening, Place, RuleSet
from fairlead.reach.rules.terms import NOTHING, families, let_in, network, openings, pairs, ports, remark, version

TABLE = "inet filter"
"""The family and name of the table that filters, as Debian's and Fedora's examples have it."""
OWN_TABLE = "inet fairlead"


def render(rules: RuleSet, table: str = TABLE) -> str:
    """A text for ``nft -f``; the chains input, output and forward are in ``table`` or are made there.

    Raises ArgumentError for ports and addresses that are none.
    """
    wanted = openings(rules)
    if not wanted and not rules.helper_ports:
        return f"{NOTHING}\n"
    chains = ("input", "output") if rules.place is Place.HOST else ("forward",)
    lines = [
        "# Load with: nft -f FILE",
        f"# If the chains that filter are not in table {table} (nft list ruleset shows them), write their names:",
        "# what one chain accepts, another can still drop.",
        f"add table {table}",
        *(f"add chain {table} {chain} {{ type filter hook {chain} priority filter; }}" for chain in chains),
        *(f'insert rule {table} {chain} ct state established accept comment "replies"' for chain in chains),
    ]
    if rules.helper_ports:
        related = 'ct state related ct helper "ftp" accept comment "data connections that the FTP helper foresaw"'
        lines += [f"insert rule {table} {chain} {related}" for chain in chains]
    forwarded = set(map(let_in, rules.forwards))
    for opening in wanted:
        chain = _chain(opening, rules.place)
        lines += [f"insert rule {table} {chain} {match}" for match in _matches(opening, opening in forwarded)]
    if rules.forwards or rules.helper_ports:
        lines += _own_table(rules)
    return "\n".join(lines) + "\n"


def _chain(opening: Opening, place: Place) -> str:
    if place is Place.ROUTER:
        return "forward"
    return "input" if opening.inbound else "output"


def _matches(opening: Opening, forwarded: bool) -> Iterator[str]:
    yield " ".join(
        [
            *_terms(opening),
            f"tcp dport {ports(opening.ports)}",
            "ct state new",
            *(["ct status dnat"] if forwarded else []),
            f'accept comment "{remark(opening.purpose)}"',
        ]
    )


def _terms(rule: Opening | Forward) -> Iterator[str]:
    """Addresses and source ports of ``rule``."""
    inbound = isinstance(rule, Forward) or rule.inbound
    if rule.remote:
        yield _address("saddr" if inbound else "daddr", rule.remote)
    if rule.host and isinstance(rule, Opening):
        yield _address("daddr" if inbound else "saddr", rule.host)
    if isinstance(rule, Opening) and not rule.remote and not rule.host and len(families(rule)) == 1:
        yield f"meta nfproto ipv{families(rule)[0]}"
    if rule.source_ports is not None:
        yield f"tcp sport {ports(rule.source_ports)}"


def _address(which: str, text: str) -> str:
    return f"{'ip' if version(text) == 4 else 'ip6'} {which} {network(text)}"


def _own_table(rules: RuleSet) -> Iterator[str]:
    yield f"add table {OWN_TABLE}"
    yield f"delete table {OWN_TABLE}"
    yield f"table {OWN_TABLE} {{"
    if rules.helper_ports:
        yield from _helper(rules)
    if rules.forwards:
        yield "\tchain prerouting {"
        yield "\t\ttype nat hook prerouting priority dstnat;"
        for forward in rules.forwards:
            yield f"\t\t{_destination(forward)}"
        yield "\t}"
    yield "}"


def _helper(rules: RuleSet) -> Iterator[str]:
    numbers = ", ".join(ports(range(number, number + 1)) for number in rules.helper_ports)
    yield "\t# Where this machine translates addresses, too: modprobe nf_nat_ftp"
    yield "\tct helper ftp {"
    yield '\t\ttype "ftp" protocol tcp;'
    yield "\t}"
    for hook in ("prerouting", "output") if rules.place is Place.HOST else ("prerouting",):
        yield f"\tchain helper_{hook} {{"
        yield f"\t\ttype filter hook {hook} priority filter;"
        yield f'\t\ttcp dport {{ {numbers} }} ct helper set "ftp"'
        yield "\t}"


def _destination(forward: Forward) -> str:
    """The rule of translation; ports that differ are mapped one by one, since a range of targets is taken at random."""
    numbers = list(pairs(forward))
    family = "ip" if families(forward)[0] == 4 else "ip6"
    host = network(forward.host) if family == "ip" else f"[{network(forward.host)}]"
    matched = " ".join(["fib daddr type local", *_terms(forward), f"tcp dport {ports(forward.ports)}"])
    if forward.ports == forward.to:
        return f'{matched} dnat {family} to {network(forward.host)} comment "{remark(forward.purpose)}"'
    if len(numbers) == 1:
        return f'{matched} dnat {family} to {host}:{numbers[0][1]} comment "{remark(forward.purpose)}"'
    mapped = ", ".join(f"{public} : {private}" for public, private in numbers)
    target = f"{network(forward.host)} : tcp dport map {{ {mapped} }}"
    return f'{matched} dnat {family} to {target} comment "{remark(forward.purpose)}"'
