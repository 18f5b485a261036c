"""One transfer: 1yz, the data connection, the octets, the final reply.

What is moved is said by :mod:`fairlead.server.sending` and :mod:`fairlead.server.receiving`; how it ends, however it
ends, is here.
"""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from fairlead.errors import DataConnectionError, FairleadError
from fairlead.events import DataConnected, TransferFailed, TransferFinished
from fairlead.proto.reply import Reply
from fairlead.reach.cause import Cause
from fairlead.server.active import default_port
from fairlead.server.data import (
    CALLING,
    Connection,
    DataPort,
    KeptPort,
    RawConnection,
    plain_address,
)
from fairlead.server.ending import check_unbroken, discard_incoming, reset_at_close, shut, unacknowledged
from fairlead.server.failures import AbortedError, cause_of, code_for, reply_for
from fairlead.server.protection import PRIVATE
from fairlead.server.pump import Pump, lost
from fairlead.server.stepping import Wait

if TYPE_CHECKING:
    from fairlead.server.protected import Protected
    from fairlead.server.session import Session

COMPLETE = Reply(226, "Transfer complete.")
KEPT = Reply(250, "Transfer complete, the data connection stays open.")
FIRST_LOOK, LAST_LOOK = 0.001, 0.05
"""Seconds between looks at the send queue of a peer that does not close: the first wait, and where doubling ends."""
PATIENCE = 0.1
"""How long a thread lets the kernel wait for the peer before the event loop takes the waiting over."""
FIN = 1
"""What the end of a connection counts in its send queue."""
BRISK = 4 << 20
"""Octets in one impatient run that make the peer worth a thread's patience again."""


class Transfer:
    """A transfer under way, as ABOR, STAT and the time-outs see it."""

    announced = True
    """A 1yz reply went before, so other replies may come before the final one."""

    __slots__ = (
        "_connection",
        "_from",
        "_loop",
        "_moved",
        "_port",
        "_pump",
        "_session",
        "_wait",
        "aborted",
        "deadline",
        "drained",
        "early",
        "error",
        "path",
        "receives",
        "settled",
        "started",
        "total",
        "verb",
    )

    def __init__(self, session: Session, verb: str, path: str, total: int | None, *, receives: bool = False) -> None:
        self._session = session
        self._loop = session.server.loop
        self._port: DataPort | None = None
        self._from: DataPort | None = None
        """Where the connection comes from, once that is announced."""
        self._connection: Connection | None = None
        self._pump: Pump | None = None
        self._moved = 0
        self._wait: Wait | None = None
        self.verb = verb
        self.path = path
        self.total = total
        self.receives = receives
        """Whether the client sends."""
        self.started = self._loop.time()
        self.aborted = False
        self.settled = False
        """All octets have moved: an ABOR comes too late to change the outcome."""
        self.deadline: float | None = None
        """The loop's time at which :meth:`expire` is due; None while nothing is waited for."""
        self.error: Exception | None = None
        """Why it failed, once it has."""
        self.drained = False
        """Whether nothing is left to receive of what had come when this took the connection over."""
        self.early = b""
        """What came over a data connection that was kept, before this transfer began."""

    @property
    def moved(self) -> int:
        """Octets of the data connection so far."""
        return self._moved if self._pump is None else self._pump.moved

    def abort(self) -> None:
        """Stop (ABOR, or the control connection ended); the transfer then ends with 426."""
        if self.settled or self.aborted:
            return
        self.aborted = True
        stopped = AbortedError("Transfer aborted")
        if self._port is not None:
            self._port.stop(stopped)
        if self._wait is not None:
            self._wait.end(stopped)
        elif self._connection is not None:
            shut(self._connection, socket.SHUT_RDWR)

    def expire(self) -> None:
        """The deadline passed: the data connection was not made, or stalls."""
        self.deadline = None
        if self._port is not None:
            self._port.stop(self._port.timed_out(self._session))
        if self._wait is not None:
            self._wait.end(stalled())

    async def run(self, opening: str, move: Callable[[Connection], Awaitable[bytes | None]]) -> Reply:
        """Send ``150 opening``, make the data connection, ``move`` the octets; the final reply.

        Where the end was marked in the data, so that the connection can stay for the next transfer, ``move`` returns
        what came of that one already; else None.
        """
        session = self._session
        session.transfer = self
        port = self._from or session.port or default_port(session)
        if self._from is None:
            (session.reply_to.invite if self.receives else session.reply)(Reply(125 if port.kept else 150, opening))
        try:
            connection = self._connection or await self._open(port)
            early: bytes | None = None
            try:
                if session.protection.level == PRIVATE and isinstance(connection, RawConnection):
                    connection = self._connection = await self._protect(connection, port)
                early = await move(connection)
                if self.aborted:
                    raise AbortedError("Transfer aborted")
            finally:
                self._connection = None
                if early is None or self.aborted:
                    if self.receives and self.aborted and self._pump is not None:
                        reset_at_close(connection)
                    connection.close()
            if early is not None:
                session.use_port(KeptPort(port.mode, connection, early, session.port))
        except Exception as error:  # noqa: BLE001 - every failure is answered, in one place
            self.error = AbortedError("Transfer aborted") if self.aborted else error
            return self._failed(self.error, port.mode)
        finally:
            session.transfer = None
            if not port.sticky and session.port is port:
                session.use_port(port.base)
        seconds = self._loop.time() - self.started
        report_finished(session, self.verb, self.path, self.moved, seconds, port.mode)
        return COMPLETE if early is None else KEPT

    def begin(self, port: DataPort) -> None:
        """The 1yz reply is sent already, for a connection of ``port``."""
        self._from = port

    def take_over(self, port: DataPort, connection: Connection, moved: int) -> None:
        """As :meth:`begin`, with the ``connection`` there, over which so many octets have ``moved``."""
        self._moved = moved
        self._use(port, connection)

    def fail(self, port: DataPort, error: Exception) -> Reply:
        """The reply where it failed after the 1yz reply; the connection of ``port`` is closed."""
        self._session.use_port(port.base)
        return self._failed(error, port.mode)

    async def _open(self, port: DataPort) -> Connection:
        session = self._session
        if session.reply_to.stop_wanted:
            self.aborted = True
            raise AbortedError("Transfer aborted")
        connection = port.take(session)
        if connection is None:
            self._port = port
            self._expect(session.server.settings.data_connect_timeout)
            try:
                connection = await port.open(session)
            finally:
                self._port = None
                self.deadline = None
        self._use(port, connection)
        return connection

    def _use(self, port: DataPort, connection: Connection) -> None:
        """Go on with ``connection``, which ``port`` gave."""
        session = self._session
        self._from = port
        self._connection = connection
        if not port.sticky:
            session.use_port(port.base)
            self.early = port.early
        if session.server.events.wanted(DataConnected) and isinstance(connection, RawConnection) and not port.kept:
            self._tell_connected(connection, calls=port.sticky)

    def _tell_connected(self, connection: RawConnection, *, calls: bool) -> None:
        session = self._session
        try:
            local, remote = connection.getsockname(), connection.getpeername()
        except OSError:  # the peer has reset it already, which is seen when octets are to move
            return
        session.server.events.emit(
            DataConnected(
                session=session.number,
                peer=session.peer[0],
                local=(plain_address(local[0]), local[1]),
                remote=(plain_address(remote[0]), remote[1]),
                calls=calls,
            )
        )

    def _expect(self, seconds: float) -> None:
        self.deadline = self._loop.time() + seconds
        self._session.reply_to.check_at(self.deadline)

    def _failed(self, error: Exception, mode: str) -> Reply:
        session = self._session
        if not isinstance(error, FairleadError):
            session.server.record_fault(session, error, self.verb)
        session.server.events.emit(
            TransferFailed(
                session=session.number,
                peer=session.peer[0],
                user=session.user,
                verb=self.verb,
                path=self.path,
                size=self.moved,
                seconds=self._loop.time() - self.started,
                mode=mode,
                code=code_for(error, self.verb, started=True),
                cause=cause_of(error),
                reason=str(error),
            )
        )
        return reply_for(error, self.verb, started=True)

    async def pump(self, pump: Pump, connection: Connection) -> None:
        """Run ``pump`` to its end, in threads; the loop waits where the peer is slow."""
        self._pump = pump
        patience = PATIENCE
        while True:
            before = pump.moved
            done = await self._session.server.in_thread(pump.run, patience)
            if self.aborted:
                raise AbortedError("Transfer aborted")
            if done:
                return
            patience = PATIENCE if pump.moved - before >= BRISK else 0.0
            await self.ready(pump, connection)

    def count(self, pump: Pump) -> None:
        """Go by what ``pump`` has moved."""
        self._pump = pump

    async def _protect(self, connection: RawConnection, port: DataPort) -> Protected:
        from fairlead.server.protected import protect, protect_as_client  # noqa: PLC0415 - many servers have no TLS

        session = self._session
        begin = protect_as_client if session.protection.calls or port.mode == CALLING else protect
        return await begin(connection, session, self)

    async def ready(self, pump: Pump, connection: Connection) -> None:
        """Wait until ``pump`` can go on, at most the time a data connection may stand still."""
        if self.aborted:
            raise AbortedError("Transfer aborted")
        self._pump = pump
        if pump.reads and not isinstance(connection, RawConnection) and connection.holds:
            return
        await self.wait(connection, reads=pump.reads, seconds=self._session.server.settings.data_stall_timeout)

    def now(self) -> float:
        """The loop's time."""
        return self._loop.time()

    async def wait(self, connection: Connection, *, reads: bool, seconds: float) -> None:
        """Wait until ``connection`` can be read (else written), at most so long; then DataConnectionError."""
        self._wait = Wait()
        self._expect(seconds)
        try:
            readiness = self._session.server.readiness
            await (readiness.readable if reads else readiness.writable)(connection.fileno(), self._wait)
        finally:
            self._wait = None
            self.deadline = None

    async def send(self, pump: Pump, connection: Connection, *, inline: bool, keep: bool = False) -> None:
        """Run a sending ``pump`` to its end, first inline if that is quick; end the data, unless the end is in them.

        With ``keep`` what the peer sends is left for the next transfer.
        """
        self._pump = pump
        done = inline and pump.run(0)
        if not done:
            await self.pump(pump, connection)
        if not isinstance(connection, RawConnection) and not keep:
            await self._end(connection, delivered=done)
            return
        if not done:
            if not keep:
                shut(connection, socket.SHUT_WR)
            await self._delivered(connection, keep=keep)
        self.settled = True
        if keep:
            check_unbroken(connection)
        else:
            discard_incoming(connection)

    async def _end(self, connection: Protected, *, delivered: bool) -> None:
        """End TLS and the data; a receiver that does not want to hear of it, or resets for it, has had all the same."""
        spare = 0
        try:
            while not connection.end():
                await self.wait(connection, reads=False, seconds=self._session.server.settings.data_stall_timeout)
            spare = connection.end_size + FIN
            if not delivered:
                shut(connection, socket.SHUT_WR)
                await self._delivered(connection, keep=False, spare=spare)
            self.settled = True
            discard_incoming(connection)
        except (OSError, DataConnectionError) as error:
            if self.aborted or unacknowledged(connection) > spare:
                raise lost(error) if isinstance(error, OSError) else error from error
            self.settled = True

    async def _delivered(self, connection: Connection, *, keep: bool, spare: int = 0) -> None:
        """Wait until the peer's system has all octets, so that 226 is never said of ones that were lost.

        Most clients close as soon as they have read the end, which wakes this at once; for the others the send queue
        is looked at again after a short while. The last ``spare`` octets are no data.
        """
        stall = self._session.server.settings.data_stall_timeout
        interval = FIRST_LOOK
        still = 0.0
        closed = keep
        queued = unacknowledged(connection)
        while queued > spare:
            self._wait = Wait()
            timer = self._loop.call_later(interval, self._wait.end)
            try:
                if closed:
                    await self._wait
                else:
                    await self._session.server.readiness.readable(connection.fileno(), self._wait)
            finally:
                timer.cancel()
                self._wait = None
            closed = keep or discard_incoming(connection) or closed
            left = unacknowledged(connection)
            if closed and left == queued:
                check_unbroken(connection)
            still = still + interval if left == queued else 0.0
            if still > stall:
                raise stalled()
            queued = left
            interval = min(interval * 2, LAST_LOOK)


def report_finished(session: Session, verb: str, path: str, size: int, seconds: float, mode: str) -> None:
    """Tell of a transfer that ended well; see :class:`~fairlead.events.TransferFinished` for the arguments."""
    events = session.server.events
    if events.routes[TransferFinished]:
        events.emit(
            TransferFinished(
                session=session.number,
                peer=session.peer[0],
                user=session.user,
                verb=verb,
                path=path,
                size=size,
                seconds=seconds,
                mode=mode,
            )
        )


def stalled() -> DataConnectionError:
    """The error for a data connection on which nothing moved for too long."""
    return DataConnectionError(
        Cause.DATA_STALLED, f"The data connection stood still for too long ({Cause.DATA_STALLED})"
    )
