"""From what failed in a session to who should change what."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fairlead.capture.findings import Finding
from fairlead.capture.session import DEFAULT, HIDDEN, Attempt, Session
from fairlead.reach import advice as reach
from fairlead.reach.cause import Cause
from fairlead.reach.evidence import Family
from fairlead.reach.private import is_private

_LIKE = {DEFAULT: "PORT", "LPRT": "EPRT", "LPSV": "EPSV"}
"""Modes that serve as others do."""


def advice(session: Session, found: Sequence[Finding]) -> tuple[reach.Advice, ...]:
    """What to do about ``found``, in the order of least effort; nothing where nothing failed."""
    return reach.advise(_findings(session, found), _surroundings(session)) if found else ()


def _findings(session: Session, found: Sequence[Finding]) -> Iterator[reach.Finding]:
    causes = {id(finding.attempt): finding.cause for finding in found if finding.attempt is not None}
    family = _family(session)
    for finding in found:
        if finding.attempt is None:
            yield reach.Finding(cause=finding.cause, family=family)
    for attempt in session.attempts:
        made = attempt.connection
        cause = causes.get(id(attempt), Cause.OK if made is not None and made.established else None)
        if cause is not None:
            yield reach.Finding(cause=cause, mode=mode(attempt), family=family, private=attempt.hidden)


def mode(attempt: Attempt) -> str:
    """``EPSV``, ``PASV``, ``EPRT`` or ``PORT``: of what TLS hid, that which serves every family."""
    if attempt.mode == HIDDEN:
        return "EPRT" if attempt.active else "EPSV"
    return _LIKE.get(attempt.mode, attempt.mode)


def _family(session: Session) -> Family:
    return 6 if ":" in session.server else 4


def _surroundings(session: Session) -> reach.Surroundings:
    family = _family(session)
    passive = [attempt for attempt in session.attempts if not attempt.active and attempt.port]
    elsewhere = (each.address for each in passive if each.address != session.server and is_private(each.address))
    return reach.Surroundings(
        server={family: session.server},
        inside=next(elsewhere, ""),
        client={family: session.client},
        ports=tuple(dict.fromkeys(attempt.port for attempt in passive)),
        closed=any(_closed(session, attempt) for attempt in passive),
        offers_tls=session.tls is not None,
    )


def _closed(session: Session, attempt: Attempt) -> bool:
    """Whether a call to the server's own address came to nothing."""
    made = attempt.connection
    return made is not None and not made.established and made.called[0] == session.server
