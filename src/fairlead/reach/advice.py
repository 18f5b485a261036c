"""From causes to what to do: by whoever can do it, those first whom it costs least, each with its exact settings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

from fairlead.reach.cause import Cause
from fairlead.reach.evidence import PASSIVE, Family
from fairlead.reach.explanations import EXPLANATIONS, Owner
from fairlead.reach.products import clients, servers
from fairlead.reach.products.networks import passing
from fairlead.reach.rules.model import Forward, Opening, Place, RuleSet
from fairlead.reach.verdict import LASTING, NOT_OFFERED

PORTS = range(50000, 50100)
"""Passive ports where none was seen."""
ACTIVE_PORTS = range(40000, 40100)
"""Where a client waits so that a firewall can know it."""
_WIDEST = 1000
_HIGH = range(1024, 65536)
_CLOSED = frozenset(
    {Cause.PASSIVE_DROPPED, Cause.PASSIVE_REJECTED, Cause.PASSIVE_RANGE_PARTLY_OPEN, Cause.HELPER_BLIND}
)
_UNCALLED = frozenset({Cause.ACTIVE_DROPPED, Cause.ACTIVE_REJECTED, Cause.ACTIVE_PRIVATE_ADDRESS, Cause.HELPER_BLIND})


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What became of a mode; ``mode`` is empty where the session did not come so far."""

    cause: Cause
    mode: str = ""
    family: Family = 4
    private: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What is known of the path; everything may be missing."""

    server: Mapping[Family, str] = field(default_factory=lambda: MappingProxyType({}))
    """The server's address as the client calls it, by family."""
    inside: str = ""
    """The server's own IPv4 address behind a router."""
    announced: str = ""
    """The address that 227 told and that leads nowhere."""
    client: Mapping[Family, str] = field(default_factory=lambda: MappingProxyType({}))
    """The client's own address, by family."""
    outside: str = ""
    """The client's IPv4 address as the server sees it, where that is another."""
    ports: tuple[int, ...] = ()
    """Passive ports that the server announced."""
    closed: bool = False
    """Whether announced ports were closed even at the server's own address."""
    mapped: bool = False
    """Whether the server is reached by an IPv6 address that stands for an IPv4 one (NAT64)."""
    dropped_by: Owner | None = None
    """In whose network calls to the passive ports end, where that is known."""
    active_ports: range | None = None
    """Where the client was told to wait."""
    offers_tls: bool = False


@dataclass(frozen=True, slots=True)
class Advice:
    """What one of those concerned can do."""

    owner: Owner
    text: str
    settings: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """The exact lines, by product (:data:`fairlead.reach.products.TITLES`)."""


class Case(NamedTuple):
    """A cause with all that it was found in."""

    cause: Cause
    found: tuple[Finding, ...]
    works: tuple[Finding, ...]
    around: Surroundings

    @property
    def passive(self) -> tuple[Finding, ...]:
        """Of passive modes."""
        return tuple(each for each in self.found if each.mode in PASSIVE)

    @property
    def active(self) -> tuple[Finding, ...]:
        """Of active modes."""
        return tuple(each for each in self.found if each.mode and each.mode not in PASSIVE)


Adviser: TypeAlias = Callable[[Case], Iterator[Advice]]


def advise(findings: Iterable[Finding], around: Surroundings | None = None) -> tuple[Advice, ...]:
    """What to do about ``findings``, in the order of least effort; nothing where all is well."""
    found = tuple(findings)
    around = around or Surroundings()
    works = tuple(each for each in found if each.cause is Cause.OK and each.mode)
    causes = [cause for cause in Cause if cause is not Cause.OK and any(each.cause is cause for each in found)]
    advice = list(_use_what_works(found, works))
    closed = tuple(each for each in found if _needs_ports(each, around))
    if closed:
        advice += _passive_ports(Case(closed[0].cause, closed, works, around))
    uncalled = tuple(each for each in found if each.cause in _UNCALLED and each.mode not in PASSIVE)
    if uncalled:
        advice += _active(Case(uncalled[0].cause, uncalled, works, around))
    for cause in causes:
        case = Case(cause, tuple(each for each in found if each.cause is cause), works, around)
        advice += ADVISERS.get(cause, _hint)(case)
    unique = {(each.owner, each.text): each for each in advice}
    order = list(Owner)
    return tuple(sorted(unique.values(), key=lambda each: order.index(each.owner)))


def _needs_ports(each: Finding, around: Surroundings) -> bool:
    """Whether the server's passive ports must be opened for it."""
    if each.cause is Cause.PASSIVE_PRIVATE_ADDRESS:
        return around.closed
    return each.cause in _CLOSED and each.mode in PASSIVE


def best(works: Iterable[Finding]) -> Finding | None:
    """The way to use of those that work: TLS before clear, passive before active."""
    order = ["EPSV", "PASV", "EPRT", "PORT"]
    return min(works, key=lambda each: (not each.private, order.index(each.mode)), default=None)


def range_of(ports: Sequence[int]) -> range:
    """A range to open and to set: round numbers around ``ports``, no wider than it need be."""
    if not ports:
        return PORTS
    first, last = min(ports) // 100 * 100, max(ports) // 100 * 100 + 99
    return range(max(first, 1024), min(last, first + _WIDEST - 1, 65535) + 1)


def _use_what_works(found: Sequence[Finding], works: Sequence[Finding]) -> Iterator[Advice]:
    causes = {each.cause for each in found} - {Cause.OK}
    way = best(works)
    if way is None or not causes - NOT_OFFERED - LASTING - {Cause.CERTIFICATE_INVALID}:
        return
    hidden = all(each.private for each in works if each.mode == way.mode)
    if not way.private and any(each.private for each in found):
        text = f"Use {way.mode} in clear, which works from here and which everybody in between can read."
        yield Advice(Owner.YOU, text, clients.mode(way.mode, tls="off"))
        return
    under = " under TLS" if hidden else ""
    settings = clients.mode(way.mode, tls="require" if hidden else "auto")
    yield Advice(Owner.YOU, f"Use {way.mode}{under}, which works from here.", settings)


def _hint(case: Case) -> Iterator[Advice]:
    explained = EXPLANATIONS[case.cause]
    yield Advice(explained.owner, explained.hint)


def _nothing(_: Case) -> Iterator[Advice]:
    """There is nothing to mend, or all that concerns the same ports was said at once."""
    yield from ()


def _passive_ports(case: Case) -> Iterator[Advice]:
    around, ports = case.around, range_of(case.around.ports)
    families = sorted({each.family for each in case.found})
    span = f"{ports[0]}-{ports[-1]}"
    leaving = RuleSet(
        place=Place.ROUTER,
        openings=tuple(
            Opening(
                purpose="passive data connections", inbound=False, ports=ports, remote=around.server.get(each, ""),
                family=each,
            )
            for each in families
        ),
    )  # fmt: skip
    if around.dropped_by is not Owner.SERVERS_NETWORK:
        only = "" if around.dropped_by else "Only where your own firewall limits what may be called: "
        text = f"{only}let calls out to the server's ports {span}."
        yield Advice(Owner.YOUR_NETWORK, text[0].upper() + text[1:], passing(leaving))
    forwards: tuple[Forward, ...] = ()
    if around.inside and (4 in families or around.mapped):
        forwards = (Forward(purpose="passive data connections", ports=ports, host=around.inside, to=ports),)
    opened = [each for each in families if not (forwards and (each == 4 or around.mapped))]
    rules = RuleSet(
        place=Place.ROUTER,
        openings=tuple(
            Opening(
                purpose="passive data connections", inbound=True, ports=ports,
                host="" if around.mapped else around.server.get(each, ""), family=None if around.mapped else each,
            )
            for each in opened
        ),
        forwards=forwards,
    )  # fmt: skip
    what = f"Forward ports {span} to {around.inside}" if forwards else f"Let in ports {span}"
    and_open = f", and let them in over IPv{opened[0]}" if forwards and opened else ""
    yield Advice(Owner.SERVERS_NETWORK, f"{what}{and_open}: the server's passive data connections.", passing(rules))
    yield Advice(
        Owner.SERVER,
        f"Take passive ports from {span} only, so that the firewall can know them.",
        servers.passive_ports(ports),
    )


def _public_address(case: Case) -> Iterator[Advice]:
    public = case.around.server.get(4, "")
    if public and case.around.announced:
        yield Advice(
            Owner.SERVER, f"Announce {public} in place of {case.around.announced}.", servers.public_address(public)
        )
    elif case.cause is not Cause.HELPER_BLIND:
        yield from _hint(case)


def _active(case: Case) -> Iterator[Advice]:
    around = case.around
    ports = around.active_ports or ACTIVE_PORTS
    families = sorted({each.family for each in case.found})
    translated = bool(around.outside) and 4 in families
    address = around.outside if translated else ""
    span = f"{ports[0]}-{ports[-1]}"
    where = f", and announce {address}" if address else ""
    yield Advice(
        Owner.YOU,
        f"For active mode, wait on ports {span} only{where}; the firewall must let them in, as below.",
        clients.active(ports, address),
    )
    forwards: tuple[Forward, ...] = ()
    if translated:
        forwards = (
            Forward(purpose="active data connections", ports=ports, host=around.client.get(4, ""), to=ports),
        )  # fmt: skip
    opened = [each for each in families if not (translated and each == 4)]
    arriving = RuleSet(
        place=Place.ROUTER,
        openings=tuple(
            Opening(
                purpose="active data connections", inbound=True, ports=ports, remote=around.server.get(each, ""),
                host=around.client.get(each, ""), family=each,
            )
            for each in opened
        ),
        forwards=forwards,
    )  # fmt: skip
    yield Advice(
        Owner.YOUR_NETWORK,
        f"For active mode, let the server's calls {'through' if translated else 'in'} to ports {span}.",
        passing(arriving),
    )
    leaving = RuleSet(
        place=Place.ROUTER,
        openings=tuple(
            Opening(purpose="active data connections", inbound=False, ports=_HIGH, family=each) for each in families
        ),
    )
    if case.cause is not Cause.ACTIVE_PRIVATE_ADDRESS:
        yield Advice(
            Owner.SERVERS_NETWORK,
            "For active mode, let the server call out to its clients' ports.",
            passing(leaving),
        )


def _use_tls(_: Case) -> Iterator[Advice]:
    yield Advice(Owner.YOU, "Use TLS, which the server asks for.", clients.required_tls())


def _hide(case: Case) -> Iterator[Advice]:
    if case.around.offers_tls:
        yield Advice(Owner.YOU, "Use TLS, which hides the dialogue from what changes it.", clients.required_tls())
    yield from _hint(case)
    if not case.around.offers_tls:
        yield Advice(Owner.SERVER, "Offer TLS, which hides the dialogue from what changes it.", servers.tls_offered())


def _resumption(case: Case) -> Iterator[Advice]:
    yield from _hint(case)
    yield Advice(Owner.SERVER, "Do not insist on resumed TLS sessions.", servers.resumption_optional())


def _any_caller(case: Case) -> Iterator[Advice]:
    yield from _hint(case)
    yield Advice(
        Owner.SERVER,
        "Take data connections from other addresses, too, which lets anybody take them: only where nothing else helps.",
        servers.any_caller(),
    )


def _policy(case: Case) -> Iterator[Advice]:
    if case.active:
        yield Advice(Owner.SERVER, "Serve active mode.", servers.active_served())
    if case.passive:
        yield Advice(Owner.SERVER, "Serve passive mode.", servers.passive_served())


def _more_ports(case: Case) -> Iterator[Advice]:
    ports = range_of(case.around.ports)
    wider = range(ports.start, min(ports.start + _WIDEST, 65536))
    yield Advice(Owner.SERVER, "Give it a larger range of passive ports.", servers.passive_ports(wider))


ADVISERS: Mapping[Cause, Adviser] = MappingProxyType(
    {
        Cause.NOT_SUPPORTED: _nothing,
        Cause.FAMILY_UNSUPPORTED: _nothing,
        Cause.TLS_REQUIRED: _use_tls,
        Cause.REFUSED_BY_POLICY: _policy,
        Cause.PASSIVE_DROPPED: _nothing,
        Cause.PASSIVE_REJECTED: _nothing,
        Cause.PASSIVE_RANGE_PARTLY_OPEN: _nothing,
        Cause.PASSIVE_PRIVATE_ADDRESS: _public_address,
        Cause.PASSIVE_REWRITTEN: _hide,
        Cause.PASSIVE_EXHAUSTED: _more_ports,
        Cause.ACTIVE_DROPPED: _nothing,
        Cause.ACTIVE_REJECTED: _nothing,
        Cause.ACTIVE_PRIVATE_ADDRESS: _nothing,
        Cause.HELPER_BLIND: _public_address,
        Cause.DATA_TLS_NOT_RESUMED: _resumption,
        Cause.DATA_PEER_REFUSED: _any_caller,
    }
)
"""Who advises on which cause; on the others the hint of their explanation is all."""
