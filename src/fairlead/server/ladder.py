"""A session as a ladder, seen from the server: what the bus carries, as the steps of both connections.

A server sees its own ends. That a client called a passive port in vain it can't know: where nobody called, the ladder
shows a call that never arrived, because that is what was due.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from fairlead.errors import ProtocolError
from fairlead.events import (
    Bus,
    CommandReceived,
    ControlLost,
    DataConnected,
    Event,
    LoginFailed,
    LoginSucceeded,
    PassiveUncalled,
    ReplySent,
    SessionClosed,
    SessionOpened,
    TransferFailed,
    TransferFinished,
)
from fairlead.ladder.model import CONTROL, End, Kind, Ladder, Party
from fairlead.ladder.recording import Data, Recording
from fairlead.proto.address import parse_eprt, parse_epsv_reply, parse_pasv_reply, parse_port
from fairlead.reach.cause import Cause

_CLIENT, _SERVER = "client", "server"
_UPLOADS = {"STOR", "STOU", "APPE"}
_ACTIVE: Mapping[str, Callable[[str], tuple[Any, ...]]] = {"PORT": parse_port, "EPRT": parse_eprt}
_UNCALLED = {Cause.PASSIVE_DROPPED, Cause.PASSIVE_PRIVATE_ADDRESS, Cause.DATA_PEER_REFUSED}
_UNANSWERED = {Cause.ACTIVE_DROPPED, Cause.ACTIVE_PRIVATE_ADDRESS}
_AUTH_ACCEPTED, _PASSIVE, _EXTENDED_PASSIVE, _PREPARED = 234, 227, 229, 200


class Recorder:
    """Keeps one session that ``bus`` tells of: the one with the number ``session``, or else the next that opens.

    ``clock`` gives seconds that never go back, ``now`` seconds since the epoch. :meth:`stop` ends the recording.
    """

    def __init__(
        self,
        bus: Bus,
        session: int | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
        title: str = "",
    ) -> None:
        self._session = session
        self._kept = Recording(clock=clock, now=now, title=title)
        self._peer = End(_CLIENT, "", 0)
        self._local = End(_SERVER, "", 0)
        self._asked: CommandReceived | None = None
        self._asked_at = 0.0
        self._secured_at = 0.0
        self._private = False
        takers: Mapping[type[Event], Callable[[Any], None]] = {
            SessionOpened: self._opened,
            SessionClosed: self._closed,
            ControlLost: self._lost,
            LoginSucceeded: self._logged_in,
            LoginFailed: self._login_failed,
            CommandReceived: self._command,
            ReplySent: self._reply,
            DataConnected: self._connected,
            PassiveUncalled: self._uncalled,
            TransferFinished: self._finished,
            TransferFailed: self._failed,
        }
        self._ends = [bus.subscribe(kind, partial(self._take, taker)) for kind, taker in takers.items()]

    def ladder(self) -> Ladder:
        """What was recorded so far."""
        return self._kept.ladder(Party(_CLIENT, self._peer.address), Party(_SERVER, self._local.address))

    def stop(self) -> None:
        """Hear no more."""
        while self._ends:
            self._ends.pop()()

    def _take(self, taker: Callable[[Any], None], event: Event) -> None:
        if self._session is None and isinstance(event, SessionOpened):
            self._session = event.session
        if event.session == self._session:
            taker(event)

    def _opened(self, event: SessionOpened) -> None:
        host, _, port = event.local.rpartition(" port ")
        self._local = End(_SERVER, host.removeprefix("::ffff:") if "." in host else host, int(port))
        self._peer = End(_CLIENT, event.peer, event.peer_port)
        self._kept.add(Kind.SYN, CONTROL, self._peer, self._local)
        self._kept.add(Kind.SYN_ACK, CONTROL, self._local, self._peer)
        self._secured_at = self._kept.elapsed()

    def _closed(self, event: SessionClosed) -> None:
        self._kept.note(self._local, "session over", event.reason)
        self.stop()

    def _lost(self, event: ControlLost) -> None:
        self._kept.note(self._local, "lost", event.reason, cause=event.cause)

    def _logged_in(self, event: LoginSucceeded) -> None:
        if event.tls:
            version = event.tls.partition(" ")[0]
            self._kept.add(Kind.TLS, CONTROL, self._peer, self._local, text=version, at=self._secured_at)

    def _login_failed(self, event: LoginFailed) -> None:
        self._kept.note(self._local, "login refused", event.reason, cause=Cause.LOGIN_REFUSED)

    def _command(self, event: CommandReceived) -> None:
        self._asked, self._asked_at = event, self._kept.elapsed()
        line = f"{event.verb} {event.argument}".rstrip()
        self._kept.add(Kind.COMMAND, CONTROL, self._peer, self._local, at=self._asked_at, text=line)

    def _reply(self, event: ReplySent) -> None:
        lines = event.text.split("\n")
        text = f"{event.code} {event.text}"
        if len(lines) > 1:
            text = "\n".join([f"{event.code}-{lines[0]}", *lines[1:-1], f"{event.code} {lines[-1]}"])
        verb = self._asked.verb if self._asked is not None else ""
        if event.code == _PREPARED and verb == "PROT":
            self._private = self._asked is not None and self._asked.argument.upper() == "P"
        self._agree(event, verb)
        self._kept.add(Kind.REPLY, CONTROL, self._local, self._peer, text=text)
        if event.code == _AUTH_ACCEPTED:
            self._secured_at = self._kept.elapsed()

    def _agree(self, event: ReplySent, verb: str) -> None:
        """A reply that makes a data port: where it is, and who will call."""
        try:
            if event.code == _EXTENDED_PASSIVE:
                self._listen(self._local.address, parse_epsv_reply(event.text))
            elif event.code == _PASSIVE:
                self._listen(*parse_pasv_reply(event.text))
            elif event.code == _PREPARED and verb in _ACTIVE and self._asked is not None:
                host, port = _ACTIVE[verb](self._asked.argument)[-2:]
                self._kept.next_data(End(_SERVER, self._local.address, 0), End(_CLIENT, host, port))
        except ProtocolError:
            return

    def _listen(self, host: str, port: int) -> None:
        data = self._kept.next_data(End(_SERVER, host, port), End(_CLIENT, self._peer.address, 0))
        self._kept.add(Kind.LISTEN, data.number, data.ours)

    def _connected(self, event: DataConnected) -> None:
        data = self._kept.data
        if data is None or data.made:
            data = self._kept.next_data(End(_SERVER, "", 0), End(_CLIENT, "", 0))
        data.ours, data.theirs = End(_SERVER, *event.local), End(_CLIENT, *event.remote)
        data.made = True
        caller, called = (data.ours, data.theirs) if event.calls else (data.theirs, data.ours)
        self._kept.add(Kind.SYN, data.number, caller, called, arrived=True)
        self._kept.add(Kind.SYN_ACK, data.number, called, caller)
        if self._private:
            self._kept.add(Kind.TLS, data.number, data.theirs, data.ours)

    def _uncalled(self, event: PassiveUncalled) -> None:
        self._never_called(event.cause, event.reason, self._kept.elapsed())

    def _finished(self, event: TransferFinished) -> None:
        self._moved(event.verb, event.size)
        if self._kept.data is not None:
            sender, receiver = self._direction(event.verb, self._kept.data)
            self._kept.add(Kind.FIN, self._kept.data.number, sender, receiver)

    def _failed(self, event: TransferFailed) -> None:
        data = self._kept.data
        if data is None:
            self._kept.note(self._local, "failed", event.reason, cause=event.cause)
        elif event.cause in _UNCALLED and not data.made:
            self._never_called(event.cause, "", self._asked_at)
        elif event.cause in _UNANSWERED and not data.made:
            self._kept.add(
                Kind.SYN, data.number, data.ours, data.theirs, cause=event.cause, at=self._asked_at, note="no answer"
            )
        elif event.cause == Cause.ACTIVE_REJECTED and not data.made:
            self._kept.add(Kind.SYN, data.number, data.ours, data.theirs, arrived=True)
            self._kept.add(Kind.RST, data.number, data.theirs, data.ours, cause=event.cause)
        else:
            self._moved(event.verb, event.size)
            if event.cause == Cause.DATA_CUT:
                self._kept.add(Kind.RST, data.number, data.theirs, data.ours, cause=event.cause)
            else:
                self._kept.note(self._local, "failed", event.reason, cause=event.cause, connection=data.number)

    def _never_called(self, cause: str, reason: str, at: float) -> None:
        data = self._kept.data
        if data is not None and not data.made:
            note = reason or "never arrived"
            self._kept.add(Kind.SYN, data.number, data.theirs, data.ours, cause=cause, at=at, note=note, arrived=False)

    def _moved(self, verb: str, size: int) -> None:
        if self._kept.data is not None and size:
            sender, receiver = self._direction(verb, self._kept.data)
            self._kept.add(Kind.DATA, self._kept.data.number, sender, receiver, size=size)

    def _direction(self, verb: str, data: Data) -> tuple[End, End]:
        return (data.theirs, data.ours) if verb in _UPLOADS else (data.ours, data.theirs)
