"""From a session to the causes of what failed in it, each in one sentence of what the capture shows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from fairlead.capture.connection import Connection
from fairlead.capture.dialogue import Answered, Sent, Stranger
from fairlead.capture.packets import Address
from fairlead.capture.session import DEFAULT, Attempt, Session
from fairlead.capture.standpoint import Standpoint, standpoint
from fairlead.proto.reply import Reply
from fairlead.reach.cause import Cause
from fairlead.reach.evidence import Answer, Called, Evidence, Family, Said
from fairlead.reach.private import is_private as private
from fairlead.reach.verdict import alone

SHORTEST_WAIT = 1.0
"""Seconds after a call at the end of a capture in which an answer could still have come."""
_ABOUT_TLS = re.compile(r"ssl|tls|encrypt|secur", re.IGNORECASE)
_CERTIFICATE_ALERT = re.compile(r"certificate|authority")
_LOGIN = frozenset({"USER", "PASS", "ACCT"})
_NOT_OPENED = frozenset({421, 425, 426})
_MODES = {DEFAULT: "PORT", "LPRT": "EPRT", "LPSV": "EPSV"}
"""Modes that nobody has a word for, and those whose rules hold for them."""
_TLS_ALERT = 21


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
    found = [*_control(session, end)]
    for attempt in session.attempts:
        cause, sentence = _judged(session, attempt, where, end)
        if cause is Cause.OK or not sentence:
            continue
        cause, sentence = _in_the_light_of(experience, session, attempt, cause, sentence)
        found.append(Finding(cause, f"{_name(attempt)}: {sentence}.", attempt.at, attempt))
    return sorted(found, key=lambda each: each.at)


def show(address: Address) -> str:
    """``192.0.2.1:21`` or ``[2001:db8::1]:21``."""
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


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


def _control(session: Session, end: float) -> Iterator[Finding]:
    control = session.control
    to = show(control.called)
    if not control.established:
        yield from _unanswered(control, to, end)
        return
    for cause, sentence, at in (*_opening(session), *_lost(session, end)):
        yield Finding(cause, sentence, at)
        return


def _unanswered(control: Connection, to: str, end: float) -> Iterator[Finding]:
    if control.unreachable is not None:
        refused = control.unreachable
        sentence = f"The call to {to} was refused by {refused.reporter}: {refused.reason}."
        yield Finding(Cause.CONTROL_REFUSED, sentence, control.began)
    elif control.reset:
        yield Finding(Cause.CONTROL_REFUSED, f"The call to {to} was refused (RST).", control.began)
    elif control.syn_acks:
        sentence = f"The server answered the call to {to} {_times(control.syn_acks)}, and its answer never arrived."
        yield Finding(Cause.CONTROL_TIMEOUT, sentence, control.began)
    elif control.syns and end - control.last_syn >= SHORTEST_WAIT:
        waited = max(end, control.last) - control.began
        sentence = f"The call to {to} was sent {_times(control.syns)} within {waited:.1f} s and never answered."
        yield Finding(Cause.CONTROL_TIMEOUT, sentence, control.began)


def _opening(session: Session) -> Iterator[tuple[Cause, str, float]]:
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
            cause = Cause.TLS_REQUIRED if _wants_tls(event.reply) else Cause.LOGIN_REFUSED
            yield cause, f"The server refused {asked.verb}: {_said(event.reply)}.", event.at
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


def _wants_tls(reply: Reply) -> bool:
    return _ABOUT_TLS.search(reply.text) is not None


def _lost(session: Session, end: float) -> Iterator[tuple[Cause, str, float]]:
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


def _judged(session: Session, attempt: Attempt, where: Standpoint, end: float) -> tuple[Cause, str]:
    """The cause, and what is seen; an empty sentence where nothing can be said against it."""
    if attempt.refused:
        assert attempt.setup is not None
        return alone(_evidence(session, attempt, where)), f"the server refused it with {_said(attempt.setup)}"
    if not attempt.agreed:
        return Cause.OK, ""
    made = attempt.connection
    if made is None:
        return _uncalled(session, attempt, where)
    if not made.established:
        return _unreached(session, attempt, made, end)
    return _moved(session, attempt, made, where, end)


def _elsewhere(session: Session, attempt: Attempt) -> bool:
    """Whether an address was announced that the other end cannot call, as far as the addresses show."""
    own, other = (session.client, session.server) if attempt.active else (session.server, session.client)
    if not attempt.address or attempt.mode in {"", DEFAULT}:
        return False
    if attempt.address != own:
        return True
    return private(attempt.address) and not private(other) and attempt.mode != "EPSV"


def _uncalled(session: Session, attempt: Attempt, where: Standpoint) -> tuple[Cause, str]:
    """Nobody called, as far as the capture shows."""
    target = show((attempt.address, attempt.port))
    if attempt.final is not None and attempt.final.completed:
        return Cause.OK, ""  # the capture has not all of it
    if attempt.active:
        if not attempt.command or (attempt.mode == DEFAULT and not (attempt.opening or attempt.final)):
            return Cause.OK, ""
        waited = f" within {attempt.ended - attempt.commanded:.1f} s" if attempt.ended else ""
        arrived = "left the server" if where is Standpoint.SERVER else "arrived from the server"
        if attempt.final is not None and attempt.final.code not in _NOT_OPENED:
            return Cause.OK, ""
        if _elsewhere(session, attempt):
            return (
                Cause.ACTIVE_PRIVATE_ADDRESS,
                f"no call to {target} {arrived}{waited}, and that address {_why(session, attempt)}",
            )
        return Cause.ACTIVE_DROPPED, f"no call to {target} {arrived}{waited}"
    if where is Standpoint.CLIENT and not attempt.command and not _foreign(session, attempt):
        return Cause.OK, ""
    if attempt.final is not None and attempt.final.code not in _NOT_OPENED:
        return Cause.OK, ""
    seen = "the client made no call to" if where is Standpoint.CLIENT else "no call arrived at"
    if (
        _foreign(session, attempt)
        if where is Standpoint.CLIENT
        else _elsewhere(session, attempt) and _own(session, attempt)
    ):
        return Cause.PASSIVE_PRIVATE_ADDRESS, f"{seen} {target}, and that address {_why(session, attempt)}"
    return Cause.PASSIVE_DROPPED, f"{seen} {target}"


def _foreign(session: Session, attempt: Attempt) -> bool:
    """Whether 227 names another address than the one that the client calls the server by."""
    return attempt.address not in {"", session.server}


def _own(session: Session, attempt: Attempt) -> bool:
    """Whether the server announced its own address."""
    return attempt.address == session.server


def _why(session: Session, attempt: Attempt) -> str:
    other = session.server if attempt.active else session.client
    own = session.client if attempt.active else session.server
    if attempt.address == own:
        return f"is a private one, which {other} cannot reach"
    return f"is not the one that the {'client' if attempt.active else 'server'} has here, {own}"


def _unreached(session: Session, attempt: Attempt, made: Connection, end: float) -> tuple[Cause, str]:
    """A call that came to nothing."""
    who, target = ("server", "client") if attempt.active else ("client", "server")
    call = f"the {who} called {show(made.called)}"
    passive = not attempt.active
    if passive and attempt.port and made.called[1] != attempt.port:
        told = f"the server announced port {attempt.port}, and the client calls {made.called[1]}"
        return Cause.PASSIVE_REWRITTEN, f"{told}: something in between rewrites the reply"
    wrong = made.called[0] != (session.server if passive else session.client)
    if made.unreachable is not None:
        refused = f"{call} and {made.unreachable.reporter} refused it: {made.unreachable.reason}"
        rejected = Cause.PASSIVE_REJECTED if passive else Cause.ACTIVE_REJECTED
        return (_wrong(passive) if wrong else rejected), refused
    if made.reset:
        if wrong:
            return _wrong(passive), f"{call}, which is not the address of the {target} here, and was refused (RST)"
        return (Cause.PASSIVE_REJECTED if passive else Cause.ACTIVE_REJECTED), f"{call} and was refused (RST)"
    if made.syn_acks:
        text = f"{call}, and the answer, sent {_times(made.syn_acks)}, was never acknowledged"
        return (Cause.PASSIVE_DROPPED if passive else Cause.ACTIVE_DROPPED), text
    if end - made.began < SHORTEST_WAIT and not attempt.ended and not session.control.ended:
        return Cause.OK, ""
    silent = f"{call} {_times(made.syns)} and got no answer"
    if wrong:
        return _wrong(passive), f"{silent}: that is not the address of the {target} here"
    if attempt.active and _elsewhere(session, attempt):
        return Cause.ACTIVE_PRIVATE_ADDRESS, f"{silent}: that address {_why(session, attempt)}"
    return (Cause.PASSIVE_DROPPED if passive else Cause.ACTIVE_DROPPED), silent


def _wrong(passive: bool) -> Cause:
    return Cause.PASSIVE_PRIVATE_ADDRESS if passive else Cause.ACTIVE_PRIVATE_ADDRESS


def _moved(session: Session, attempt: Attempt, made: Connection, where: Standpoint, end: float) -> tuple[Cause, str]:
    """A data connection that came about."""
    octets = f"after {made.octets} octets" if made.octets else "before any data came"
    other = session.client if made.called[0] == session.server else session.server
    third = not attempt.active and made.caller[0] not in {session.client, other}
    if attempt.final is not None and attempt.final.completed:
        return Cause.OK, ""
    if third and not made.octets and made.ended:
        told = f"{made.caller[0]} called, who is not the client {session.client}, and was turned away"
        return Cause.DATA_PEER_REFUSED, told
    if attempt.hidden or attempt.final is None:
        return _under_tls(made, octets, session, attempt, end)
    if attempt.final.code not in _NOT_OPENED | {522} and not _cut(made):
        return Cause.OK, ""  # no such file, a full disk: not the connection's fault
    cause = alone(_evidence(session, attempt, where))
    how = f"was reset {octets}" if made.reset else f"ended {octets}"
    return cause, f"the data connection with {show(made.called)} {how}, and the server said {_said(attempt.final)}"


def _under_tls(made: Connection, octets: str, session: Session, attempt: Attempt, end: float) -> tuple[Cause, str]:
    """As :func:`_moved`, where no reply tells how the transfer ended."""
    client, server = made.flows[::-1] if attempt.active else made.flows
    name = f"the data connection with {show(made.called)}"
    if client.head[:2] == b"\x16\x03" and made.ended and (not server.octets or server.head[:1] == bytes((_TLS_ALERT,))):
        return Cause.DATA_TLS_FAILED, f"{name} ended in the TLS handshake"
    if _cut(made):
        return Cause.DATA_CUT, f"{name} was reset {octets}"
    idle = max(end, session.control.last) - made.last
    if not made.ended and not made.octets and idle > SHORTEST_WAIT * 5:
        return Cause.DATA_STALLED, f"{name} was made, and nothing came over it for {idle:.1f} s"
    if not made.ended and any(flow.unanswered > 2 for flow in made.flows):
        return Cause.DATA_STALLED, f"{name} stopped {octets}: what is sent is never acknowledged"
    return Cause.OK, ""


def _cut(made: Connection) -> bool:
    """Whether it was reset before the end that had more to say had closed it."""
    sender = max(made.flows, key=lambda flow: flow.octets)
    return bool(made.reset) and (sender.fin is None or sender.fin > made.reset)


def _evidence(session: Session, attempt: Attempt, where: Standpoint) -> Evidence:
    """``attempt`` as the rules that all share want it, seen from the client."""
    made = attempt.connection
    family: Family = 6 if ":" in session.server else 4
    called = made is not None and not attempt.active
    answer = Answer.CONNECTED if made is not None and made.established else Answer.SILENT
    return Evidence(
        mode=_MODES.get(attempt.mode, attempt.mode) or ("PORT" if attempt.active else "EPSV"),
        family=family,
        private=False,
        peer=session.server,
        local=session.client,
        seen=session.client if where is Standpoint.SERVER and attempt.active else "",
        setup=_reply(attempt.setup),
        host=attempt.address if attempt.mode != "EPSV" else "",
        port=attempt.port,
        calls=(Called(made.called[0], made.called[1], answer),) if made is not None and called else (),
        caller=made.caller[0] if made is not None and attempt.active and made.established else "",
        opening=_reply(attempt.opening),
        final=_reply(attempt.final),
        octets=made.octets if made is not None else 0,
        ended=made is not None and bool(made.ended) and not made.reset,
        broke="reset" if made is not None and _cut(made) else "",
    )


def _reply(reply: Reply | None) -> Said | None:
    return Said(reply.code, reply.text) if reply is not None else None


def _said(reply: Reply) -> str:
    """The reply's last line, for a sentence."""
    return f"{reply.code} {reply.lines[-1] if reply.lines else ''}".strip().rstrip(".")


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count} times")
