"""Packets to sessions: which connections are control connections, and which data connections belong to them.

What has nothing to do with FTP is forgotten at once, so that memory follows the number of sessions that go on at a
time, not the size of the capture.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice

from fairlead.capture.connection import Connection
from fairlead.capture.dialogue import is_greeting, is_opening, is_unmistakable
from fairlead.capture.packets import ACK, RST, SYN, Address, Packet, Segment, Unreachable
from fairlead.capture.session import EXACT, Session
from fairlead.capture.streams import distance

CONTROL_PORTS = frozenset({21})
IMPLICIT_PORTS = frozenset({990})
AFTERMATH = 5.0
"""Seconds after the end of a control connection in which its data connections may go on."""
LINGERING = 0.5
"""Seconds after that in which its data connections may still begin."""
_LATEST = 16
"""Connections that are looked at again when something was announced."""
MOST_UNDECIDED = 20_000
MOST_FORGOTTEN = 50_000
_DOUBLED = 0.005
"""Seconds in which a segment that passes two interfaces is seen again; it is never sent again so soon."""

_Key = tuple[Address, Address]


@dataclass(slots=True)
class _Tracked:
    connection: Connection
    session: Session | None = None
    """None while it is not known whether the connection has to do with FTP."""
    control: bool = False
    held: list[Segment] = field(default_factory=list)
    """What came before that was known."""
    recent: deque[tuple[float, Address, int, int, int, int]] = field(default_factory=lambda: deque(maxlen=4))
    """The latest segments, to know again what passes a second interface."""


@dataclass(slots=True)
class _Live:
    """A session that goes on, and the hosts whose calls may belong to it."""

    session: Session
    hosts: set[str] = field(default_factory=set)


class Tracker:
    """Give it the packets in the order of their capture; sessions come back when they have ended."""

    def __init__(
        self, control_ports: Iterable[int] = CONTROL_PORTS, implicit_ports: Iterable[int] = IMPLICIT_PORTS
    ) -> None:
        self._control_ports = frozenset(control_ports)
        self._implicit_ports = frozenset(implicit_ports)
        self._tracked: dict[_Key, _Tracked] = {}
        self._undecided: OrderedDict[_Key, None] = OrderedDict()
        self._forgotten: OrderedDict[_Key, None] = OrderedDict()
        self._hosts: dict[str, dict[int, Session]] = {}
        self._ending: list[Session] = []
        self._live: dict[int, _Live] = {}
        self.last = 0.0
        """When the latest packet was captured."""

    def feed(self, packet: Packet) -> list[Session]:
        """The sessions that had ended when ``packet`` came."""
        self.last = max(self.last, packet.at)
        if isinstance(packet, Unreachable):
            self._refuse(packet)
        else:
            self._segment(packet)
        return self._ended() if self._ending else []

    def tick(self, at: float) -> list[Session]:
        """The sessions that had ended at ``at``, though no packet came."""
        self.last = max(self.last, at)
        return self._ended() if self._ending else []

    def finish(self) -> list[Session]:
        """All other sessions, at the end of the capture."""
        sessions = [live.session for live in self._live.values()]
        for session in sessions:
            self._close(session)
        return sessions

    def _ended(self) -> list[Session]:
        ended = [
            session
            for session in self._ending
            if self.last - session.control.ended > AFTERMATH
            or (self.last - session.control.ended > LINGERING and _idle(session))
        ]
        for session in ended:
            self._close(session)
        return ended

    def _close(self, session: Session) -> None:
        connections = [session.control, *session.data_connections()]
        session.finish(session.control.last)
        for connection in connections:
            key = _key(connection.caller, connection.called)
            tracked = self._tracked.get(key)
            if tracked is not None and tracked.connection is connection:
                self._forget(key)
        for host in self._live.pop(id(session)).hosts:
            expecting = self._hosts[host]
            del expecting[id(session)]
            if not expecting:
                del self._hosts[host]
        if session in self._ending:
            self._ending.remove(session)

    def _refuse(self, packet: Unreachable) -> None:
        tracked = self._tracked.get(_key(packet.source, packet.target))
        if tracked is not None and tracked.connection.unreachable is None:
            tracked.connection.unreachable = packet

    def _segment(self, segment: Segment) -> None:
        key = _key(segment.source, segment.target)
        tracked = self._tracked.get(key)
        if tracked is None or _is_new(tracked.connection, segment):
            if not segment.flags & SYN and (key in self._forgotten or not segment.size):
                return
            tracked = self._begin(key, segment)
        if _doubled(tracked, segment):
            return
        tracked.connection.take(segment)
        if tracked.session is None:
            self._decide(key, tracked, segment)
        elif tracked.control:
            self._converse(tracked.session, segment)

    def _begin(self, key: _Key, segment: Segment) -> _Tracked:
        caller, called = self._roles(segment)
        connection = Connection(caller, called, segment.at)
        tracked = self._tracked[key] = _Tracked(connection)
        self._forgotten.pop(key, None)
        if called[1] in self._control_ports or called[1] in self._implicit_ports:
            self._is_control(tracked, whole=bool(segment.flags & SYN))
            return tracked
        if segment.flags & SYN:
            session = self._owner(caller, called, segment.at)
            if session is not None:
                session.add(connection)
                tracked.session = session
                return tracked
        self._undecided[key] = None
        if len(self._undecided) > MOST_UNDECIDED:
            oldest, _ = self._undecided.popitem(last=False)
            self._forget(oldest)
        return tracked

    def _roles(self, segment: Segment) -> tuple[Address, Address]:
        """Caller and called one."""
        if segment.flags & SYN:
            by_caller = not segment.flags & ACK
        else:
            known = self._control_ports | self._implicit_ports
            by_caller = segment.source[1] not in known
        return (segment.source, segment.target) if by_caller else (segment.target, segment.source)

    def _is_control(self, tracked: _Tracked, *, whole: bool) -> Session:
        connection = tracked.connection
        session = Session(connection, implicit_tls=connection.called[1] in self._implicit_ports, whole=whole)
        tracked.session, tracked.control = session, True
        self._live[id(session)] = _Live(session)
        for host in (connection.caller[0], connection.called[0]):
            self._expect(session, host)
        return session

    def _owner(self, caller: Address, called: Address, at: float) -> Session | None:
        """The session that a call belongs to; of several the one that was active last."""
        sessions = {**self._hosts.get(caller[0], {}), **self._hosts.get(called[0], {})}
        ranked = [(session.fits(caller, called, at), session.control.last, session) for session in sessions.values()]
        best = max(ranked, key=lambda each: each[:2], default=None)
        return best[2] if best is not None and best[0] else None

    def _decide(self, key: _Key, tracked: _Tracked, segment: Segment) -> None:
        """Whether a connection to some port is a control connection; its first data tell."""
        tracked.held.append(segment)
        if not segment.size:
            if segment.flags & RST or len(tracked.held) > 12:
                self._forget(key)
            return
        connection = tracked.connection
        by_called = segment.source == connection.called
        greeted = any(each.size and each.source == connection.called for each in tracked.held[:-1])
        if not greeted and by_called and is_greeting(segment.payload) and connection.whole:
            return
        if greeted and (by_called or is_opening(segment.payload)):
            if by_called:
                return
            self._confirm(key, tracked, whole=True)
        elif not greeted and is_unmistakable(segment.payload):
            if by_called:
                connection.caller, connection.called = connection.called, connection.caller
                connection.flows = connection.flows[::-1]
            self._confirm(key, tracked, whole=False)
        else:
            self._forget(key)

    def _confirm(self, key: _Key, tracked: _Tracked, *, whole: bool) -> None:
        self._undecided.pop(key, None)
        session = self._is_control(tracked, whole=whole)
        held, tracked.held = tracked.held, []
        for segment in held:
            self._converse(session, segment)

    def _forget(self, key: _Key) -> None:
        self._undecided.pop(key, None)
        self._tracked.pop(key, None)
        self._forgotten[key] = None
        if len(self._forgotten) > MOST_FORGOTTEN:
            self._forgotten.popitem(last=False)

    def _converse(self, session: Session, segment: Segment) -> None:
        control = session.control
        by_client = segment.source == control.caller
        if segment.flags & SYN:
            session.dialogue.begin(by_client, segment.seq + 1)
        elif not segment.flags & RST:
            session.take(
                session.dialogue.feed(segment.at, by_client, segment.seq, segment.ack, segment.payload, segment.size)
            )
            if session.announced:
                self._announced(session, segment.at)
        if control.ended and session not in self._ending:
            self._ending.append(session)

    def _expect(self, session: Session, host: str) -> None:
        """Calls from or to ``host`` may belong to ``session``."""
        self._hosts.setdefault(host, {})[id(session)] = session
        self._live[id(session)].hosts.add(host)

    def _announced(self, session: Session, at: float) -> None:
        """Expect calls to what was announced; a call may even stand before that in the capture."""
        for host in session.announced:
            self._expect(session, host)
        session.announced.clear()
        for key in list(islice(reversed(self._undecided), _LATEST)):
            tracked = self._tracked[key]
            made = tracked.connection
            if at - made.began < LINGERING and session.fits(made.caller, made.called, made.began) >= EXACT:
                self._undecided.pop(key)
                tracked.held.clear()
                tracked.session = session
                session.add(made)


def sessions(packets: Iterable[Packet], tracker: Tracker) -> Iterator[Session]:
    """The sessions among ``packets``, each when it has ended."""
    for packet in packets:
        yield from tracker.feed(packet)
    yield from tracker.finish()


def _doubled(tracked: _Tracked, segment: Segment) -> bool:
    """Whether ``segment`` is one that the capture has already seen at another interface."""
    seen = segment.source, segment.seq, segment.ack, segment.flags, segment.size
    if any(each[1:] == seen and segment.at - each[0] < _DOUBLED for each in tracked.recent):
        return True
    tracked.recent.append((segment.at, *seen))
    return False


def _idle(session: Session) -> bool:
    """Whether no data connection goes on."""
    return all(each.ended or not each.established for each in session.data_connections())


def _key(one: Address, other: Address) -> _Key:
    return (one, other) if one < other else (other, one)


def _is_new(connection: Connection, segment: Segment) -> bool:
    """Whether a SYN begins another connection between the same ports."""
    if segment.flags & (SYN | ACK) != SYN:
        return False
    flow = connection.flows[segment.source != connection.caller]
    return flow.origin is None or distance(flow.origin, segment.seq + 1) != 0
