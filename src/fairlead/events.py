"""What happens in a session, as records, and the small bus that carries them.

Emitters ask :meth:`Bus.wanted` before building a record on a hot path; subscribers are plain callables and run
in the emitter's turn, so they must be quick.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from fairlead.record import Record

E = TypeVar("E", bound="Event")


class Event(Record):
    """Something that happened in the session ``session`` (a number, unique in its process)."""

    session: int
    peer: str


class SessionOpened(Event):
    local: str
    peer_port: int = 0


class SessionRefused(Event):
    reason: str


class SessionClosed(Event):
    user: str | None
    seconds: float
    reason: str


class ControlLost(Event):
    """A control connection broke, or its client was not there any more to hear the server."""

    user: str
    seconds: float
    """How long the session was."""
    cause: str
    """``control-lost``, or ``control-forgotten`` after a transfer: what stands between had forgotten the connection."""
    reason: str


class LoginSucceeded(Event):
    user: str
    anonymous: bool
    password: str | None
    """The e-mail address an anonymous user gave; None for every other account."""
    tls: str = ""
    """Version and cipher of the control connection, such as ``TLSv1.3 TLS_AES_256_GCM_SHA384``; empty in clear."""
    certified: bool = False
    """Whether a certificate took the place of the password."""


class LoginFailed(Event):
    user: str
    reason: str


class CommandReceived(Event):
    """A command as it came; the argument of PASS and ACCT is masked."""

    verb: str
    argument: str


class ReplySent(Event):
    code: int
    text: str


class DataConnected(Event):
    """A data connection was made, ``calls`` says whether by a call of ours; addresses are as the sockets know them."""

    local: tuple[str, int]
    remote: tuple[str, int]
    calls: bool


class TransferFinished(Event):
    """A transfer that ended with 226 or 250. ``size`` counts octets of the data connection; ``seconds`` from 1yz on."""

    user: str
    verb: str
    path: str
    size: int
    seconds: float
    mode: str
    """How the data connection was made: EPSV, PASV, EPRT, PORT or DEFAULT."""


class TransferFailed(Event):
    """A transfer that ended with 4yz or 5yz after its 1yz, or whose data connection was never made."""

    user: str
    verb: str
    path: str
    size: int
    seconds: float
    mode: str
    code: int
    cause: str
    """A value of :class:`fairlead.reach.cause.Cause`, ``aborted``, ``storage``, or ``descriptors`` (none is left)."""
    reason: str


class PassiveUncalled(Event):
    """A client asked for a passive port, and neither called it nor went on: what a firewall that drops looks like."""

    user: str
    port: int
    """The one that the client was told."""
    mode: str
    seconds: float
    cause: str
    reason: str


class Refused(Event):
    """A transfer or a change that was refused before it began; the path is what the store or the rights refused."""

    user: str
    verb: str
    path: str
    code: int
    cause: str
    """As in :class:`TransferFailed`."""
    reason: str


class Changed(Event):
    """The tree was changed by a command other than a transfer (DELE, RMD, MKD, RNTO, MFMT, SITE …)."""

    user: str
    verb: str
    path: str
    detail: str = ""


class Noticed(Event):
    """Something an operator should know that is no failure, in one sentence."""

    topic: str
    message: str


class Routes(dict["type[Event]", "tuple[Callable[[Any], None], ...]"]):
    """The subscribers to each class of events, found when first asked for."""

    def __init__(self, subscribers: dict[type[Event], list[Callable[[Any], None]]]) -> None:
        self._subscribers = subscribers

    def __missing__(self, kind: type[Event]) -> tuple[Callable[[Any], None], ...]:
        route = self[kind] = tuple(
            subscriber for base in reversed(kind.__mro__) for subscriber in self._subscribers.get(base, ())
        )
        return route


class Bus:
    """Carries events from sessions to subscribers of their class or of a base class."""

    def __init__(self) -> None:
        self._subscribers: dict[type[Event], list[Callable[[Any], None]]] = {}
        self.routes = Routes(self._subscribers)

    def subscribe(self, kind: type[E], subscriber: Callable[[E], None]) -> Callable[[], None]:
        """Call ``subscriber`` with each event of class ``kind``; returns what ends the subscription."""
        self._subscribers.setdefault(kind, []).append(subscriber)
        self.routes.clear()

        def unsubscribe() -> None:
            self._subscribers[kind].remove(subscriber)
            self.routes.clear()

        return unsubscribe

    def wanted(self, kind: type[Event]) -> bool:
        """Whether anybody subscribed to ``kind``."""
        return bool(self.routes[kind])

    def emit(self, event: Event) -> None:
        """Hand ``event`` to its subscribers, in the order in which they subscribed."""
        for subscriber in self.routes[type(event)]:
            subscriber(event)
