"""What each mode needs at each side, before it is known where the rules will stand."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from typing import Literal

from fairlead.reach.rules.model import Forward, Opening, Place, RuleSet

MODES = ("epsv", "pasv", "eprt", "port")
PASSIVE = frozenset({"epsv", "pasv"})
IPV4_ONLY = frozenset({"pasv", "port"})
"""Modes whose arguments hold no IPv6 address."""
CALLED = range(1024, 65536)
"""The ports at which clients may wait in active mode; servers call no others (RFC 2577 section 3)."""
EPHEMERAL = range(32768, 61000)
"""The ports at which clients on Linux wait unless they are told which."""


@dataclass(frozen=True, slots=True)
class Listener:
    """Where control connections are accepted; ``host`` is empty for all addresses, ``family`` None for both."""

    port: int
    host: str = ""
    family: Literal[4, 6] | None = None
    tls: bool = False
    """Whether TLS comes before FTP there."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What a server offers, as far as firewalls care."""

    listeners: tuple[Listener, ...]
    passive: range
    public_passive: tuple[range, ...] = ()
    """The ports that a router has for the passive ones, where they differ."""
    active: bool = True
    sources: tuple[range, ...] = ()
    """The ports from which the server calls in active mode; empty for any."""


def server_side(offer: Offer, modes: Collection[str], *, helper: bool = False) -> RuleSet:
    """What the server's machine must let through so that ``modes`` (of :data:`MODES`) work.

    With ``helper`` the kernel's FTP helper opens the data connections, where nothing hides the dialogue from it.
    """
    openings = [_control(each, inbound=True) for each in offer.listeners if each.port]
    if not helper:
        openings += _passive(offer, modes)
        openings += _active(offer, modes, inbound=False, ports=CALLED)
    return RuleSet(place=Place.HOST, openings=tuple(openings), helper_ports=_helped(offer) if helper else ())


def client_side(
    offer: Offer, modes: Collection[str], active_ports: range = EPHEMERAL, *, server: str = "", helper: bool = False
) -> RuleSet:
    """As :func:`server_side`, for the machine of a client that calls ``server`` (empty for any)."""
    openings = [
        Opening(purpose=each.purpose, inbound=False, ports=each.ports, remote=server, family=each.family)
        for each in (_control(listener, inbound=False) for listener in offer.listeners if listener.port)
    ]
    if not helper:
        openings += (
            replace(each, inbound=False, ports=ports, remote=server, host="")
            for each in _passive(offer, modes)[:1]
            for ports in offer.public_passive or (offer.passive,)
        )
        openings += _active(offer, modes, inbound=True, ports=active_ports, remote=server)
    unique = {(each.inbound, each.ports, each.source_ports, each.family): each for each in openings}
    return RuleSet(place=Place.HOST, openings=tuple(unique.values()), helper_ports=_helped(offer) if helper else ())


def at_router(rules: RuleSet, inside: str = "", *, translated: bool = False, offer: Offer | None = None) -> RuleSet:
    """``rules`` of a machine for a router before it; ``inside`` is the machine's address, empty for any.

    Where the router translates addresses, what is let in is forwarded; ``offer`` tells the router's own ports for the
    passive ones. Over IPv6, and over IPv4 unless an address of it is given, nothing is translated.
    """
    forwards: list[Forward] = []
    openings: list[Opening] = []
    for each in rules.openings:
        here = replace(each, host=inside or each.host)
        if not _suits(here):
            continue
        if not (translated and each.inbound):
            openings.append(here)
            continue
        public = offer.public_passive if offer is not None and each.ports == offer.passive else ()
        forwards += _forwards(here, public or (each.ports,))
    return RuleSet(
        place=Place.ROUTER,
        openings=tuple(dict.fromkeys(openings)),
        forwards=tuple(dict.fromkeys(forwards)),
        helper_ports=rules.helper_ports,
    )


def _forwards(opening: Opening, public: tuple[range, ...]) -> Iterator[Forward]:
    for ports in public:
        yield Forward(
            purpose=opening.purpose,
            ports=ports,
            host=opening.host,
            to=opening.ports,
            source_ports=opening.source_ports,
            remote=opening.remote,
        )


def _control(listener: Listener, *, inbound: bool) -> Opening:
    return Opening(
        purpose="control connections under TLS" if listener.tls else "control connections",
        inbound=inbound,
        ports=range(listener.port, listener.port + 1),
        host=listener.host if inbound else "",
        family=listener.family,
    )


def _passive(offer: Offer, modes: Collection[str]) -> list[Opening]:
    """One opening for each address at which the server listens, or one for all."""
    if PASSIVE.isdisjoint(modes):
        return []
    limited = _family(modes, active=False)
    hosts = {(each.host, each.family) for each in offer.listeners}
    families = {family for host, family in hosts if not host}
    if families:  # some listener accepts at all addresses
        hosts = {("", None if len(families) > 1 or None in families else families.pop())}
    found = []
    for host, family in sorted(hosts, key=str):
        chosen: Literal[4, 6] | None = family if family is not None else limited
        if limited is None or chosen == limited:
            found.append(
                Opening(purpose="passive data connections", inbound=True, ports=offer.passive, host=host, family=chosen)
            )
    return found


def _active(
    offer: Offer, modes: Collection[str], *, inbound: bool, ports: range, remote: str = ""
) -> Iterator[Opening]:
    """The server's calls to the client's ``ports``."""
    if not offer.active or PASSIVE.issuperset(modes):
        return
    for sources in offer.sources or (None,):
        yield Opening(
            purpose="active data connections",
            inbound=inbound,
            ports=ports,
            source_ports=sources,
            remote=remote,
            family=_family(modes, active=True),
        )


def _family(modes: Collection[str], *, active: bool) -> Literal[4] | None:
    """4 where all of the active, or of the passive, of ``modes`` are for IPv4 only."""
    concerned = set(modes) - PASSIVE if active else PASSIVE.intersection(modes)
    return 4 if concerned and concerned <= IPV4_ONLY else None


def _helped(offer: Offer) -> tuple[int, ...]:
    return tuple(sorted({each.port for each in offer.listeners if each.port and not each.tls}))


def _suits(opening: Opening) -> bool:
    """Whether the address inside is of the family that the opening is for."""
    if not opening.host or opening.family is None:
        return True
    return (":" in opening.host) == (opening.family == 6)
