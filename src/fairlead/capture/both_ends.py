"""Captures of the same sessions at both ends, held against each other: what one end sent, the other may have missed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from fairlead.capture.explain import Explained, with_findings
from fairlead.capture.findings import Finding
from fairlead.capture.session import Attempt
from fairlead.capture.standpoint import Standpoint
from fairlead.reach.cause import Cause

_UNREACHED = frozenset({Cause.PASSIVE_DROPPED, Cause.PASSIVE_REJECTED, Cause.PASSIVE_RANGE_PARTLY_OPEN})
_REFUSED_BEFORE: Mapping[tuple[Cause, Cause], tuple[Cause, str]] = {
    (Cause.PASSIVE_DROPPED, Cause.PASSIVE_REJECTED): (
        Cause.PASSIVE_REJECTED,
        "The client's call was refused before it came here.",
    ),
    (Cause.ACTIVE_DROPPED, Cause.ACTIVE_REJECTED): (
        Cause.ACTIVE_REJECTED,
        "The server's call was refused before it came here.",
    ),
}
"""What one end takes for silence and the other saw refused."""


def compared(captures: Sequence[Sequence[Explained]]) -> list[list[Explained]]:
    """The sessions of each capture, their causes in the light of the other captures of the same session."""
    known: dict[tuple[int, int], dict[Standpoint, Explained]] = {}
    for capture in captures:
        for session in capture:
            if session.identity is not None:
                known.setdefault(session.identity, {})[session.where] = session
    return [[_compared(session, known) for session in capture] for capture in captures]


def _compared(session: Explained, known: Mapping[tuple[int, int], Mapping[Standpoint, Explained]]) -> Explained:
    ends = known.get(session.identity, {}) if session.identity is not None else {}
    opposite = {Standpoint.CLIENT: Standpoint.SERVER, Standpoint.SERVER: Standpoint.CLIENT}.get(session.where)
    other = ends.get(opposite) if opposite is not None else None
    if other is None:
        return session
    found = tuple(_in_the_light_of(session, other))
    return session if found == session.findings else with_findings(session, found)


def _in_the_light_of(session: Explained, other: Explained) -> Iterator[Finding]:
    """The findings of ``session``, captured at one end, with what ``other``, captured at the other, shows of them."""
    theirs = {id(finding.attempt): finding for finding in other.findings if finding.attempt is not None}
    twins = {
        id(mine): twin for mine, twin in zip(session.attempts, other.attempts, strict=False) if mine.mode == twin.mode
    }
    for finding in session.findings:
        twin = twins.get(id(finding.attempt)) if finding.attempt is not None else None
        if finding.attempt is None or twin is None:
            yield finding
            continue
        told, read = (twin, finding.attempt) if session.where is Standpoint.CLIENT else (finding.attempt, twin)
        if _rewritten(finding, told, read):
            sentence = (
                f"{finding.attempt.mode}: the server announced port {told.port}, and the client read {read.port}:"
                " something in between rewrites the reply."
            )
            yield replace(finding, cause=Cause.PASSIVE_REWRITTEN, sentence=sentence)
            continue
        seen = theirs.get(id(twin))
        better = _REFUSED_BEFORE.get((finding.cause, seen.cause)) if seen is not None else None
        if better is not None:
            yield replace(finding, cause=better[0], sentence=f"{finding.sentence} {better[1]}")
        else:
            yield finding


def _rewritten(finding: Finding, told: Attempt, read: Attempt) -> bool:
    """Whether the client failed at a port that is not the one which the server announced."""
    return finding.cause in _UNREACHED and bool(told.mode) and 0 < told.port != read.port > 0
