"""The terms that all firewalls use: families, networks, ports, remarks; each checked before a line is made of it.

What is printed is meant to be run by an administrator, and a rule may come from somebody else's report: no text gets
into a line but addresses, numbers and letters.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from ipaddress import ip_network

from fairlead.errors import ArgumentError
from fairlead.reach.rules.model import Forward, Opening, RuleSet

NOTHING = "# Nothing has to be opened here."
ANY = {4: "0.0.0.0/0", 6: "::/0"}
_HIGHEST_PORT = 0xFFFF
_NOT_IN_REMARKS = re.compile(r"[^A-Za-z0-9 .,:()/_-]+")


def network(text: str) -> str:
    """``text`` as an address, or as a network with its length; empty for any. Raises ArgumentError."""
    if not text:
        return ""
    try:
        found = ip_network(text, strict=False)
    except ValueError:
        raise ArgumentError(f"{text[:60]!r} is no address and no network; write for example 192.0.2.0/24") from None
    return str(found.network_address) if found.num_addresses == 1 else str(found)


def cidr(text: str) -> str:
    """``text`` as a network with its length, such as ``192.0.2.1/32``. Raises ArgumentError."""
    return str(ip_network(network(text)))


def version(text: str) -> int:
    """4 or 6, for an address or a network. Raises ArgumentError."""
    return ip_network(network(text)).version


def families(rule: Opening | Forward) -> tuple[int, ...]:
    """The versions of IP that ``rule`` is for, 4 before 6. Raises ArgumentError where its addresses are of both."""
    named = {version(text) for text in (rule.host, rule.remote) if text}
    if isinstance(rule, Opening) and rule.family is not None:
        named.add(rule.family)
    if len(named) > 1:
        raise ArgumentError(f"the rule for {remark(rule.purpose)} mixes IPv4 and IPv6; make it two")
    return tuple(named) or (4, 6)


def ports(numbers: range, dash: str = "-") -> str:
    """``21``, or the first and the last with ``dash`` between them. Raises ArgumentError."""
    if not numbers or numbers.step != 1 or numbers.start < 1 or numbers.stop - 1 > _HIGHEST_PORT:
        raise ArgumentError(f"{numbers!r} are no ports from 1 to {_HIGHEST_PORT}")
    first, last = numbers.start, numbers.stop - 1
    return str(first) if first == last else f"{first}{dash}{last}"


def pairs(forward: Forward) -> Iterable[tuple[int, int]]:
    """Each public port with the port that it leads to. Raises ArgumentError where there are more of one kind."""
    ports(forward.ports)
    ports(forward.to)
    if len(forward.ports) != len(forward.to):
        raise ArgumentError(
            f"{len(forward.ports)} public ports cannot lead to {len(forward.to)} ports of {network(forward.host)};"
            " make the ranges equally long"
        )
    return zip(forward.ports, forward.to, strict=True)


def remark(text: str) -> str:
    """``text`` as it can stand between quotes anywhere."""
    return _NOT_IN_REMARKS.sub(" ", text).strip()[:100] or "FTP"


def title(text: str) -> str:
    """``text`` as a name of one word."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:50] or "ftp"


def let_in(forward: Forward) -> Opening:
    """What must be let through for ``forward``, once the address is that of the machine behind the router."""
    return Opening(
        purpose=forward.purpose,
        inbound=True,
        ports=forward.to,
        source_ports=forward.source_ports,
        remote=forward.remote,
        host=forward.host,
    )


def openings(rules: RuleSet) -> tuple[Opening, ...]:
    """All that must be let through: the openings of ``rules`` and what its forwards need, each once."""
    unique: dict[tuple[object, ...], Opening] = {}
    for opening in (*rules.openings, *map(let_in, rules.forwards)):
        ports(opening.ports)
        terms = (
            opening.inbound,
            opening.ports,
            opening.source_ports,
            network(opening.remote),
            network(opening.host),
            families(opening),
        )
        unique.setdefault(terms, opening)
    return tuple(unique.values())
