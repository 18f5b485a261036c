"""What must pass between a server and its clients, from the server's settings."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from ipaddress import ip_address
from typing import Literal

from fairlead.reach.rules.model import RuleSet
from fairlead.reach.rules.needs import MODES, Listener, Offer, at_router, server_side
from fairlead.server.settings import Settings


def offered(
    listen: Iterable[tuple[str, int]],
    implicit: Iterable[tuple[str, int]],
    passive_ports: range,
    *,
    public: Iterable[range] = (),
    active: bool = True,
    source_port: int | None = None,
) -> Offer:
    """What a server offers that listens in clear and with TLS before FTP at such hosts and ports.

    ``public`` are the ports that a router has for the passive ones, ``source_port`` is as in the settings.
    """
    places = [(host, port, False) for host, port in listen] + [(host, port, True) for host, port in implicit]
    listeners = dict.fromkeys(_listener(*place) for place in places)
    ports = [port for _, port, _ in places]
    return Offer(tuple(listeners), passive_ports, tuple(dict.fromkeys(public)), active, _sources(source_port, ports))


def offer_of(settings: Settings) -> Offer:
    """What a server of ``settings`` offers."""
    passive = settings.passive_ports
    rules = settings.announce
    public = [rule.ports or passive for rule in rules if rule.ports or rule.address]
    return offered(
        settings.listen,
        settings.tls.implicit,
        passive,
        public=public,
        active=settings.active,
        source_port=settings.active_source_port,
    )


def host_rules(settings: Settings) -> RuleSet:
    """What the machine itself must let in and out."""
    return server_side(offer_of(settings), MODES)


def router_rules(settings: Settings, inside: str) -> RuleSet:
    """What a router before the server must let through, and forward to the server's IPv4 address ``inside``.

    Over IPv6 nothing is translated, nor where ``inside`` is empty.
    """
    rules = host_rules(settings)
    if not inside:
        return at_router(rules)
    forwarded = at_router(_of_family(rules, 4), inside, translated=True, offer=offer_of(settings))
    passed = at_router(_of_family(rules, 6))
    return replace(forwarded, openings=(*forwarded.openings, *passed.openings))


def _of_family(rules: RuleSet, family: Literal[4, 6]) -> RuleSet:
    openings = (replace(each, family=family) for each in rules.openings if each.family in {None, family})
    return replace(rules, openings=tuple(openings))


def _listener(host: str, port: int, tls: bool) -> Listener:
    """A listener as firewalls see it: a name says nothing to them, and ``::`` takes both families."""
    if host in {"::", ""}:
        return Listener(port, tls=tls)
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return Listener(port, tls=tls)
    family: Literal[4, 6] = 6 if address.version == 6 else 4
    return Listener(port, "" if address.is_unspecified else str(address), family, tls)


def _sources(setting: int | None, ports: list[int]) -> tuple[range, ...]:
    """The ports from which the server calls (RFC 959 section 3.2: that of the listener minus one); none for any."""
    sources = sorted({port - 1 for port in ports}) if setting is None else [setting]
    return tuple(range(port, port + 1) for port in sources) if min(sources, default=0) > 0 else ()
