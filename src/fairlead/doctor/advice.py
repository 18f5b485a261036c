"""From an examination to one sentence of verdict, and to who should change what."""

from __future__ import annotations

from collections.abc import Iterable

from fairlead.doctor.examine import Examination
from fairlead.reach.advice import Advice, Finding, Surroundings, advise, best
from fairlead.reach.cause import Cause
from fairlead.reach.evidence import Answer, Evidence, Family
from fairlead.reach.explanations import EXPLANATIONS, Owner
from fairlead.reach.verdict import LASTING, NOT_OFFERED


def findings(found: Examination) -> tuple[Finding, ...]:
    """What became of each probe, and of the sessions that did not begin."""
    sessions = [Finding(cause=look.cause, family=look.family) for look in found.looks if look.cause is not Cause.OK]
    if found.unresolved:
        sessions.append(Finding(cause=Cause.CONTROL_UNRESOLVED))
    if any(look.certificate for look in found.looks):
        sessions.append(Finding(cause=Cause.CERTIFICATE_INVALID))
    probes = [
        Finding(cause=probe.cause, mode=probe.seen.mode, family=probe.seen.family, private=probe.seen.private)
        for probe in found.probes
    ]
    return (*sessions, *probes)


def surroundings(found: Examination) -> Surroundings:
    """What the probes tell of the path."""
    seen = [probe.seen for probe in found.probes]
    server: dict[Family, str] = {look.family: look.address[0] for look in found.looks}
    client: dict[Family, str] = {look.family: look.local for look in found.looks if look.local}
    announced = next((each.host for each in seen if _announced_elsewhere(each)), "")
    return Surroundings(
        server=server,
        inside=next((look.inside for look in found.looks if look.inside), "") or announced,
        announced=announced,
        client=client,
        outside=next((each.seen for each in seen if each.family == 4 and each.seen not in {"", each.local}), ""),
        ports=tuple(port for each in seen if each.passive for port in _ports(each)),
        closed=any(_closed(each) for each in seen),
        mapped=any(look.family == 6 and "." in look.seen for look in found.looks),
        dropped_by=_dropped_by(seen),
        active_ports=_range(found),
        offers_tls=any(look.offers_tls for look in found.looks),
    )


def advice(found: Examination) -> tuple[Advice, ...]:
    """Whom to ask for what, in the order of least effort."""
    return advise(findings(found), surroundings(found))


def verdict(found: Examination) -> str:
    """One sentence: what works, and the first cause of what does not."""
    if found.unresolved:
        return EXPLANATIONS[Cause.CONTROL_UNRESOLVED].sentence
    look = found.control
    if look is not None and look.cause is not Cause.OK:
        return EXPLANATIONS[look.cause].sentence
    all_findings = [each for each in findings(found) if each.mode]
    works = [each for each in all_findings if each.cause is Cause.OK]
    failing = [each for each in all_findings if each.cause is not Cause.OK and each.cause not in NOT_OFFERED]
    way = best(works)
    if way is None:
        worst = failing[0].cause if failing else all_findings[0].cause if all_findings else Cause.CONTROL_LOST
        return f"No data connection can be made: {_small(EXPLANATIONS[worst].sentence)}"
    if not failing:
        return "Every mode that the server offers works from here."
    if {each.cause for each in failing} <= LASTING:
        sentence = EXPLANATIONS[failing[0].cause].sentence
        return f"Listings arrive in every mode that is offered; a long transfer fails: {_small(sentence)}"
    failing = [each for each in failing if each.cause not in LASTING] + [
        each for each in failing if each.cause in LASTING
    ]
    first = [each for each in failing if each.cause is failing[0].cause]
    hidden = {each.private for each in first}
    only = "" if len(hidden) > 1 else " under TLS" if hidden == {True} else " in clear"
    only = only if len({each.private for each in all_findings if each.cause not in NOT_OFFERED}) > 1 else ""
    rest = len({each.cause for each in failing}) - 1
    more = "" if not rest else f" ({rest} more {'cause' if rest == 1 else 'causes'} below)"
    worked, failed = _modes(works), _modes(first)
    return (
        f"{_listed(worked)} {'works' if len(worked) == 1 else 'work'}; "
        f"{_listed(failed)} {'does' if len(failed) == 1 else 'do'} not{only}: "
        f"{_small(EXPLANATIONS[failing[0].cause].sentence)[:-1]}{more}."
    )


def _modes(findings: list[Finding]) -> list[str]:
    return list(dict.fromkeys(each.mode for each in findings))


def _small(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _announced_elsewhere(seen: Evidence) -> bool:
    return seen.mode == "PASV" and seen.family == 4 and bool(seen.host) and seen.host != seen.peer


def _ports(seen: Evidence) -> list[int]:
    return [*([seen.port] if seen.port else []), *(call.port for call in seen.samples)]


def _closed(seen: Evidence) -> bool:
    at_peer = [call for call in (*seen.calls, *seen.samples) if call.host == seen.peer]
    return seen.passive and any(call.answer is not Answer.CONNECTED for call in at_peer)


def _dropped_by(attempts: Iterable[Evidence]) -> Owner | None:
    """Whose network drops calls to the passive ports: that behind the last router which they reach."""
    last = [each for each in attempts if each.router]
    if last and all(each.near_server for each in last):
        return Owner.SERVERS_NETWORK
    if last and all(each.hop == 1 for each in last):
        return Owner.YOUR_NETWORK
    return None


def way(found: Examination) -> str:
    """How far calls to the passive ports get, in one sentence; empty where that is not known."""
    places = {
        each.router: f"{each.router} (router {each.hop} on the way{', next to the server' if each.near_server else ''})"
        for each in (probe.seen for probe in found.probes)
        if each.router
    }
    return f"The call gets as far as {' and '.join(places.values())} and is dropped there or behind." if places else ""


def _range(found: Examination) -> range | None:
    ports = found.plan.settings.active_ports
    return range(min(ports), max(ports) + 1) if ports else None
