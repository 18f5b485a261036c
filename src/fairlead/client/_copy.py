"""Files from one server to another (RFC 959 section 5.2): directly, and through here where the servers refuse.

One server listens and the other one calls it; the client only tells each what the other one said. Under TLS one of the
two has to be the client of TLS on the data connection, which takes CPSV or SSCN.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from fairlead.client._connect import is_ipv6
from fairlead.client._control import Control, refused
from fairlead.client._core import Session, check_paths
from fairlead.client._facts import size
from fairlead.client._flow import Progress
from fairlead.client._relay import relay
from fairlead.client._wire import Address
from fairlead.client.trace import CopyTakesDetour, show_duration, show_reply
from fairlead.errors import ArgumentError, ReplyError, SessionLost, TransferError
from fairlead.proto import address as text_form
from fairlead.proto.reply import Reply

_ABOUT_THE_FILE = {450, 452, 532, 550, 551, 552, 553}
"""Final replies that no other way would change."""
_EARLY_REFUSAL = 0.25
_LATEST_REFUSAL = 2.0
"""Seconds that the passive server gets, at least and at most, to refuse before the active one is told to call it."""
_WAKES_UP = 2.0
"""Seconds that a server which waits for a call may take to hear ABOR."""
_OTHER_FINAL = 5.0
"""Seconds that one server may take to notice that the other one gave up."""


@dataclass(frozen=True, slots=True)
class Copied:
    """A copy from server to server that ended well."""

    path: str
    """The copy."""
    size: int | None
    """Its octets, where a server told."""
    seconds: float
    mode: str
    """How the servers met: ``PASV, PORT``, ``CPSV, PORT``, ``SSCN, EPSV, EPRT`` …; ``RETR, STOR`` through here."""
    detour: str = ""
    """Why the data went through here; empty where it did not."""


@dataclass(frozen=True, slots=True)
class _Way:
    """Who listens, and how the two agree."""

    passive: Session
    active: Session
    ask: str
    """The command to the passive server: PASV, EPSV or CPSV."""
    client_of_tls: Session | None = None
    """Who is asked to be that by SSCN."""

    def __str__(self) -> str:
        return ("SSCN, " if self.client_of_tls else "") + f"{self.ask}, {'EPRT' if self.ask == 'EPSV' else 'PORT'}"


async def copy(session: Session, source: str, other: Session, target: str, *, on_progress: Progress | None) -> Copied:
    """See :meth:`fairlead.client.sync.Client.copy`."""
    check_paths(source, target)
    if other is session:
        message = "the other session is this one; a copy within a server takes a second client, too"
        raise RuntimeError(message)
    other.claim()
    try:
        return await _copy(session, source, other, target, on_progress)
    finally:
        other.busy = False


async def _copy(session: Session, source: str, other: Session, target: str, progress: Progress | None) -> Copied:
    began = session.wire.now()
    total = await size(session, source)
    await session.set_type("I")
    await other.set_type("I")
    reasons = []
    for way in list(_ways(session, other)):
        try:
            reason = await _try(way, ("RETR", source), ("STOR", target), sender=session)
        except SessionLost as error:  # ProFTPD ends it where the other one's certificate is not good enough
            reason = str(error)
        await _mend(sender=session, receiver=other)
        if not reason:
            arrived = await size(other, target)
            if total is not None and arrived is not None and arrived != total:
                message = f"{target} has {arrived} bytes after the copy instead of {total}; copy it again"
                raise TransferError(message, transferred=arrived)
            return Copied(target, arrived, session.wire.now() - began, str(way))
        reasons.append(reason)
    detour = "; ".join(dict.fromkeys(reasons)) or _why_not(session, other)
    session.control.tell(CopyTakesDetour(detour))
    moved = await relay(session, source, other, target, total=total, progress=progress)
    return Copied(target, moved, session.wire.now() - began, "RETR, STOR", detour)


async def _mend(*, sender: Session, receiver: Session) -> None:
    """Begin lost sessions anew; the next way needs them."""
    with suppress(SessionLost):
        await _stop(sender)
    for session in (sender, receiver):
        if not session.connected:
            await session.reopen()
            await session.set_type("I")


async def _stop(sender: Session) -> None:
    """End a RETR that waits for a call in vain, while some servers hear nothing; then the session is lost.

    Not so a STOR: whoever wakes up later may still delete what the next way has stored, so that it is waited for.
    """
    control = sender.control
    if sender.connected and control.interrupted and not await control.abort(patience=_WAKES_UP):
        control.lose("it hears nothing while it waits for a call")


def _ways(source: Session, target: Session) -> Iterator[_Way]:
    """The sender listens first: what it refuses then touches no file of the other one."""
    if _why_not(source, target):
        return
    ask = "EPSV" if is_ipv6(source.control.peer[0]) else "PASV"
    for passive, active in ((source, target), (target, source)):
        if active.control.epsv_promised or (passive.control.epsv_promised and ask != "EPSV"):
            continue
        if source.control.data_protection is None:
            yield _Way(passive, active, ask)
            continue
        if "CPSV" in (passive.features or {}) and ask == "PASV":
            yield _Way(passive, active, "CPSV")
        for client in (passive, active):
            if "SSCN" in (client.features or {}):
                yield _Way(passive, active, ask, client)


def _why_not(source: Session, target: Session) -> str:
    """What keeps the servers apart before they are asked; empty where nothing does."""
    if source.settings.proxy is not None or target.settings.proxy is not None:
        return "a proxy stands in between, which would be told of instead of the server"
    if (source.control.data_protection is None) != (target.control.data_protection is None):
        return "only one of the servers has its data connections under TLS"
    if is_ipv6(source.control.peer[0]) != is_ipv6(target.control.peer[0]):
        return "one server is called over IPv4 and the other one over IPv6"
    offers = {*(source.features or {}), *(target.features or {})}
    if source.control.data_protection is not None and offers.isdisjoint({"CPSV", "SSCN"}):
        return "neither server can be the client of TLS (CPSV, SSCN)"
    if source.control.epsv_promised and target.control.epsv_promised:
        return "both servers were promised by EPSV ALL that none is to call the other"
    return ""


async def _try(way: _Way, retrieve: tuple[str, str], store: tuple[str, str], *, sender: Session) -> str:
    """Copy in one way; why it was not to be, empty for success. Raises ReplyError where no other way would help."""
    commands = (retrieve, store) if way.passive is sender else (store, retrieve)
    client = way.client_of_tls
    if client is None:
        return await _introduce(way) or await _exchange(way, *commands)
    reply = await client.control.command("SSCN", "ON")
    if not reply.completed:
        return _said(client, reply)
    try:
        reason = await _introduce(way) or await _exchange(way, *commands)
    except ReplyError:
        await client.control.command("SSCN", "OFF")
        raise
    except BaseException:
        client.control.lose("it was left as the client of TLS")
        raise
    await _stop(sender)
    if client.connected:
        await client.control.command("SSCN", "OFF")
    return reason


async def _introduce(way: _Way) -> str:
    """Let the passive server listen and tell the active one where; why not, empty where they agree."""
    reply = await way.passive.control.command(way.ask)
    if not reply.completed:
        return _said(way.passive, reply)
    try:
        host, port = _place(way, reply)
    except ArgumentError as error:
        return str(error)
    if way.ask == "EPSV":
        reply = await way.active.control.command("EPRT", text_form.format_eprt(host, port))
    else:
        reply = await way.active.control.command("PORT", text_form.format_port(host, port))
    return "" if reply.completed else _said(way.active, reply)


def _place(way: _Way, reply: Reply) -> Address:
    """Where the passive server listens: where it is, whatever address it names, so that nobody is sent to a third.

    Raises ArgumentError for a reply that names no port.
    """
    seen = way.passive.control.peer[0]
    if way.ask == "EPSV":
        return seen, text_form.parse_epsv_reply(reply.text)
    told, port = text_form.parse_pasv_reply(reply.text)
    return told if way.passive.settings.trust_announced_address else seen, port


async def _exchange(way: _Way, passively: tuple[str, str], actively: tuple[str, str]) -> str:
    """Run both commands to their final replies; why the data did not go over, empty where it did."""
    passive = _Side(way.passive, passively)
    await passive.begin()
    early = min(max(_EARLY_REFUSAL, 3 * passive.control.round_trip), _LATEST_REFUSAL)
    await _hear([passive], until=passive.control.wire.now() + early, opening_only=True)
    if passive.final is None or passive.final.completed:
        active = _Side(way.active, actively)
        called_early = passive.final is not None  # what came is within the other one's system by now, or was dropped
        await active.begin()
        sides = [passive, active]
        patience = passive.control.settings.connect_timeout
        await _hear(sides, until=passive.control.wire.now() + patience, opening_only=True)
        patience = _OTHER_FINAL
        if all(side.well for side in sides) and not called_early:
            await _hear(sides, until=None, first_final=True)
            if all(side.well for side in sides):
                patience = max(side.patience for side in sides)
        await _hear(sides, until=passive.control.wire.now() + patience)
    else:
        sides = [passive]
    return _judge(sides)


class _Side:
    """One server's part of the exchange."""

    def __init__(self, session: Session, command: tuple[str, str]) -> None:
        self.session = session
        self.control: Control = session.control
        self.command = command
        self.opened = False
        self.final: Reply | None = None

    @property
    def well(self) -> bool:
        """Whether the transfer began, and did not fail."""
        return self.final.completed if self.final is not None else self.opened

    @property
    def patience(self) -> float:
        """Seconds for the final reply once the data went over."""
        settings = self.control.settings
        return settings.reply_timeout if settings.final_timeout is None else settings.final_timeout

    async def begin(self) -> None:
        await self.control.send(*self.command)
        self.control.interrupted = True  # until the final reply is here

    def notice(self) -> None:
        """Take the replies that are here."""
        while self.final is None and (reply := self.control.take()) is not None:
            if reply.preliminary:
                self.opened = True
            else:
                self.final = reply
                self.control.interrupted = False


async def _hear(
    sides: Sequence[_Side], *, until: float | None, opening_only: bool = False, first_final: bool = False
) -> None:
    """Wait for final replies, or with ``opening_only`` for any, until the time ``until`` or one that fails.

    With ``first_final`` the first of them is enough.
    After one failed, the other one is waited for all the same where a time is given.
    """
    wire = sides[0].control.wire
    while True:
        for side in sides:
            side.notice()
        failed = any(side.final is not None and not side.final.completed for side in sides)
        waiting = [side for side in sides if side.final is None and not (opening_only and side.opened)]
        if not waiting or (failed and (opening_only or until is None)) or (first_final and len(waiting) < len(sides)):
            return
        patience = None if until is None else until - wire.now()
        if not await wire.wait_any(readers=[side.control.stream for side in waiting], timeout=patience):
            return


def _judge(sides: Sequence[_Side]) -> str:
    for side in sides:
        if side.final is not None and side.final.code in _ABOUT_THE_FILE:
            raise refused(side.final, " ".join(side.command))
    for side in sides:
        if side.final is not None and not side.final.completed:
            return _said(side.session, side.final)
    for side in sides:
        if side.final is None and any(other.final is not None for other in sides):
            return f"{side.session.target.url} did not say how its part ended"
        if side.final is None:
            return f"{side.session.target.url} did not begin in {show_duration(side.control.settings.connect_timeout)}"
    return ""


def _said(session: Session, reply: Reply) -> str:
    return f"{session.target.url} answered {show_reply(reply)}"
