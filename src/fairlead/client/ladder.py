"""A session as a ladder: what the client told its trace, as the steps of both connections.

A client sees its own ends of the connections only. Of a call that nobody answered it knows that a SYN left; whether it
arrived it does not know.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import singledispatchmethod
from typing import Any

from fairlead.client._wire import Address
from fairlead.client.trace import (
    AddressIgnored,
    Answered,
    Called,
    CommandSent,
    ControlCalled,
    ControlClosed,
    DataClosed,
    ModeFailed,
    ModeProbed,
    ModeRecalled,
    ModeRemembered,
    ProxyBetween,
    Record,
    ReplyReceived,
    SessionRenewed,
    TlsBegan,
    TlsEnded,
    TlsNotOffered,
    TurnedAway,
    Waiting,
    show_duration,
    show_reply,
)
from fairlead.errors import CertificateError, TlsError
from fairlead.ladder.model import CONTROL, End, Kind, Ladder, Party, Step
from fairlead.ladder.recording import Data, Recording
from fairlead.reach.cause import Cause
from fairlead.reach.login import refused_in_clear

_SET_UP = {"EPSV", "PASV", "EPRT", "PORT"}
_UPLOADS = {"STOR", "STOU", "APPE"}
_TRANSFERS = _UPLOADS | {"RETR", "LIST", "NLST", "MLSD"}
_LOGIN = {"USER", "PASS", "ACCT"}
_NOT_LOGGED_IN = 530
_SERVICE_ENDS = 421
_IN_ORDER = "it was closed"
_ABOUT_A_SESSION = {"_us", "_server", "_open", "_protected", "_verb", "_asked_at", "_uploads"}
_CONTROL_CAUSES = {"no answer": Cause.CONTROL_TIMEOUT, "not waited for": Cause.OK}
_DATA_CAUSES = {"no answer": Cause.PASSIVE_DROPPED, "not waited for": Cause.OK}


class Recorder:
    """A trace that keeps what happened as a :class:`~fairlead.ladder.model.Ladder`.

    ``Client(url, trace=Recorder())``; one recorder may serve several sessions in turn. ``clock`` gives seconds that
    never go back, ``now`` seconds since the epoch; ``title`` stands above the drawing. Of more than ``limit`` steps the
    older half is forgotten.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
        title: str = "",
        limit: int | None = None,
    ) -> None:
        self._kept = Recording(clock=clock, now=now, title=title, limit=limit)
        self._servers: dict[str, str] = {}
        """The servers' names by their addresses."""
        self._homes: dict[str, str] = {}
        """The address of each server that was called last: the one that answered."""
        self._us = End("client", "", 0)
        self._server = End("server", "", 0)
        self._open = False
        self._protected = False
        self._verb = ""
        self._asked_at = 0.0
        self._uploads = False

    def ladder(self) -> Ladder:
        """What was recorded so far."""
        servers = self._homes or {self._server.party: ""}
        parties = (Party("client", self._us.address), *(Party(name, home) for name, home in servers.items()))
        return self._kept.ladder(*parties)

    def session(self) -> OneSession:
        """A trace for one of several sessions that go on at the same time."""
        return OneSession(self)

    def failed(self, error: Exception) -> None:
        """Say how it ended, where no step shows it: ``error`` is what the client raised."""
        cause = _cause_of(error)
        if cause and not any(step.cause for step in self._kept.steps):
            self._kept.note(self._us, "failed", str(error), cause=cause)

    def __call__(self, record: Record) -> None:
        """Take one record."""
        self._take(record)

    @singledispatchmethod
    def _take(self, record: Any) -> None:
        """What has no step of its own."""

    @_take.register
    def _(self, record: ControlCalled) -> None:
        if self._open or not self._servers:
            self._open = False
            self._kept.data = None
            name = self._servers.get(record.address[0]) or _numbered("server", len(self._homes))
            self._server = End(name, "", 0)
        self._servers[record.address[0]] = self._server.party
        self._homes[self._server.party] = record.address[0]
        ours = End("client", *record.local)
        theirs = End(self._server.party, *record.address)
        self._us = ours if ours.address else self._us
        self._server = theirs
        cause = _CONTROL_CAUSES.get(record.outcome, Cause.CONTROL_REFUSED)
        self._call(CONTROL, ours, theirs, record.seconds, record.outcome, cause)
        self._open = record.outcome == "connected"
        self._protected = False

    @_take.register
    def _(self, record: ControlClosed) -> None:
        if record.by == "us":
            note = "" if record.reason == _IN_ORDER else record.reason
            self._kept.add(Kind.FIN, CONTROL, self._us, self._server, note=note)
        elif record.by:
            lost = "" if self._verb == "QUIT" else Cause.CONTROL_LOST
            self._kept.add(Kind.FIN, CONTROL, self._server, self._us, cause=lost)
        elif "reset" in record.reason.lower():
            self._kept.add(Kind.RST, CONTROL, self._server, self._us, cause=Cause.CONTROL_LOST)
        else:
            self._kept.note(self._us, "lost", record.reason, cause=Cause.CONTROL_LOST)

    @_take.register
    def _(self, record: CommandSent) -> None:
        self._verb = record.text.partition(" ")[0].upper()
        self._asked_at = self._kept.elapsed()
        if self._verb in _SET_UP:
            self._kept.data = None
        if self._verb in _TRANSFERS:
            self._uploads = self._verb in _UPLOADS
        self._kept.add(Kind.COMMAND, CONTROL, self._us, self._server, at=self._asked_at, text=record.text)

    @_take.register
    def _(self, record: ReplyReceived) -> None:
        reply = record.reply
        cause = ""
        if reply.code == _NOT_LOGGED_IN and self._verb in _LOGIN:
            cause = Cause.LOGIN_REFUSED if self._protected else refused_in_clear(reply.text)
        elif reply.transient or reply.permanent:
            cause = _named(reply.text) or (Cause.CONTROL_LOST if reply.code == _SERVICE_ENDS else "")
        self._kept.add(Kind.REPLY, CONTROL, self._server, self._us, text=show_reply(reply), cause=cause)
        self._explain_end()

    @_take.register
    def _(self, record: Called) -> None:
        ours = End("client", self._us.address if _family(record.address) == _family(self._us) else "", record.port)
        data = self._kept.next_data(ours, End(self._server.party, *record.address))
        cause = _DATA_CAUSES.get(record.outcome, Cause.PASSIVE_REJECTED)
        self._call(data.number, data.ours, data.theirs, record.seconds, record.outcome, cause)
        data.made = record.outcome == "connected"

    @_take.register
    def _(self, record: Waiting) -> None:
        data = self._kept.next_data(End("client", *record.address), End(self._server.party, self._server.address, 0))
        self._kept.add(Kind.LISTEN, data.number, data.ours)

    @_take.register
    def _(self, record: Answered) -> None:
        if (data := self._kept.data) is None:
            return
        data.made = True
        data.theirs = End(self._server.party, *record.address)
        self._kept.add(Kind.SYN, data.number, data.theirs, data.ours, arrived=True)
        self._kept.add(Kind.SYN_ACK, data.number, data.ours, data.theirs)

    @_take.register
    def _(self, record: TurnedAway) -> None:
        self._kept.note(self._us, "turned away", f"{record.address[0]}, which is not the server")

    @_take.register
    def _(self, record: AddressIgnored) -> None:
        self._kept.note(self._us, f"calls {record.used}", f"the server's own address, not {record.announced} of 227")

    @_take.register
    def _(self, record: ProxyBetween) -> None:
        self._kept.note(self._us, "calls a proxy", f"{record.proxy} stands in between and makes each connection")

    @_take.register
    def _(self, record: ModeRecalled) -> None:
        self._kept.note(self._us, f"tries {record.mode} first", "it served last time in this network")

    @_take.register
    def _(self, record: ModeRemembered) -> None:
        self._kept.note(self._us, f"remembers {record.mode}", "for this network")

    @_take.register
    def _(self, record: ModeProbed) -> None:
        self._kept.note(self._us, f"tries {record.mode} in a second session", record.outcome)

    @_take.register
    def _(self, record: SessionRenewed) -> None:
        self._us = End("client", *record.local)
        self._kept.note(self._us, "goes on in a new session", "the server hears nothing while it calls in vain")

    @_take.register
    def _(self, record: TlsEnded) -> None:
        self._protected = False
        self._kept.note(self._us, "TLS ends", "commands go in clear, data stays protected")

    @_take.register
    def _(self, record: TlsNotOffered) -> None:
        self._kept.note(self._us, "no TLS", "everything goes in clear")

    @_take.register
    def _(self, record: ModeFailed) -> None:
        """The cause belongs to the step that shows the failure: a call unanswered, or else a refusal."""
        data = self._kept.data
        if data is not None and not data.made and not any(step.kind is Kind.SYN for step in self._of(data)):
            at = self._asked_at if self._verb in _TRANSFERS else self._kept.elapsed()
            self._kept.add(
                Kind.SYN,
                data.number,
                data.theirs,
                data.ours,
                at=at,
                arrived=False,
                cause=record.cause,
                note="never arrived",
            )
            return
        about = CONTROL if data is None or data.made else data.number
        for place, step in reversed(list(enumerate(self._kept.steps))):
            if step.connection == about and step.kind in {Kind.SYN, Kind.RST, Kind.ICMP, Kind.REPLY}:
                if about == CONTROL or step.cause:
                    self._kept.steps[place] = replace(step, cause=record.cause)
                return

    @_take.register
    def _(self, record: DataClosed) -> None:
        if (data := self._kept.data) is None:
            return
        sender, receiver = (data.ours, data.theirs) if self._uploads else (data.theirs, data.ours)
        if record.size:
            took = f"in {show_duration(record.seconds)}"
            self._kept.add(Kind.DATA, data.number, sender, receiver, size=record.size, note=took)
        source, target = (data.ours, data.theirs) if record.by == "us" else (data.theirs, data.ours)
        kind = Kind.RST if record.broke else Kind.FIN
        self._kept.add(kind, data.number, source, target, note=record.broke, cause=record.cause)
        self._explain_end()

    @_take.register
    def _(self, record: TlsBegan) -> None:
        security = record.security
        if record.connection == "control":
            self._protected = True
            self._kept.add(Kind.TLS, CONTROL, self._us, self._server, text=security.version)
        elif (data := self._kept.data) is not None:
            resumed = "session resumed" if security.resumed else "session not resumed"
            self._kept.add(Kind.TLS, data.number, data.ours, data.theirs, text=security.version, note=resumed)

    def _call(self, number: int, ours: End, theirs: End, seconds: float, outcome: str, cause: Cause) -> None:
        """A call of ours: the SYN when it left, and what came back now."""
        began = self._kept.elapsed() - seconds
        if outcome in {"no answer", "not waited for"}:
            after = f"{outcome} in {show_duration(seconds)}" if outcome == "no answer" else outcome
            why = "" if cause is Cause.OK else cause
            self._kept.add(Kind.SYN, number, ours, theirs, at=began, cause=why, note=after)
        elif not ours.port and outcome != "connected":
            self._kept.note(self._us, f"cannot call {theirs.address}", outcome, cause=cause, connection=number)
        else:
            self._kept.add(Kind.SYN, number, ours, theirs, at=began)
            if outcome == "connected":
                self._kept.add(Kind.SYN_ACK, number, theirs, ours)
            elif outcome == "refused":
                self._kept.add(Kind.RST, number, theirs, ours, cause=cause)
            else:
                self._kept.add(Kind.ICMP, number, theirs, ours, text=outcome, cause=cause)

    def _explain_end(self) -> None:
        """What looked like a cut was the server's doing where its reply, before or after, names another reason."""
        steps = self._kept.steps
        for cut, told in ((-2, -1), (-1, -2)) if len(steps) > 1 else ():
            named = steps[told].kind is Kind.REPLY and steps[told].cause not in {"", Cause.DATA_CUT}
            if named and steps[cut].cause == Cause.DATA_CUT:
                steps[cut] = replace(steps[cut], cause="")

    def _of(self, data: Data) -> list[Step]:
        return [step for step in self._kept.steps if step.connection == data.number]


class OneSession:
    """A trace that a :class:`Recorder` shows among others: what each is about is kept apart."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._about: dict[str, Any] = {}

    def __call__(self, record: Record) -> None:
        """Take one record."""
        vars(self._recorder).update(self._about)
        self._recorder(record)
        self._about = {name: value for name, value in vars(self._recorder).items() if name in _ABOUT_A_SESSION}

    def failed(self, error: Exception) -> None:
        """See :meth:`Recorder.failed`."""
        vars(self._recorder).update(self._about)
        self._recorder.failed(error)


def _numbered(name: str, before: int) -> str:
    return f"{name} {before + 1}" if before else name


def _family(end: End | Address) -> bool:
    return ":" in (end.address if isinstance(end, End) else end[0])


def _named(text: str) -> str:
    """The cause that a reply names at its end, ``… (active-dropped)``, as Fairlead's do."""
    name = text.rstrip(" .)").rpartition("(")[2]
    return next((cause.value for cause in Cause if cause == name), "")


_ERRORS: Mapping[type[Exception], Cause] = {
    CertificateError: Cause.CERTIFICATE_INVALID,
    TlsError: Cause.TLS_FAILED,
}


def _cause_of(error: Exception) -> str:
    known = getattr(error, "cause", None) or getattr(error, "evidence", {}).get("cause")
    found = known or next((cause for kind, cause in _ERRORS.items() if isinstance(error, kind)), "")
    return str(found)
