"""A session: its control connection, and the data connections that it agreed on."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from fairlead.capture.connection import Connection
from fairlead.capture.dialogue import Answered, Dialogue, Event, Hidden, Sent, Uncovered
from fairlead.capture.packets import Address
from fairlead.errors import ProtocolError
from fairlead.proto.address import parse_eprt, parse_epsv_reply, parse_lprt, parse_pasv_reply, parse_port
from fairlead.proto.reply import Reply
from fairlead.reach.private import is_private as private

MOST_EVENTS = 6000
"""Events of one session that are kept; of longer ones the middle is left out."""
_KEPT_AT_START = 1000
MOST_ATTEMPTS = 500
"""Data connections of one session that are kept, those that failed and the latest others."""

TRANSFERS = frozenset("RETR STOR STOU APPE LIST NLST MLSD THMB".split())
"""Commands that need a data connection; others that turn out to need one begin with a 1yz reply."""
HIDDEN = ""
"""The mode of an attempt under TLS, which hides how it was agreed on."""
DEFAULT = "default"
"""The mode where nothing was agreed on: the server calls the control connection's own port (RFC 959 section 3.2)."""
EXACT = 3
"""How well a call fits at least that goes to the announced port."""
_LOWEST_DATA_PORT = 1024
_LONG_REPLY = re.compile(r"\(([0-9, ]+)\)")
_ABOUT_OTHERS = frozenset({200, 211, 212, 213, 214, 215})
"""Replies that end no transfer, but may come during one, to STAT or NOOP."""


def _long(text: str) -> Address:
    match = _LONG_REPLY.search(text)
    return parse_lprt(match[1].replace(" ", "") if match else "")[1:]


ACTIVE: Mapping[str, Callable[[str], Address]] = {
    "PORT": parse_port,
    "EPRT": lambda argument: parse_eprt(argument)[1:],
    "LPRT": lambda argument: parse_lprt(argument)[1:],
}
"""Commands that say where the server shall call, and what their argument tells."""
PASSIVE: Mapping[str, tuple[int, Callable[[str], Address]]] = {
    "PASV": (227, parse_pasv_reply),
    "EPSV": (229, lambda text: ("", parse_epsv_reply(text))),
    "LPSV": (228, _long),
}
"""Commands that ask where to call the server: the code of the reply that tells it, and what its text says."""


@dataclass(slots=True)
class Attempt:
    """A data connection that was asked for, and what became of it."""

    mode: str
    """The command that asked; :data:`HIDDEN`, :data:`DEFAULT`."""
    active: bool
    """Whether the server calls."""
    at: float
    """When it was asked for."""
    address: str = ""
    """The address that was announced; of EPSV that of the control connection."""
    port: int = 0
    agreed: float = 0.0
    """When the answer came that agreed."""
    setup: Reply | None = None
    command: str = ""
    """The verb of the command that used it."""
    commanded: float = 0.0
    opening: Reply | None = None
    final: Reply | None = None
    ended: float = 0.0
    """When the final reply came, or the next attempt began."""
    aborted: bool = False
    """Whether the client sent ABOR meanwhile."""
    hidden: bool = False
    """Whether TLS hid the dialogue when it began."""
    connections: list[Connection] = field(default_factory=list)

    @property
    def refused(self) -> bool:
        """Whether the server would not have it."""
        return self.setup is not None and self.setup.code >= 400

    @property
    def connection(self) -> Connection | None:
        """The connection that counts: the first that came about, else the latest try."""
        made = (each for each in self.connections if each.established)
        return next(made, self.connections[-1] if self.connections else None)


@dataclass(slots=True)
class _Outstanding:
    sent: Sent
    attempt: Attempt | None = None


class Session:
    """What the dialogue of one control connection tells, as it goes on.

    ``whole`` says whether the capture has its beginning, ``implicit_tls`` whether TLS comes before FTP.
    """

    def __init__(self, control: Connection, *, whole: bool, implicit_tls: bool) -> None:
        self.control = control
        self.dialogue = Dialogue(whole=whole, implicit_tls=implicit_tls)
        self.events: list[Event] = []
        self.attempts: list[Attempt] = []
        self.omitted = 0
        """Events and transfers that were left out since there were too many."""
        self.tls: Hidden | None = None
        self.announced: list[str] = []
        """Addresses that were announced since the last look."""
        self._open: Attempt | None = None
        self._waiting: deque[_Outstanding] = deque(maxlen=1000)

    @property
    def client(self) -> str:
        """The client's address on the control connection."""
        return self.control.caller[0]

    @property
    def server(self) -> str:
        """The server's address there."""
        return self.control.called[0]

    @property
    def hidden(self) -> bool:
        """Whether TLS hides the dialogue now."""
        return self.dialogue.hidden

    @property
    def waiting(self) -> str:
        """The verb of the command that no reply has answered; empty where there is none, or the client said QUIT."""
        return self._waiting[0].sent.verb if self._waiting and self._waiting[0].sent.verb != "QUIT" else ""

    def take(self, events: list[Event]) -> None:
        """Follow the dialogue."""
        for event in events:
            self.events.append(event)
            if isinstance(event, Sent):
                self._command(event)
            elif isinstance(event, Answered):
                self._reply(event)
            elif isinstance(event, Hidden | Uncovered):
                self.tls = event if isinstance(event, Hidden) else self.tls
                self._waiting.clear()
                self._open = None
        if len(self.events) > MOST_EVENTS:
            self.omitted += MOST_EVENTS // 2
            del self.events[_KEPT_AT_START : _KEPT_AT_START + MOST_EVENTS // 2]

    def fits(self, caller: Address, called: Address, at: float) -> int:
        """How well a call fits what was agreed on: 0 for not at all, else the more the better."""
        attempt = self._open
        if attempt is not None and attempt.agreed and not attempt.refused:
            pair = (self.server, self.client) if attempt.active else (self.client, self.server)
            if called == (attempt.address, attempt.port):
                return EXACT + 1 + (caller[0] == pair[0])
            if (caller[0], called[0]) == pair:
                if called[1] == attempt.port:
                    return EXACT
                return 0 if attempt.active or attempt.connections else 1  # its port may have been rewritten
        if not self.hidden or called[1] < _LOWEST_DATA_PORT or at < self.control.began:
            return 0
        if {self.client, self.server} == {caller[0], called[0]}:
            return 2
        return 1 if caller[0] == self.client and self._is_guess(called) else 0

    def _is_guess(self, called: Address) -> bool:
        """Whether TLS may have hidden a 227 that named this address: a private one, where the server's is public."""
        return called[0] != self.server and private(called[0]) and not private(self.server)

    def finish(self, at: float) -> None:
        """The control connection has ended, or the capture. A guess that came about was none: forget it."""
        self.take(self.dialogue.finish(at))
        for attempt in list(self.attempts):
            made = attempt.connection
            if attempt.mode == HIDDEN and made is not None and made.established and self._is_guess(made.called):
                self.attempts.remove(attempt)

    def add(self, connection: Connection) -> None:
        """``connection`` belongs to this session; it fits."""
        attempt = self._open
        if attempt is None:
            attempt = Attempt(
                HIDDEN,
                active=connection.caller[0] == self.server != self.client,
                at=connection.began,
                address=connection.called[0],
                port=connection.called[1],
                agreed=connection.began,
                hidden=True,
            )
            self._keep(attempt)
        attempt.connections.append(connection)

    def data_connections(self) -> Iterator[Connection]:
        """All of them."""
        for attempt in self.attempts:
            yield from attempt.connections

    def _keep(self, attempt: Attempt) -> None:
        self.attempts.append(attempt)
        if len(self.attempts) > MOST_ATTEMPTS:
            well = (n for n, each in enumerate(self.attempts) if each.final is not None and each.final.completed)
            del self.attempts[next(well, 1)]
            self.omitted += 1

    def _command(self, sent: Sent) -> None:
        waiting = _Outstanding(sent)
        self._waiting.append(waiting)
        if sent.verb in ACTIVE or (sent.verb in PASSIVE and sent.argument.upper() != "ALL"):
            waiting.attempt = self._begin(sent)
        elif sent.verb in TRANSFERS:
            waiting.attempt = self._use(sent)
        elif sent.verb == "ABOR" and self._open is not None:
            self._open.aborted = True

    def _begin(self, sent: Sent) -> Attempt:
        if self._open is not None and not self._open.ended:
            self._open.ended = sent.at
        attempt = Attempt(sent.verb, active=sent.verb in ACTIVE, at=sent.at)
        if sent.verb in ACTIVE:
            try:
                attempt.address, attempt.port = ACTIVE[sent.verb](sent.argument)
                self.announced.append(attempt.address)
            except ProtocolError:
                pass  # the server says what it thinks of it
        self._open = attempt
        self._keep(attempt)
        return attempt

    def _use(self, sent: Sent) -> Attempt:
        """The attempt that a transfer uses; one that was agreed on, or the default data port."""
        attempt = self._open
        if attempt is None or attempt.refused or attempt.command:
            if attempt is not None and attempt.command and not attempt.ended:
                attempt.ended = sent.at
            host, port = self.control.caller
            attempt = Attempt(DEFAULT, active=True, at=sent.at, address=host, port=port, agreed=sent.at)
            self._open = attempt
            self._keep(attempt)
        attempt.command, attempt.commanded = sent.verb, sent.at
        return attempt

    def _reply(self, answered: Answered) -> None:
        reply = answered.reply
        waiting = self._meant(reply)
        if waiting is None:
            return
        attempt = waiting.attempt
        if reply.preliminary:
            if attempt is None and waiting.sent.verb not in {"REIN", "ABOR"}:
                attempt = waiting.attempt = self._use(waiting.sent)
            if attempt is not None:
                attempt.opening = reply
            return
        self._waiting.remove(waiting)
        if attempt is None:
            return
        if attempt.mode == waiting.sent.verb:
            self._agreed(attempt, answered)
            return
        attempt.final, attempt.ended = reply, answered.at
        if attempt is self._open:
            self._open = None

    def _meant(self, reply: Reply) -> _Outstanding | None:
        """The command that ``reply`` answers: the first, unless it cannot be meant since its transfer still runs."""
        if not self._waiting:
            return None
        first = self._waiting[0]
        if first.sent.verb in TRANSFERS and reply.code in _ABOUT_OTHERS:
            return next((each for each in self._waiting if each.sent.verb not in TRANSFERS), first)
        return first

    def _agreed(self, attempt: Attempt, answered: Answered) -> None:
        """The reply to the command that asked for the attempt."""
        attempt.setup = answered.reply
        if attempt.refused:
            attempt.ended = answered.at
            if attempt is self._open:
                self._open = None
            return
        attempt.agreed = answered.at
        if attempt.mode not in PASSIVE:
            return
        code, parse = PASSIVE[attempt.mode]
        if answered.reply.code != code:
            return
        try:
            address, attempt.port = parse(answered.reply.text)
        except ProtocolError:
            return
        attempt.address = address or self.server
        self.announced.append(attempt.address)
