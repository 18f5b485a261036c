"""From a session to the causes of what failed in it, each in one sentence of what the capture shows."""

from __future__ import annotations

from dataclasses import dataclass, field

from fairlead.capture.control_verdict import on_control
from fairlead.capture.data_verdict import judged
from fairlead.capture.session import DEFAULT, Attempt, Session
from fairlead.capture.standpoint import standpoint
from fairlead.reach.cause import Cause


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that failed."""

    cause: Cause
    sentence: str
    at: float
    """Seconds since the epoch."""
    attempt: Attempt | None = None
    """The data connection that failed; None for the control connection."""

    @property
    def mode(self) -> str:
        """The command that agreed on the data connection; empty where TLS hid it, and for the control connection."""
        return self.attempt.mode if self.attempt is not None else ""


@dataclass(slots=True)
class Experience:
    """What earlier sessions with a server showed of its passive ports, and of the modes in clear."""

    answered: dict[tuple[str, bool], set[int]] = field(default_factory=dict)
    silent: dict[tuple[str, bool], set[int]] = field(default_factory=dict)
    clear: set[tuple[str, bool]] = field(default_factory=set)
    """Servers and directions (whether active) for which a data connection came about in clear."""

    def learn(self, session: Session) -> None:
        """Take what ``session`` shows."""
        for attempt in session.attempts:
            made = attempt.connection
            if made is None:
                continue
            if made.established and not attempt.hidden:
                self.clear.add((session.server, attempt.active))
            if not attempt.active and made.called[0] == session.server:
                ports = self.answered if made.established else self.silent
                ports.setdefault((session.server, attempt.hidden), set()).add(made.called[1])

    def partly_open(self, server: str, hidden: bool) -> tuple[int, int] | None:
        """A port that answered and one that did not, where there are both."""
        answered, silent = self.answered.get((server, hidden)), self.silent.get((server, hidden))
        return (min(answered), min(silent)) if answered and silent else None


def findings(session: Session, experience: Experience, end: float) -> list[Finding]:
    """What failed in ``session``, in the order of time; ``end`` is when the capture ended."""
    experience.learn(session)
    where = standpoint(session.control)
    verdict = on_control(session, end)
    found = [Finding(*verdict)] if verdict is not None else []
    for attempt in session.attempts:
        cause, sentence = judged(session, attempt, where, end)
        if cause is Cause.OK or not sentence:
            continue
        cause, sentence = _in_the_light_of(experience, session, attempt, cause, sentence)
        found.append(Finding(cause, f"{_name(attempt)}: {sentence}.", attempt.at, attempt))
    return sorted(found, key=lambda each: each.at)


def _name(attempt: Attempt) -> str:
    if attempt.mode == DEFAULT:
        return f"{attempt.command} without PORT or PASV"
    if attempt.mode:
        return f"{attempt.mode}, {attempt.command}" if attempt.command else attempt.mode
    return f"{'Active' if attempt.active else 'Passive'} data connection under TLS"


def _in_the_light_of(
    experience: Experience, session: Session, attempt: Attempt, cause: Cause, sentence: str
) -> tuple[Cause, str]:
    """The cause beside what else was seen of the server."""
    if cause in {Cause.PASSIVE_DROPPED, Cause.PASSIVE_REJECTED}:
        both = experience.partly_open(session.server, attempt.hidden)
        if both is not None:
            return Cause.PASSIVE_RANGE_PARTLY_OPEN, f"{sentence}, while port {both[0]} answers"
    unheard = {Cause.PASSIVE_DROPPED, Cause.PASSIVE_REJECTED, Cause.ACTIVE_DROPPED, Cause.ACTIVE_REJECTED}
    if cause in unheard and attempt.hidden and (session.server, attempt.active) in experience.clear:
        return Cause.HELPER_BLIND, f"{sentence}, while the same works in clear"
    return cause, sentence
