"""What clients meet, as far as it is known at the server: announced places, its machine's firewall, certificates."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Literal

from fairlead.doctor.certificate import Shown
from fairlead.doctor.finding import Finding, State
from fairlead.doctor.machine import Machine
from fairlead.doctor.openings import offer_of
from fairlead.doctor.places import family_of, is_loopback, span
from fairlead.doctor.ruleset import Packet, Ruleset, Verdict
from fairlead.reach.private import is_private
from fairlead.server.announce import is_address
from fairlead.server.settings import Settings

SOON = timedelta(days=14)
"""Before its end a certificate is worth a word."""


def resolved(name: str) -> str | None:
    """The IPv4 address of a host name; None where it has none now."""
    try:
        return str(socket.getaddrinfo(name, None, socket.AF_INET, socket.SOCK_STREAM)[0][4][0])
    except OSError:
        return None


def check_announced(settings: Settings, machine: Machine, resolve: Callable[[str], str | None]) -> Iterator[Finding]:
    """What passive replies name to whom, and whether that can be called."""
    own = [each for each in machine.addresses if family_of(each) == 4 and not is_loopback(each)]
    for rule in settings.announce:
        whom = rule.clients or "all other clients"
        if not rule.address:
            yield Finding("announce", State.RIGHT, f"{whom}: 227 names the address that they call")
            continue
        address = rule.address if is_address(rule.address) else resolve(rule.address)
        if address is None:
            yield Finding(
                "announce",
                State.WRONG,
                f"{whom}: the name {rule.address} has no IPv4 address now",
                "mend the name, or write the address in its place",
            )
            continue
        named = f"{rule.address}," if rule.address == address else f"{rule.address}, now {address},"
        if is_private(address) and not rule.clients:
            yield Finding(
                "announce",
                State.DOUBTFUL,
                f"{whom}: 227 names {named} which is private: nobody beyond a NAT can call it",
                "write the address by which clients reach the server in public_address; it cannot be known from here",
            )
        elif address in own:
            yield Finding("announce", State.RIGHT, f"{whom}: 227 names {named} which this machine has")
        else:
            yield Finding(
                "announce",
                State.RIGHT,
                f"{whom}: 227 names {named} which this machine has not: a router must forward"
                f" {span(rule.ports or settings.passive_ports)} to it",
                "tell the router what is below",
            )
    if all(rule.clients for rule in settings.announce):
        inside = bool(own) and all(map(is_private, own))
        yield Finding(
            "announce",
            State.DOUBTFUL if inside else State.RIGHT,
            f"all other clients: 227 names the address that they call{', and this machine has no public one' * inside}",
            "if clients come through a NAT, write the address by which they reach the server in public_address"
            if inside
            else "",
        )


def check_firewall(settings: Settings, firewall: Ruleset | str) -> Iterator[Finding]:
    """What the machine's own firewall lets through."""
    if isinstance(firewall, str):
        yield Finding("firewall", State.DOUBTFUL, firewall)
        return
    control = sorted({port for _, port in settings.everywhere if port})
    for family in _families(settings):
        for what, ports in (
            *(("the control port", range(port, port + 1)) for port in control),
            ("the passive ports", settings.passive_ports),
        ):
            yield from _let_in(firewall, family, what, ports)
        if settings.active:
            sources = offer_of(settings).sources
            source = sources[0][0] if sources else None
            verdict = firewall.verdict(Packet("output", family, 50_000, source))
            if verdict in {Verdict.DROPPED, Verdict.REJECTED}:
                yield Finding(
                    "firewall",
                    State.DOUBTFUL,
                    f"IPv{family}: calls to clients (active mode) are {verdict} on this machine",
                    "let them out as below, or set active = false",
                )


def _let_in(firewall: Ruleset, family: Literal[4, 6], what: str, ports: range) -> Iterator[Finding]:
    for some, verdict in firewall.spans(ports, family):
        where = f"IPv{family}: {what} {span(some)}"
        if verdict is Verdict.ACCEPTED:
            yield Finding("firewall", State.RIGHT, f"{where} may be called, says this machine's firewall")
        elif verdict is Verdict.UNKNOWN:
            yield Finding(
                "firewall",
                State.DOUBTFUL,
                f"{where} may be called by some, says this machine's firewall, or not always",
            )
        else:
            yield Finding(
                "firewall",
                State.WRONG,
                f"{where}: calls are {verdict} by this machine's firewall",
                "let them in as below",
            )


def check_certificates(settings: Settings, certificates: Sequence[Shown], now: datetime) -> Iterator[Finding]:
    """Whether clients accept them."""
    if not settings.tls.certificates:
        yield Finding(
            "certificate",
            State.DOUBTFUL,
            "there is no TLS: passwords and files go in clear",
            "give tls.certificate, or tls.self_signed = true",
        )
    for shown in certificates:
        until = f"until {shown.ends:%Y-%m-%d}"
        if not shown.begins <= now < shown.ends:
            yield Finding(
                "certificate",
                State.WRONG,
                f"{shown.file} is valid from {shown.begins:%Y-%m-%d} {until}: clients refuse it now",
                "renew it",
            )
        elif shown.ends - now < SOON:
            yield Finding("certificate", State.DOUBTFUL, f"{shown.file} is valid only {until}", "renew it")
        else:
            yield Finding("certificate", State.RIGHT, f"{shown.file} is valid {until}, for {', '.join(shown.names)}")
        if shown.distrust:
            yield Finding(
                "certificate",
                State.DOUBTFUL,
                f"clients with this machine's authorities do not trust {shown.file}: {shown.distrust}",
                "put the certificates up to the authority behind the server's own, or tell clients to trust it by its"
                " SHA-256, which `fairlead serve` prints",
            )
    if certificates:
        wanted = dict.fromkeys(
            [*settings.names, *(rule.address for rule in settings.announce if rule.address and not rule.clients)]
        )
        for name in wanted:
            if not any(shown.serves(name) for shown in certificates) and not (is_address(name) and settings.names):
                yield Finding(
                    "certificate",
                    State.DOUBTFUL,
                    f"no certificate is for {name}: clients that call it so refuse the server",
                    "have one issued for that name, too, if clients use it",
                )


def _families(settings: Settings) -> Sequence[Literal[4, 6]]:
    hosts = {host for host, _ in settings.everywhere}
    four = "::" in hosts or any(family_of(host) == 4 for host in hosts)
    six = any(":" in host for host in hosts)
    return (4, 6) if four and six else (6,) if six else (4,)
