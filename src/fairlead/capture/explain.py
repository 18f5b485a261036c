"""Captures explained: each session with its ladder, what failed in it and why, and what cannot be seen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from fairlead.capture.advice import advice
from fairlead.capture.dialogue import Missing
from fairlead.capture.drawing import ladder
from fairlead.capture.files import Frame
from fairlead.capture.findings import Experience, Finding, findings
from fairlead.capture.packets import Address, Dissector
from fairlead.capture.session import Attempt, Session
from fairlead.capture.standpoint import Standpoint, standpoint
from fairlead.capture.tracker import CONTROL_PORTS, IMPLICIT_PORTS, Tracker
from fairlead.errors import CaptureError
from fairlead.ladder.model import Ladder
from fairlead.reach.advice import Advice


@dataclass(frozen=True, slots=True)
class Explained:
    """A session."""

    client: Address
    server: Address
    began: float
    """Seconds since the epoch."""
    where: Standpoint
    """Where it was captured."""
    ladder: Ladder
    findings: tuple[Finding, ...]
    unseen: tuple[str, ...]
    """What the capture cannot show, in sentences."""
    transfers: int
    """Data connections that came about and did not fail."""
    advice: tuple[Advice, ...]
    """Who can do what about it."""
    session: Session
    """What it was explained from."""

    @property
    def attempts(self) -> list[Attempt]:
        """The data connections that were asked for, in order."""
        return self.session.attempts

    @property
    def identity(self) -> tuple[int, int] | None:
        """What is the same wherever the session is captured: sequence numbers, which translators of addresses keep."""
        client, server = self.session.control.flows
        if client.origin is None or server.origin is None or not self.session.control.whole:
            return None
        return client.origin, server.origin


class Explainer:
    """Give it frames; sessions come back when they have ended. Raises CaptureError where dpkt is not installed."""

    def __init__(
        self, control_ports: Iterable[int] = CONTROL_PORTS, implicit_ports: Iterable[int] = IMPLICIT_PORTS
    ) -> None:
        self._dissector = Dissector()
        self._tracker = Tracker(control_ports, implicit_ports)
        self._experience = Experience()
        self.packets = 0
        """TCP segments and ICMP messages so far."""

    def feed(self, frame: Frame) -> list[Explained]:
        """The sessions that had ended when ``frame`` came."""
        packet = self._dissector.packet(frame)
        if packet is None:
            return []
        self.packets += 1
        return [self._explained(session) for session in self._tracker.feed(packet)]

    def tick(self, at: float) -> list[Explained]:
        """The sessions that had ended at ``at`` (seconds since the epoch), though no frame came."""
        return [self._explained(session) for session in self._tracker.tick(at)]

    def finish(self) -> list[Explained]:
        """All other sessions. Raises CaptureError when no frame was of a kind of link that is known."""
        if not self.packets and self._dissector.strange_links:
            links = ", ".join(map(str, sorted(self._dissector.strange_links)))
            raise CaptureError(
                f"the capture is of a link of type {links}, which is not known here; capture with: tcpdump -i any"
            )
        return [self._explained(session) for session in self._tracker.finish()]

    def _explained(self, session: Session) -> Explained:
        return _explained(session, tuple(findings(session, self._experience, self._tracker.last)))


def _explained(session: Session, found: tuple[Finding, ...]) -> Explained:
    failed = {id(finding.attempt) for finding in found}
    made = (each for each in session.attempts if each.connection is not None and each.connection.established)
    return Explained(
        client=session.control.caller,
        server=session.control.called,
        began=session.control.began,
        where=standpoint(session.control),
        ladder=ladder(session, found),
        findings=found,
        unseen=tuple(_unseen(session)),
        transfers=sum(id(attempt) not in failed for attempt in made),
        advice=advice(session, found),
        session=session,
    )


def with_findings(session: Explained, found: tuple[Finding, ...]) -> Explained:
    """``session`` with other findings, and the ladder and the advice that follow from them."""
    return _explained(session.session, found)


def explained(frames: Iterable[Frame], explainer: Explainer) -> Iterator[Explained]:
    """The sessions among ``frames``, each when it has ended. Raises CaptureError."""
    for frame in frames:
        yield from explainer.feed(frame)
    yield from explainer.finish()


def _unseen(session: Session) -> Iterator[str]:
    began = session.control.began
    if not session.control.whole:
        yield "The capture began in the middle of the session: what was agreed on before is not known."
    if session.tls is not None:
        paired = any(attempt.hidden for attempt in session.attempts)
        told = (
            "data connections are paired with it by hosts and times"
            if paired
            else "no data connection between the two hosts followed, so that one that was agreed on never came this far"
        )
        since = max(session.tls.at - began, 0)
        yield f"TLS hides the dialogue from {since:.3f} s on: commands and replies cannot be read; {told}."
    missing = sum(event.octets for event in session.events if isinstance(event, Missing))
    if missing:
        yield f"{missing} octets of the dialogue are not in the capture (dropped, or cut: tcpdump -s 0 keeps all)."
    if session.omitted:
        yield f"{session.omitted} steps in the middle of the session are left out."
