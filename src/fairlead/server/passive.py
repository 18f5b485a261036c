"""Passive data ports: the client calls one (PASV, EPSV and their like), for one transfer (RFC 1123 section 4.1.2.6)."""

from __future__ import annotations

import errno
import socket
from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING

from fairlead.errors import DataConnectionError, ProtocolError
from fairlead.events import PassiveUncalled
from fairlead.reach.cause import Cause
from fairlead.reach.private import is_private
from fairlead.server.data import DataPort, RawConnection, without_zone
from fairlead.server.dtp import DONE, NOBODY, Outcome, adopt
from fairlead.server.stepping import Wait

if TYPE_CHECKING:
    from fairlead.server.data import Connection
    from fairlead.server.dtp import Delivery
    from fairlead.server.ports import Lease
    from fairlead.server.proxied import Call
    from fairlead.server.session import Session


UNUSED = 2
"""How many times the time for making a data connection a passive port may wait for its transfer command."""


@lru_cache(maxsize=256)
def _octets(host: str) -> bytes:
    """An address as it goes over the wire."""
    return socket.inet_pton(socket.AF_INET6 if ":" in host else socket.AF_INET, host)


class PassivePort(DataPort):
    """Listens for one connection of the session's own peer; calls of others are dropped and it keeps waiting.

    A load balancer that is trusted may call for the peer, when it says so in a PROXY header.
    """

    __slots__ = (
        "_begun", "_call", "_called", "_commands", "_early", "_expected", "_lease", "_listener", "_peer", "_pool",
        "announced", "port", "refused",
    )  # fmt: skip

    def __init__(self, mode: str, session: Session, host: str, peer: str | None) -> None:
        super().__init__(mode)
        server = session.server
        self._pool = server.pool
        self._peer = peer
        """The only address that may call; None for any."""
        self._expected = _octets(peer) if peer and not server.behind_proxies else None
        """That address, where the next call can only be the peer's own, or a stranger's."""
        lease = self._pool.lease(host)
        self._lease: Lease | None = lease
        self._listener: RawConnection | None = None
        """The socket as an object, once it is needed: most are closed before."""
        self.port: int = lease.port
        self.announced: tuple[str, int] = ("", self.port)
        """The address, where the reply had one, and the port that the client was told."""
        self.refused: str | None = None
        """The last address that called and was turned away."""
        self._early: RawConnection | None = None
        """A stranger's call, taken already."""
        self._call: Call | None = None
        """A proxy's, whose header is awaited."""
        self._called = False
        self._begun = server.loop.time()
        self.expires = self._begun + server.settings.data_connect_timeout * UNUSED
        self._commands = session.reply_to.commands
        """How many commands the session had had when this one made it."""

    def fileno(self) -> int:
        """The descriptor of the listener, -1 once it is closed."""
        return -1 if self._lease is None else self._lease.descriptor

    def deliver(self, octets: bytes) -> Delivery:
        """Send ``octets`` to a client that has called already, and close; a stranger's call is left to :meth:`take`.

        Nothing is waited for. Raises OSError where the connection broke.
        """
        if self._lease is None or self._expected is None:
            return NOBODY
        delivery = self._pool.dtp.deliver(self._lease.descriptor, self._expected, octets)
        if delivery is DONE:
            self.close()
            return DONE
        return self._seen(delivery)

    def collect(self, file: int, limit: int) -> Delivery:
        """Write to ``file`` what a client has sent already, see :meth:`fairlead.server.dtp.Dtp.collect`.

        Otherwise as :meth:`deliver`, but that this one stays open.
        """
        if self._lease is None or self._expected is None:
            return NOBODY
        return self._seen(self._pool.dtp.collect(self._lease.descriptor, self._expected, file, limit))

    def _seen(self, delivery: Delivery) -> Delivery:
        if delivery.outcome is Outcome.STRANGER:
            self._early = adopt(delivery.connection)
            return NOBODY
        self._called = delivery is not NOBODY
        return delivery

    def take(self, session: Session) -> Connection | None:
        """The connection of a client that called before its transfer command."""
        if self._lease is None:
            raise DataConnectionError(
                Cause.PASSIVE_DROPPED,
                f"The passive port was closed; send EPSV or PASV again ({Cause.PASSIVE_DROPPED})",
            )
        while (caller := self._caller(session)) is not None:
            connection, host, fault = caller
            may = without_zone(host) == self._peer or (self._peer is None and session.server.networks.admits(host))
            if may and not fault:
                self._called = True
                return connection
            connection.close()
            self._refuse(session, host, fault or f"not from {self._peer or 'a network that may'}")
        return None

    def _caller(self, session: Session) -> tuple[RawConnection, str, str] | None:
        """A connection, who called, and what is wrong with that; None where nobody has called so far."""
        if self._call is None:
            accepted = self._accepted()
            if accepted is None or not session.server.is_proxy(accepted[1]):
                return accepted and (*accepted, "")
            from fairlead.server.proxied import Call  # noqa: PLC0415 - few servers stand behind a proxy

            self._call = Call(*accepted, session.server.loop.time())
            self._expected = None
        call = self._call
        host, fault = call.proxy, ""
        try:
            host = call.caller()
        except BlockingIOError:
            if session.server.loop.time() < call.due:
                return None
            fault = "no PROXY header came in time"
        except (ProtocolError, OSError) as error:
            fault = str(error)
        self._call = None
        return call.connection, host, fault

    def _accepted(self) -> tuple[RawConnection, str] | None:
        assert self._lease is not None
        if self._early is not None:
            early, self._early = self._early, None
            with suppress(OSError):  # it is gone already
                return early, early.getpeername()[0]
            early.close()
        if self._listener is None:
            family = socket.AF_INET6 if ":" in self._lease.host else socket.AF_INET
            self._listener = adopt(self._lease.descriptor, family)
        while True:
            try:
                connection, address = self._listener.accept()
            except BlockingIOError:
                return None
            except OSError as error:
                if error.errno != errno.ECONNABORTED:
                    raise DataConnectionError(
                        Cause.PASSIVE_EXHAUSTED,
                        f"The server has no descriptor left for a data connection ({Cause.PASSIVE_EXHAUSTED})",
                    ) from error
            else:
                return connection, address[0]

    def _refuse(self, session: Session, caller: str, why: str) -> None:
        self.refused = caller
        session.server.notice(
            session, Cause.DATA_PEER_REFUSED, f"passive port {self.port} was called from {caller}, {why}"
        )

    async def open(self, session: Session) -> Connection:
        """Wait for the peer's call."""
        while (connection := self.take(session)) is None:
            assert self._lease is not None  # take() raised otherwise
            self._wait = Wait()
            awaited, timer = self._lease.descriptor, None
            if self._call is not None:
                awaited = self._call.connection.fileno()
                timer = session.server.loop.call_at(self._call.due, self._wait.end)
            try:
                await session.server.readiness.readable(awaited, self._wait)
            finally:
                self._wait = None
                if timer is not None:
                    timer.cancel()
        return connection

    def timed_out(self, session: Session) -> DataConnectionError:
        """Nobody called, or only somebody else did."""
        host, port = self.announced
        if self.refused is not None:
            return DataConnectionError(
                Cause.DATA_PEER_REFUSED,
                f"Port {port} was called only from {self.refused}, whose calls I do not take"
                f" ({Cause.DATA_PEER_REFUSED})",
            )
        if is_private(host) and not is_private(session.peer[0]):
            return DataConnectionError(
                Cause.PASSIVE_PRIVATE_ADDRESS,
                f"Nobody called port {port} of {host}, a private address: EPSV needs none, else the server must be told"
                f" its public one ({Cause.PASSIVE_PRIVATE_ADDRESS})",
            )
        if session.protection.tls is not None:
            return DataConnectionError(
                Cause.PASSIVE_DROPPED,
                f"Nobody called port {port}: is it open in the firewalls between us? None that opens ports by listening"
                f" in can do so under TLS ({Cause.PASSIVE_DROPPED})",
            )
        return DataConnectionError(
            Cause.PASSIVE_DROPPED,
            f"Nobody called port {port}: is it open in the firewalls between us? ({Cause.PASSIVE_DROPPED})",
        )

    def describe(self) -> str:
        """The listener, for STAT."""
        if self._lease is None:
            return f"Port {self.announced[1]} was closed unused ({self.mode})"
        return f"Waiting for a data connection on port {self.announced[1]} ({self.mode})"

    def give_up(self, session: Session) -> None:
        """Close it; that nobody called is an event where the client was given nothing else to do than to call.

        A client that waits for its call to be answered says nothing until it gives up. After another command the port
        may be unused for good reason.
        """
        if self._lease is not None and not self._called:
            others = session.reply_to.commands - self._commands
            if others == 0 or (others == 1 and not session.reply_to.transfers):
                self._report_uncalled(session)
        self.close()

    def _report_uncalled(self, session: Session) -> None:
        events = session.server.events
        if not events.wanted(PassiveUncalled):
            return
        with suppress(DataConnectionError):
            connection = self.take(session)
            if connection is not None:
                connection.close()
                return
        error = self.timed_out(session)
        events.emit(
            PassiveUncalled(
                session=session.number,
                peer=session.peer[0],
                user=session.user,
                port=self.announced[1],
                mode=self.mode,
                seconds=session.server.loop.time() - self._begun,
                cause=error.cause,
                reason=str(error),
            )
        )

    def close(self) -> None:
        """Close the listener and give its port back."""
        if self._early is not None:
            self._early.close()
            self._early = None
        if self._call is not None:
            self._call.connection.close()
            self._call = None
        if self._listener is not None:
            self._listener.detach()
            self._listener = None
        if self._lease is not None:
            self._pool.give_back(self._lease)
            self._lease = None
