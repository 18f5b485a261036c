"""A session as a ladder."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from fairlead.capture.connection import Connection
from fairlead.capture.dialogue import Answered, Event, Hidden, Missing, Sent, Stranger, Uncovered
from fairlead.capture.findings import Finding
from fairlead.capture.phrases import show
from fairlead.capture.records import looks_like_tls
from fairlead.capture.session import Attempt, Session
from fairlead.ladder.model import CONTROL, End, Kind, Ladder, Party, Step
from fairlead.ladder.words import masked
from fairlead.proto.reply import Reply

CLIENT, SERVER = "client", "server"
_SLOW = 1.0
"""Seconds from which on it is told how long data took."""


def ladder(session: Session, found: Iterable[Finding]) -> Ladder:
    """All that the capture shows of ``session``, and where each of ``found`` is."""
    control = session.control
    drawing = _Drawing(session)
    by_attempt = {id(finding.attempt): finding for finding in found if finding.attempt is not None}
    of_control = [finding for finding in found if finding.attempt is None]
    steps = [*drawing.control(of_control)]
    for number, attempt in enumerate(session.attempts, 1):
        steps += drawing.attempt(number, attempt, by_attempt.get(id(attempt)))
    steps = _with_causes(steps, session, by_attempt.values(), of_control)
    return Ladder(
        parties=tuple(drawing.parties.values()),
        steps=tuple(sorted(steps, key=lambda step: step.at)),
        began=control.began,
        title=f"{show(control.caller)} to {show(control.called)}",
    )


class _Drawing:
    """Steps of a session, their times counted from its beginning."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._began = session.control.began
        self.parties = {CLIENT: Party(CLIENT, session.client), SERVER: Party(SERVER, session.server)}

    def control(self, found: Iterable[Finding]) -> Iterator[Step]:
        """Steps of the control connection."""
        control = self._session.control
        ends = End(CLIENT, *control.caller), End(SERVER, *control.called)
        yield from self._handshake(control, CONTROL, ends)
        for event in self._session.events:
            yield self._event(event, *ends)
        yield from self._end(control, CONTROL, ends)
        for finding in found:
            if control.established:
                yield self._step(
                    finding.at, Kind.NOTE, CONTROL, ends[0], note=finding.sentence, cause=finding.cause.value
                )

    def attempt(self, number: int, attempt: Attempt, finding: Finding | None) -> Iterator[Step]:
        """Steps of the data connections of ``attempt``."""
        for connection in attempt.connections:
            ends = self._party(connection, attempt, True), self._party(connection, attempt, False)
            yield from self._handshake(connection, number, ends)
            yield from self._data(connection, number, ends)
            yield from self._end(connection, number, ends)
        if finding is not None and not attempt.connections and not attempt.refused:
            listener = End(CLIENT if attempt.active else SERVER, attempt.address, attempt.port)
            at = attempt.ended or attempt.agreed
            yield self._step(at, Kind.LISTEN, number, listener, note="nobody called", cause=finding.cause.value)

    def _step(
        self, at: float, kind: Kind, connection: int, source: End, target: End | None = None, **more: object
    ) -> Step:
        return replace(
            Step(at=max(at - self._began, 0.0), kind=kind, connection=connection, source=source, target=target),
            **more,  # type: ignore[arg-type]
        )

    def _party(self, connection: Connection, attempt: Attempt, caller: bool) -> End:
        """An end of a data connection: a role of the session, whatever its address, or somebody else."""
        address = connection.caller if caller else connection.called
        name = SERVER if caller is attempt.active else CLIENT
        known = self.parties[name].address
        stranger = connection.established and address[0] not in {known, attempt.address}
        if not stranger or (not caller and address[0] == attempt.address):
            return End(name, *address)
        self.parties.setdefault(address[0], Party(address[0]))
        return End(address[0], *address)

    def _handshake(self, connection: Connection, number: int, ends: tuple[End, End]) -> Iterator[Step]:
        if connection.syns:
            answered = bool(connection.syn_acks or connection.reset) or None
            yield self._step(
                connection.began, Kind.SYN, number, *ends, times=connection.syns, arrived=True if answered else None
            )
        if connection.syn_acks:
            arrived = True if connection.established else None
            yield self._step(
                connection.answered, Kind.SYN_ACK, number, *ends[::-1], times=connection.syn_acks, arrived=arrived
            )
        if connection.unreachable is not None:
            refused = connection.unreachable
            note = f"{refused.reporter}: {refused.reason}"
            yield self._step(refused.at, Kind.ICMP, number, ends[0], note=note)

    def _data(self, connection: Connection, number: int, ends: tuple[End, End]) -> Iterator[Step]:
        heads = [flow.head for flow in connection.flows]
        if any(map(looks_like_tls, heads)):
            first = min(flow.first for flow in connection.flows if flow.octets)
            yield self._step(first, Kind.TLS, number, *ends)
        for flow, (source, target) in zip(connection.flows, (ends, ends[::-1]), strict=True):
            if not flow.octets:
                continue
            notes = []
            if flow.last - flow.first >= _SLOW:
                notes.append(f"in {flow.last - flow.first:.1f} s")
            if flow.repeated:
                notes.append(f"{flow.repeated} segment{'s' if flow.repeated > 1 else ''} sent again")
            yield self._step(flow.first, Kind.DATA, number, source, target, size=flow.octets, note=", ".join(notes))

    def _end(self, connection: Connection, number: int, ends: tuple[End, End]) -> Iterator[Step]:
        for flow, (source, target) in zip(connection.flows, (ends, ends[::-1]), strict=True):
            if flow.fin is not None:
                yield self._step(flow.fin, Kind.FIN, number, source, target)
        if connection.reset:
            source, target = ends[::-1] if connection.reset_by_called else ends
            yield self._step(connection.reset, Kind.RST, number, source, target)

    def _event(self, event: Event, client: End, server: End) -> Step:
        """A step for what was said; secrets are masked here."""
        match event:
            case Sent():
                known = event.verb != "?"
                text = masked(f"{event.verb} {event.argument}".rstrip()) if known else "?"
                return self._step(event.at, Kind.COMMAND, CONTROL, client, server, text=text)
            case Answered():
                return self._step(event.at, Kind.REPLY, CONTROL, server, client, text=_whole(event.reply))
            case Missing():
                end, note = client if event.by_client else server, f"{event.octets} octets are not in the capture"
                return self._step(event.at, Kind.NOTE, CONTROL, end, note=note)
            case Hidden():
                return self._step(
                    event.at, Kind.TLS, CONTROL, client, server, note="the dialogue is hidden from here on"
                )
            case Uncovered():
                return self._step(event.at, Kind.NOTE, CONTROL, server, note="TLS ended: the dialogue goes on in clear")
            case Stranger():
                return self._step(event.at, Kind.NOTE, CONTROL, server, note="this is no FTP")


def _whole(reply: Reply) -> str:
    """The reply as it stands on the wire, without line ends at its end."""
    if len(reply.lines) < 2:
        return f"{reply.code} {reply.text}"
    first, *inner = reply.lines
    return "\n".join([f"{reply.code}-{first}", *inner[:-1], f"{reply.code} {inner[-1]}"])


def _with_causes(
    steps: list[Step], session: Session, found: Iterable[Finding], of_control: Iterable[Finding]
) -> list[Step]:
    """``steps`` with the cause of each of ``found`` at the step that shows it."""
    numbers = {id(attempt): number for number, attempt in enumerate(session.attempts, 1)}
    for finding in found:
        assert finding.attempt is not None
        place = _place(steps, numbers[id(finding.attempt)], finding.attempt, session.control.began)
        if place is not None:
            steps[place] = replace(steps[place], cause=finding.cause.value)
    if not session.control.established:
        for finding in of_control:
            place = next((n for n, step in enumerate(steps) if step.kind is Kind.SYN), None)
            if place is not None:
                steps[place] = replace(steps[place], cause=finding.cause.value)
    return steps


def _place(steps: list[Step], number: int, attempt: Attempt, began: float) -> int | None:
    """The step at which ``attempt`` failed: a refusal, a call, a reset, the final reply; None for one that has it."""
    if attempt.refused or (attempt.connection is not None and attempt.connection.established):
        resets = [n for n, step in enumerate(steps) if step.connection == number and step.kind is Kind.RST]
        if resets:
            return resets[-1]
        at = (attempt.ended or attempt.at) - began
        replies = (n for n, step in enumerate(steps) if step.kind is Kind.REPLY and abs(step.at - at) < 1e-6)
        calls = (n for n, step in enumerate(steps) if step.connection == number and step.kind is Kind.SYN)
        return next(replies, next(calls, None))
    calls = (n for n, step in reversed(list(enumerate(steps))) if step.connection == number and step.kind is Kind.SYN)
    return next(calls, None)
