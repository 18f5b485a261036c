"""From what was observed to the cause: first each attempt alone, then the attempts beside one another."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from fairlead.reach.cause import Cause
from fairlead.reach.evidence import IPV4_ONLY, Answer, Evidence, Said
from fairlead.reach.private import is_private

UNKNOWN_COMMAND = frozenset({500, 502})
FAMILY_REFUSED = 522
TLS_WANTED = frozenset({521, 522, 533, 534, 536})
"""Refusals of data connections in clear (RFC 2228, RFC 4217), 522 where it is not about the family."""
NOT_OPENED = frozenset({425, 421})
PATH = frozenset(
    {
        Cause.PASSIVE_DROPPED,
        Cause.PASSIVE_REJECTED,
        Cause.PASSIVE_PRIVATE_ADDRESS,
        Cause.PASSIVE_RANGE_PARTLY_OPEN,
        Cause.ACTIVE_DROPPED,
        Cause.ACTIVE_REJECTED,
        Cause.ACTIVE_PRIVATE_ADDRESS,
    }
)
"""Causes that lie on the way between the two."""
_ALIKE = frozenset({Cause.OK, Cause.PASSIVE_DROPPED, Cause.PASSIVE_REJECTED})
"""What a range that is partly open may look like where only some of its ports were met."""
_MISSED = frozenset(
    {
        Cause.PASSIVE_DROPPED,
        Cause.PASSIVE_REJECTED,
        Cause.PASSIVE_RANGE_PARTLY_OPEN,
        Cause.DATA_PEER_REFUSED,
        Cause.DATA_STALLED,
        Cause.DATA_CUT,
    }
)
"""What comes of calling another port than the one on which the server waits; it may be that of another session."""
LASTING = frozenset({Cause.DATA_CUT, Cause.CONTROL_FORGOTTEN})
"""Causes that only long transfers meet, in whichever mode."""
_TELLING = 4
"""So many ports of a mode must be known to tell where its range lies."""
_NEAR = 100
"""Ports that are no further from one another may be of one range."""
NOT_OFFERED = frozenset({Cause.NOT_SUPPORTED, Cause.FAMILY_UNSUPPORTED, Cause.TLS_REQUIRED, Cause.REFUSED_BY_POLICY})
"""Causes that mean that the server does not offer the mode."""

_CAUSES = {cause.value: cause for cause in Cause}
_NAMED = re.compile(r"\(([a-z-]+)\)\.?$")
_NOT_THE_CALLER = re.compile(
    r"only to|only the address|illegal|foreign|bounce|not match|own (?:ip|address)", re.IGNORECASE
)
"""How servers refuse to call an address that is not the client's own (RFC 2577 section 3)."""
_REFUSED_NOT_UNKNOWN = re.compile(r"illegal|refus|reject|won't|denied|not allowed|disabled|foreign", re.IGNORECASE)
_ABOUT_FAMILY = re.compile(r"\([12](?: *, *[12])*\)|protocol|family", re.IGNORECASE)
_ABOUT_TLS = re.compile(r"ssl|tls|encrypt|protect|PROT\b|secur", re.IGNORECASE)
_RESUMPTION = re.compile(r"reuse|resum|session", re.IGNORECASE)
_NO_ANSWER = re.compile(r"timed? ?out", re.IGNORECASE)


def named(reply: Said | None) -> Cause | None:
    """The cause that a Fairlead server names at the end of its reply."""
    match = _NAMED.search(reply.text) if reply is not None else None
    return _CAUSES.get(match[1]) if match is not None else None


def _refused(seen: Evidence) -> bool:
    return seen.setup is not None and seen.setup.code >= 400


def _refused_with(*codes: int) -> Callable[[Evidence], bool]:
    return lambda seen: seen.setup is not None and seen.setup.code in codes


def _worked(seen: Evidence) -> bool:
    if seen.enough:
        return True
    return seen.ended and not seen.broke and seen.final is not None and 200 <= seen.final.code < 300


def put_right(seen: Evidence) -> bool:
    """Whether a helper on the way wrote the address that the server sees into PORT or EPRT.

    The server says which address it took, or took ours though it refuses all but the one that it sees.
    """
    if seen.setup is None or _refused(seen) or not seen.seen or seen.seen == seen.host:
        return False
    return seen.seen in seen.setup.text or seen.strict is True


def _translated(seen: Evidence) -> bool:
    """Whether a router stands between us and the server that shows another address for ours, also in PORT and EPRT."""
    if put_right(seen):
        return False
    if seen.seen:
        return seen.seen != seen.host
    return is_private(seen.host) and not is_private(seen.peer)


def _no_such_form(seen: Evidence) -> bool:
    return seen.family == 6 and seen.mode in IPV4_ONLY


def _between_families(seen: Evidence) -> bool:
    """Whether the server knows us by an address of the other family, and did not take ours."""
    other = not seen.passive and bool(seen.seen and seen.host) and (":" in seen.seen) != (":" in seen.host)
    return other and (seen.setup is None or _refused(seen))


def _wrong_family(seen: Evidence) -> bool:
    if _no_such_form(seen):
        return True
    if _between_families(seen):
        return True
    return (
        seen.setup is not None
        and seen.setup.code == FAMILY_REFUSED
        and bool(_ABOUT_FAMILY.search(seen.setup.text))
        and not _ABOUT_TLS.search(seen.setup.text)
    )


def _wants_tls(seen: Evidence) -> bool:
    return not seen.private and any(
        said is not None and said.code in TLS_WANTED | {530, 550} and bool(_ABOUT_TLS.search(said.text))
        for said in (seen.setup, seen.final)
    )


def _unknown(seen: Evidence) -> bool:
    return (
        seen.setup is not None
        and seen.setup.code in UNKNOWN_COMMAND
        and not _REFUSED_NOT_UNKNOWN.search(seen.setup.text)
    )


def _not_the_caller(seen: Evidence) -> bool:
    """Whether the server refuses to call us since the address that we announced is not the one it sees."""
    if seen.passive or not _refused(seen) or seen.setup is None:
        return False
    if named(seen.setup) is Cause.ACTIVE_PRIVATE_ADDRESS:
        return True
    if seen.seen:
        return seen.seen != seen.host
    return bool(_NOT_THE_CALLER.search(seen.setup.text)) or _translated(seen)


def _elsewhere(seen: Evidence) -> bool:
    """Whether 227 names an address that is not the server's, and that does not answer."""
    return (
        seen.mode == "PASV"
        and bool(seen.host)
        and seen.host != seen.peer
        and not any(call.host == seen.host and call.answer is Answer.CONNECTED for call in seen.calls)
    )


def _rewritten(seen: Evidence) -> bool:
    return seen.passive and bool(seen.told) and seen.told != seen.port and seen.answer not in {None, Answer.CONNECTED}


def _mixed(seen: Evidence) -> bool:
    """Whether some ports that were announced answered and some did not."""
    answers = {call.answer for call in seen.samples}
    if seen.answer is not None:
        answers.add(seen.answer)
    return Answer.CONNECTED in answers and len(answers) > 1


def _connected(seen: Evidence) -> bool:
    return seen.answer is Answer.CONNECTED or bool(seen.caller)


def _not_opened(seen: Evidence) -> bool:
    return seen.final is not None and seen.final.code in NOT_OPENED


def _not_resumed(seen: Evidence) -> bool:
    if not seen.private or seen.final is None or seen.resumed or not _connected(seen):
        return False
    if seen.final.code == 522:
        return not seen.handshake or bool(_RESUMPTION.search(seen.final.text))
    return seen.final.code == 425 and seen.resumed is False and not seen.handshake


def _server_gave_up(seen: Evidence) -> bool:
    """Whether the server learned at once that its call came to nothing."""
    return _not_opened(seen) and seen.final is not None and not _NO_ANSWER.search(seen.final.text)


class Rule(NamedTuple):
    """When ``fits``, the cause is ``cause``."""

    cause: Cause
    fits: Callable[[Evidence], bool]


RULES: tuple[Rule, ...] = (
    Rule(Cause.FAMILY_UNSUPPORTED, _wrong_family),
    Rule(Cause.PASSIVE_PRIVATE_ADDRESS, _elsewhere),
    Rule(Cause.PASSIVE_REWRITTEN, _rewritten),
    Rule(Cause.PASSIVE_RANGE_PARTLY_OPEN, _mixed),
    Rule(Cause.CONTROL_FORGOTTEN, lambda seen: seen.forgotten),
    Rule(Cause.OK, _worked),
    Rule(Cause.TLS_REQUIRED, _wants_tls),
    Rule(Cause.ACTIVE_PRIVATE_ADDRESS, _not_the_caller),
    Rule(Cause.NOT_SUPPORTED, _unknown),
    Rule(Cause.PASSIVE_EXHAUSTED, lambda seen: seen.passive and _refused_with(421, 425, 426, 450, 451, 452)(seen)),
    Rule(Cause.REFUSED_BY_POLICY, _refused),
    Rule(Cause.CONTROL_LOST, lambda seen: seen.setup is None),
    # We call the server.
    Rule(Cause.PASSIVE_DROPPED, lambda seen: seen.answer is Answer.SILENT),
    Rule(Cause.PASSIVE_REJECTED, lambda seen: seen.answer in {Answer.REFUSED, Answer.UNREACHABLE}),
    # The server calls us.
    Rule(Cause.ACTIVE_PRIVATE_ADDRESS, lambda seen: not _connected(seen) and _translated(seen)),
    Rule(Cause.ACTIVE_REJECTED, lambda seen: not _connected(seen) and _server_gave_up(seen)),
    Rule(Cause.ACTIVE_DROPPED, lambda seen: not _connected(seen)),
    # The connection is there.
    Rule(Cause.DATA_TLS_NOT_RESUMED, _not_resumed),
    Rule(Cause.DATA_TLS_FAILED, lambda seen: bool(seen.handshake)),
    Rule(Cause.DATA_PEER_REFUSED, lambda seen: _not_opened(seen) and not seen.octets),
    Rule(Cause.CONTROL_FORGOTTEN, lambda seen: seen.ended and seen.final is None and seen.idle > 0),
    Rule(Cause.CONTROL_LOST, lambda seen: seen.ended and seen.final is None),
    Rule(Cause.DATA_CUT, lambda seen: bool(seen.broke) or (seen.final is not None and seen.final.code == 426)),
    Rule(Cause.REFUSED_BY_POLICY, lambda seen: seen.final is not None and seen.final.code >= 400),
    Rule(Cause.DATA_STALLED, lambda _: True),
)
"""The first that fits counts."""


def alone(seen: Evidence) -> Cause:
    """The cause as far as this attempt tells."""
    if seen.session is Cause.CONTROL_LOST and _wrong_family(seen):
        return Cause.FAMILY_UNSUPPORTED
    if seen.session is not Cause.OK:
        return seen.session
    judged = next(rule.cause for rule in RULES if rule.fits(seen))
    said = named(seen.final)
    if said is not None and _connected(seen) and judged is not Cause.OK:
        return said
    if judged is Cause.OK and seen.private and not seen.trusted:
        return Cause.CERTIFICATE_INVALID
    return judged


def together(attempts: Sequence[Evidence]) -> tuple[Cause, ...]:
    """The cause of each attempt, in the light of the others over the same path."""
    causes = list(map(alone, attempts))
    for hidden in (False, True):
        for index in _apart(attempts, causes, private=hidden):
            causes[index] = Cause.PASSIVE_REWRITTEN
    for index, seen in enumerate(attempts):
        causes[index] = _same_range(seen, causes[index], attempts, causes)
    first = tuple(causes)
    return tuple(
        _in_other_light(seen, cause, _other_light(seen, attempts, first))
        for seen, cause in zip(attempts, first, strict=True)
    )


def _apart(attempts: Sequence[Evidence], causes: Sequence[Cause], *, private: bool) -> list[int]:
    """The passive attempts, of those that failed, whose ports lie far from where the other mode's ports are.

    A server draws the ports of both modes from one range; where 227 and 229 name different ones, somebody in between
    wrote one or both of them.
    """
    ports: dict[str, list[int]] = {"EPSV": [], "PASV": []}
    for seen in attempts:
        if seen.passive and seen.private is private and seen.port:
            ports[seen.mode] += [seen.port, *(call.port for call in seen.samples)]
    low, high = sorted(ports.values(), key=lambda numbers: min(numbers, default=0))
    if min(len(low), len(high)) < _TELLING:
        return []
    widest = max(max(low) - min(low), max(high) - min(high), _NEAR)
    if min(high) - max(low) <= widest:
        return []
    return [
        index
        for index, (seen, cause) in enumerate(zip(attempts, causes, strict=True))
        if seen.passive and seen.private is private and cause in _MISSED
    ]


def _same_range(seen: Evidence, cause: Cause, attempts: Iterable[Evidence], causes: Sequence[Cause]) -> Cause:
    """Both passive modes meet the same ports and the same middlebox: what the one learnt holds for the other."""
    if not seen.passive:
        return cause
    known = {
        found
        for other, found in zip(attempts, causes, strict=True)
        if (other.family, other.private) == (seen.family, seen.private)
    }
    if Cause.PASSIVE_REWRITTEN in known and cause in _MISSED:
        return Cause.PASSIVE_REWRITTEN
    if Cause.PASSIVE_RANGE_PARTLY_OPEN in known and cause in _ALIKE:
        return Cause.PASSIVE_RANGE_PARTLY_OPEN
    return cause


def _other_light(seen: Evidence, attempts: Iterable[Evidence], causes: Iterable[Cause]) -> Cause | None:
    """What became of the same mode with the protection that ``seen`` has not."""
    return next(
        (
            cause
            for other, cause in zip(attempts, causes, strict=True)
            if (other.mode, other.family) == (seen.mode, seen.family) and other.private is not seen.private
        ),
        None,
    )


def _in_other_light(seen: Evidence, cause: Cause, other: Cause | None) -> Cause:
    if seen.private and cause in PATH and other is Cause.OK:
        return Cause.HELPER_BLIND
    works_hidden = other in {Cause.OK, Cause.CERTIFICATE_INVALID}
    if not seen.private and works_hidden and seen.passive and cause in _MISSED:
        return Cause.PASSIVE_REWRITTEN
    return cause
