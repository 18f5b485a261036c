"""What a control connection does about the time: a session that is late is told so, and ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fairlead.proto.reply import Reply
from fairlead.server import occurrences
from fairlead.server.deadlines import TICKS
from fairlead.server.ending import unacknowledged
from fairlead.server.outgoing import Outgoing

if TYPE_CHECKING:
    from fairlead.server.server import Server


class Punctual(Outgoing):
    """Looks at a session's deadlines when the first of them has come."""

    __slots__ = ("_active", "_busy", "_loop", "_tick", "closing")

    def __init__(self, server: Server) -> None:
        super().__init__(server)
        self._loop = server.loop
        self._active = self._loop.time()
        """When the client was last heard, or last answered."""
        self._busy = False
        """Whether a command is running that waits for something."""
        self._tick = 0
        """When its deadlines are looked at, see :mod:`fairlead.server.deadlines`; 0 for never."""
        self.closing = ""
        """Why the connection is about to be closed, once it is."""

    @property
    def transfers(self) -> bool:
        """Whether the command that runs, or ran last, is one for data."""
        raise NotImplementedError

    def close(self, reason: str, reply: Reply | None = None) -> None:
        """Close once ``reply`` is written."""
        raise NotImplementedError

    def check_at(self, when: float) -> None:
        """See to the session's deadlines at the loop's time ``when``, or before."""
        if self._tick:
            if self._tick < when * TICKS + 1:  # so it is no later than the tick of that time
                return
            self._forget_deadlines()
        elif self.closing:
            return
        self._tick = self._server.deadlines.put(self, when)

    def _forget_deadlines(self) -> None:
        if self._tick:
            self._server.deadlines.drop(self, self._tick)
            self._tick = 0

    def look_at_deadlines(self) -> None:
        """End the session if it is late; a client that had its last words is cut off."""
        self._tick = 0
        if self.closing:
            self._transport.abort()
            return
        now = self._loop.time()
        port = self.session.port
        if port is not None and port.expires <= now and self.session.transfer is None:
            port.expire(self.session)
        due = self._due()
        if due > now:
            self.check_at(min(due, now + self.session.idle_timeout))
            return
        session = self.session
        if session.transfer is not None:
            session.transfer.expire()
            self.check_at(now + session.idle_timeout)
        elif session.account is None:
            self.close("no login in time", Reply(421, "No login in time, closing the control connection."))
        else:
            if unacknowledged(self._transport.get_extra_info("socket")):
                occurrences.lost(session, "the client has not acknowledged the last reply", forgotten=self.transfers)
            self.close("idle for too long", Reply(421, "Idle for too long, closing the control connection."))
        self._flush()

    def _due(self) -> float:
        """When the session's next deadline is, in the loop's time (RFC 1123 section 4.1.3.2: none during transfers)."""
        session = self.session
        settings = self._server.settings
        if session.transfer is not None:
            deadline = session.transfer.deadline
            return self._loop.time() + settings.data_stall_timeout if deadline is None else deadline
        if self._busy and self._drained is None:
            return self._loop.time() + session.idle_timeout
        if session.account is None:
            return session.logged_out + settings.login_timeout
        idle = self._active + session.idle_timeout
        return idle if session.port is None else min(idle, session.port.expires)
