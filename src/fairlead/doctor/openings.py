"""What must pass between a server and its clients, from the server's settings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from ipaddress import ip_address
from typing import Literal

from fairlead.reach.rules import Forward, Opening, Place, RuleSet
from fairlead.server.settings import Settings

CALLED = range(1024, 65536)
"""The ports at which clients wait in active mode; the server calls no others (RFC 2577 section 3)."""
_WILDCARDS = frozenset({"::", "0.0.0.0"})


def host_rules(settings: Settings) -> RuleSet:
    """What the machine itself must let in and out."""
    return RuleSet(place=Place.HOST, openings=tuple(_openings(settings)))


def router_rules(settings: Settings, inside: str) -> RuleSet:
    """What a router before the server must let through, and forward to the server's address ``inside``.

    Over IPv4 it forwards, over IPv6 it lets through; where ``inside`` is empty nothing is translated.
    """
    if not inside:
        return RuleSet(place=Place.ROUTER, openings=tuple(_openings(settings)))
    forwards = [
        Forward(purpose=purpose, ports=range(port, port + 1), host=inside, to=range(port, port + 1))
        for purpose, _, port in _control(settings)
        if port
    ]
    forwards += [
        Forward(purpose="passive data connections", ports=ports, host=inside, to=settings.passive_ports)
        for ports in _public_ports(settings)
    ]
    through = [
        replace(opening, family=6) if opening.inbound else opening
        for opening in _openings(settings)
        if opening.family != 4
    ]
    return RuleSet(place=Place.ROUTER, openings=tuple(through), forwards=tuple(dict.fromkeys(forwards)))


def active_sources(settings: Settings) -> range | None:
    """The ports from which the server calls; None for any."""
    if settings.active_source_port == 0:
        return None
    if settings.active_source_port is not None:
        return range(settings.active_source_port, settings.active_source_port + 1)
    sources = sorted({max(port - 1, 0) for _, port in settings.everywhere})
    if not sources or sources[0] == 0 or sources[-1] - sources[0] >= len(sources):
        return None
    return range(sources[0], sources[-1] + 1)


def _openings(settings: Settings) -> Iterator[Opening]:
    for purpose, host, port in _control(settings):
        if port:
            yield _inbound(purpose, host, range(port, port + 1))
    hosts = {host for host, _ in settings.everywhere}
    for host in sorted(hosts - _WILDCARDS) if not hosts & _WILDCARDS else ["::" if "::" in hosts else "0.0.0.0"]:
        yield _inbound("passive data connections", host, settings.passive_ports)
    if settings.active:
        yield Opening(
            purpose="active data connections", inbound=False, ports=CALLED, source_ports=active_sources(settings)
        )


def _control(settings: Settings) -> Iterator[tuple[str, str, int]]:
    """The purpose, the host and the port of each listener, each once."""
    known = set()
    under_tls = settings.tls.implicit
    for purpose, places in (("control connections", settings.listen), ("control connections under TLS", under_tls)):
        for host, port in places:
            if (host, port) not in known:
                known.add((host, port))
                yield purpose, host, port


def _inbound(purpose: str, host: str, ports: range) -> Opening:
    family: Literal[4, 6] | None = None if host == "::" else 6 if ":" in host else 4
    return Opening(purpose=purpose, inbound=True, ports=ports, host=_address(host), family=family)


def _address(host: str) -> str:
    """``host`` where it is the address of one interface; a name says nothing to a firewall."""
    try:
        return "" if host in _WILDCARDS else str(ip_address(host.partition("%")[0]))
    except ValueError:
        return ""


def _public_ports(settings: Settings) -> Iterator[range]:
    """The ports that the router has for the passive ones: those of each rule, or the same."""
    known = {rule.ports or settings.passive_ports for rule in settings.announce if rule.ports or rule.address}
    yield from sorted(known or {settings.passive_ports}, key=lambda ports: ports[0])
