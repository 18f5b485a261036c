"""What became of an attempt at a data connection, in the sentences of what the capture shows."""

from __future__ import annotations

from fairlead.capture.connection import Connection, Flow
from fairlead.capture.control_verdict import SHORTEST_WAIT
from fairlead.capture.phrases import said, show, times
from fairlead.capture.session import DEFAULT, Attempt, Session
from fairlead.capture.standpoint import Standpoint
from fairlead.proto.reply import Reply
from fairlead.reach.cause import Cause
from fairlead.reach.evidence import Answer, Called, Evidence, Family, Said
from fairlead.reach.private import is_private as private
from fairlead.reach.verdict import alone

_NOT_OPENED = frozenset({421, 425, 426})
_MODES = {DEFAULT: "PORT", "LPRT": "EPRT", "LPSV": "EPSV"}
"""Modes that nobody has a word for, and those whose rules hold for them."""
_TLS_ALERT = 21
_HANDSHAKE = 16_384
"""Octets of both ends that a TLS handshake may take."""


def judged(session: Session, attempt: Attempt, where: Standpoint, end: float) -> tuple[Cause, str]:
    """The cause, and what is seen; an empty sentence where nothing can be said against it."""
    if attempt.refused:
        assert attempt.setup is not None
        return alone(_evidence(session, attempt, where)), f"the server refused it with {said(attempt.setup)}"
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
    if _foreign(session, attempt) if where is Standpoint.CLIENT else _useless(session, attempt):
        return Cause.PASSIVE_PRIVATE_ADDRESS, f"{seen} {target}, and that address {_why(session, attempt)}"
    return Cause.PASSIVE_DROPPED, f"{seen} {target}"


def _foreign(session: Session, attempt: Attempt) -> bool:
    """Whether 227 names another address than the one that the client calls the server by."""
    return attempt.address not in {"", session.server}


def _useless(session: Session, attempt: Attempt) -> bool:
    """Whether 227 names an address that the client cannot call from where it is."""
    return attempt.mode != "EPSV" and private(attempt.address) and not private(session.client)


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
        refused = f"{call} and was refused (RST){_by(session, attempt, made)}"
        return (Cause.PASSIVE_REJECTED if passive else Cause.ACTIVE_REJECTED), refused
    if made.syn_acks:
        text = f"{call}, and the answer, sent {times(made.syn_acks)}, was never acknowledged"
        return (Cause.PASSIVE_DROPPED if passive else Cause.ACTIVE_DROPPED), text
    if end - made.began < SHORTEST_WAIT and not attempt.ended and not session.control.ended:
        return Cause.OK, ""
    silent = f"{call} {times(made.syns)} and got no answer"
    if wrong:
        return _wrong(passive), f"{silent}: that is not the address of the {target} here"
    if attempt.active and _elsewhere(session, attempt):
        return Cause.ACTIVE_PRIVATE_ADDRESS, f"{silent}: that address {_why(session, attempt)}"
    return (Cause.PASSIVE_DROPPED if passive else Cause.ACTIVE_DROPPED), silent


def _by(session: Session, attempt: Attempt, made: Connection) -> str:
    """Whether somebody nearer than the called end refused the call, by the time to live."""
    host, flow = (session.client, 0) if attempt.active else (session.server, 1)
    near = session.control.flows[flow].hops
    if made.called[0] != host or made.reset_hops >= near or near == Flow().hops:
        return ""
    return f" by something {near - made.reset_hops} hop{'s' if near - made.reset_hops > 1 else ''} before it"


def _wrong(passive: bool) -> Cause:
    return Cause.PASSIVE_PRIVATE_ADDRESS if passive else Cause.ACTIVE_PRIVATE_ADDRESS


def _moved(session: Session, attempt: Attempt, made: Connection, where: Standpoint, end: float) -> tuple[Cause, str]:
    """A data connection that came about."""
    octets = f"after {made.octets} octets" if made.octets else "before any data came"
    if attempt.final is not None and attempt.final.completed:
        return Cause.OK, ""
    if not attempt.active and made.caller[0] != session.client and not made.octets and made.ended:
        told = f"{made.caller[0]} called, who is not the client {session.client}, and was turned away"
        return Cause.DATA_PEER_REFUSED, told
    if attempt.aborted or _given_up(attempt, made):
        waited = (made.reset or made.last) - max(made.established, *(flow.last for flow in made.flows))
        if waited < SHORTEST_WAIT * 5 or made.octets:
            return Cause.OK, ""
        return Cause.DATA_STALLED, f"the client gave up when nothing had come for {waited:.1f} s"
    if attempt.hidden or attempt.final is None:
        return _under_tls(made, octets, session, attempt, end)
    if attempt.final.code not in _NOT_OPENED | {522} and not _cut(made):
        return Cause.OK, ""  # no such file, a full disk: not the connection's fault
    cause = alone(_evidence(session, attempt, where))
    how = f"was reset {octets}{_resetter(attempt, made)}" if made.reset else f"ended {octets}"
    return cause, f"the data connection with {show(made.called)} {how}, and the server said {said(attempt.final)}"


def _under_tls(made: Connection, octets: str, session: Session, attempt: Attempt, end: float) -> tuple[Cause, str]:
    """As :func:`_moved`, where no reply tells how the transfer ended."""
    client, server = made.flows[::-1] if attempt.active else made.flows
    name = f"the data connection with {show(made.called)}"
    if client.head[:2] == b"\x16\x03" and made.ended and (not server.octets or server.head[:1] == bytes((_TLS_ALERT,))):
        return Cause.DATA_TLS_FAILED, f"{name} ended in the TLS handshake"
    if _cut(made):
        return Cause.DATA_CUT, f"{name} was reset {octets}{_resetter(attempt, made)}"
    idle = max(end, session.control.last) - made.last
    if not made.ended and not made.octets and idle > SHORTEST_WAIT * 5:
        return Cause.DATA_STALLED, f"{name} was made, and nothing came over it for {idle:.1f} s"
    if not made.ended and any(flow.unanswered > 2 for flow in made.flows):
        return Cause.DATA_STALLED, f"{name} stopped {octets}: what is sent is never acknowledged"
    return Cause.OK, ""


def _given_up(attempt: Attempt, made: Connection) -> bool:
    """Whether the client itself reset it before any file moved: a client that tries several modes does so."""
    begun = made.octets > (_HANDSHAKE if attempt.hidden else 0)
    return bool(made.reset) and made.reset_by_called is attempt.active and not made.forged and not begun


def _resetter(attempt: Attempt, made: Connection) -> str:
    """Who reset it."""
    who = "client" if made.reset_by_called is attempt.active else "server"
    return f" by something in between, in the {who}'s name" if made.forged else f" by the {who}"


def _cut(made: Connection) -> bool:
    """Whether it was reset before any end had closed it; a reset after that only cleans up (close_notify unread)."""
    return bool(made.reset) and all(flow.fin is None or flow.fin > made.reset for flow in made.flows)


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
