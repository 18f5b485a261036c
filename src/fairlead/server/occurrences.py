"""What happens on a session's control connection, handed to the bus as events."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fairlead.events import CommandReceived, ControlLost, SessionClosed, SessionOpened, SessionRefused
from fairlead.reach.cause import Cause
from fairlead.server.commands import look_up
from fairlead.server.registry import COMMANDS

if TYPE_CHECKING:
    from fairlead.proto.command import Command
    from fairlead.server.session import Session


def refused(session: Session, reason: str) -> None:
    """The client was turned away before it could log in."""
    session.server.events.emit(SessionRefused(session=session.number, peer=session.peer[0], reason=reason))


def opened(session: Session, local: tuple[str, int]) -> None:
    """The client called ``local`` and is greeted."""
    events = session.server.events
    if events.wanted(SessionOpened):
        host, port = session.peer
        events.emit(
            SessionOpened(session=session.number, peer=host, peer_port=port, local=f"{local[0]} port {local[1]}")
        )


def received(session: Session, command: Command) -> None:
    """A command came; what is secret of it goes to nobody."""
    spec = COMMANDS.get(command.verb) or look_up(command.verb)
    session.server.events.emit(
        CommandReceived(
            session=session.number,
            peer=session.peer[0],
            verb=command.verb,
            argument="****" if spec is not None and spec.secret else command.argument,
        )
    )


def lost(session: Session, reason: str, *, forgotten: bool) -> None:
    """Nobody hears this end; ``forgotten``, where something between the two may have forgotten the connection."""
    session.server.events.emit(
        ControlLost(
            session=session.number,
            peer=session.peer[0],
            user=session.user,
            seconds=session.server.loop.time() - session.started,
            cause=Cause.CONTROL_FORGOTTEN if forgotten else Cause.CONTROL_LOST,
            reason=reason,
        )
    )


def closed(session: Session, reason: str) -> None:
    """The session is over."""
    events = session.server.events
    if events.wanted(SessionClosed):
        events.emit(
            SessionClosed(
                session=session.number,
                peer=session.peer[0],
                user=session.user if session.account is not None else None,
                seconds=session.server.loop.time() - session.started,
                reason=reason,
            )
        )
