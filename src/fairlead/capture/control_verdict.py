"""What failed on the control connection, in the sentences of what the capture shows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain
from typing import TypeAlias

from fairlead.capture.connection import Connection
from fairlead.capture.dialogue import Answered, Sent, Stranger
from fairlead.capture.phrases import said, show, times
from fairlead.capture.session import Attempt, Session
from fairlead.reach.cause import Cause
from fairlead.reach.login import refused_in_clear

SHORTEST_WAIT = 1.0
"""Seconds after a call at the end of a capture in which an answer could still have come."""
_CERTIFICATE_ALERT = re.compile(r"certificate|authority")
_LOGIN = frozenset({"USER", "PASS", "ACCT"})


Verdict: TypeAlias = tuple[Cause, str, float]
"""A cause, the sentence, when it happened (seconds since the epoch)."""


def on_control(session: Session, end: float) -> Verdict | None:
    """The first thing that failed on the control connection; ``end`` is when the capture ended."""
    control = session.control
    if not control.established:
        found = _unanswered(control, show(control.called), end)
    else:
        found = chain(_opening(session), _lost(session, end))
    return next(found, None)


def _unanswered(control: Connection, to: str, end: float) -> Iterator[Verdict]:
    if control.unreachable is not None:
        refused = control.unreachable
        sentence = f"The call to {to} was refused by {refused.reporter}: {refused.reason}."
        yield (Cause.CONTROL_REFUSED, sentence, control.began)
    elif control.reset:
        yield (Cause.CONTROL_REFUSED, f"The call to {to} was refused (RST).", control.began)
    elif control.syn_acks:
        sentence = f"The server answered the call to {to} {times(control.syn_acks)}, and its answer never arrived."
        yield (Cause.CONTROL_TIMEOUT, sentence, control.began)
    elif control.syns and end - control.last_syn >= SHORTEST_WAIT:
        waited = max(end, control.last) - control.began
        sentence = f"The call to {to} was sent {times(control.syns)} within {waited:.1f} s and never answered."
        yield (Cause.CONTROL_TIMEOUT, sentence, control.began)


def _opening(session: Session) -> Iterator[Verdict]:
    """What failed before the first transfer."""
    asked: Sent | None = None
    records = session.dialogue.records
    for event in session.events:
        if isinstance(event, Stranger):
            text = f"What listens at {show(session.control.called)} is no FTP server: it said {event.text[:40]!r}."
            yield Cause.NOT_FTP, text, event.at
        elif isinstance(event, Sent):
            asked = event
        elif isinstance(event, Answered) and asked is not None and asked.verb in _LOGIN and event.reply.code >= 400:
            cause = refused_in_clear(event.reply.text)
            yield cause, f"The server refused {asked.verb}: {said(event.reply)}.", event.at
    if records is not None and session.tls is not None and not any(each.lost for each in records):
        alert = next(
            ((side, each.alert) for side, each in zip(("client", "server"), records, strict=True) if each.alert), None
        )
        if alert is not None and not all(each.protected for each in records):
            cause = Cause.CERTIFICATE_INVALID if _is_about_certificate(*alert) else Cause.TLS_FAILED
            yield cause, f"The {alert[0]} ended the TLS handshake: {alert[1]}.", session.tls.at
        elif session.control.ended and not any(each.protected for each in records):
            yield Cause.TLS_FAILED, "The control connection ended in the middle of the TLS handshake.", session.tls.at


def _is_about_certificate(side: str, alert: str) -> bool:
    return side == "client" and _CERTIFICATE_ALERT.search(alert) is not None


def _lost(session: Session, end: float) -> Iterator[Verdict]:
    """How the control connection ended, where it was not in order."""
    control = session.control
    client, server = control.flows
    last = max((event.at for event in session.events), default=control.began)
    unheard = next((side for side, flow in (("client", client), ("server", server)) if flow.unanswered > 1), "")
    transfers = [each for each in session.attempts if each.connection is not None and each.connection.octets]
    if unheard and transfers:
        text = f"After {last - control.began:.1f} s, what the {unheard} says is never acknowledged"
        yield Cause.CONTROL_FORGOTTEN, f"{text}: something in between has forgotten the control connection.", last
    elif unheard:
        yield Cause.CONTROL_LOST, f"What the {unheard} says on the control connection is never acknowledged.", last
    if session.tls is not None and session.hidden:
        return
    running = next((each for each in transfers if _unconfirmed(each)), None)
    if running is not None and running.connection is not None and end - running.connection.ended > 3:
        text = f"The data of {running.command} arrived, and no reply to it followed on the control connection"
        yield Cause.CONTROL_FORGOTTEN, f"{text} within {end - running.connection.ended:.1f} s.", running.at
    waiting = session.waiting
    if control.reset and waiting:
        by = "server" if control.reset_by_called else "client"
        if by == "server":
            yield Cause.CONTROL_LOST, f"The control connection was reset before {waiting} was answered.", control.reset
    elif server.fin is not None and waiting and (client.fin is None or client.fin > server.fin):
        yield Cause.CONTROL_LOST, f"The server closed the control connection before {waiting} was answered.", server.fin


def _unconfirmed(attempt: Attempt) -> bool:
    """Whether the data ended in order and the transfer has no final reply."""
    made = attempt.connection
    return attempt.final is None and bool(attempt.opening) and made is not None and bool(made.ended) and not made.reset
