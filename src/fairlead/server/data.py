"""Data ports: how a session's next data connection comes about, and the connection itself.

A data port is what PORT, EPRT, PASV and EPSV settle (RFC 959 section 3.2, RFC 2428). The server calls out from an
:class:`ActivePort` and is called on a :class:`PassivePort`; either way :meth:`DataPort.open` ends with a connected,
non-blocking socket.
"""

from __future__ import annotations

import errno
import os
import socket
from contextlib import suppress
from math import inf
from typing import TYPE_CHECKING, TypeAlias

from fairlead.errors import DataConnectionError, ProtocolError
from fairlead.events import PassiveUncalled
from fairlead.reach.cause import Cause
from fairlead.reach.private import is_private
from fairlead.server.failures import NoDescriptor
from fairlead.server.stepping import Wait

if TYPE_CHECKING:
    from fairlead.server.ports import Lease
    from fairlead.server.protected import Protected
    from fairlead.server.proxied import Call
    from fairlead.server.session import Session

RawConnection: TypeAlias = socket.socket
Connection: TypeAlias = "RawConnection | Protected"
"""A connected, non-blocking data connection."""

MAPPED = "::ffff:"
CALLING = "CPSV"
"""The mode of a passive port on which this end is the client of TLS."""


def plain_address(host: str) -> str:
    """An IPv4-mapped IPv6 address as IPv4, a scoped one without its zone; any other as it is."""
    if host.startswith(MAPPED) and "." in host:
        return host[len(MAPPED) :]
    return host


def without_zone(host: str) -> str:
    """The address without the zone of a link-local one, as it is compared and written on the wire."""
    return host.partition("%")[0]


class DataPort:
    """Where the next data connection comes from; ``mode`` is how it was set up, as logs and STAT show it."""

    __slots__ = ("_wait", "expires", "mode")

    sticky = False
    """Whether it serves further transfers (PORT, RFC 959 section 4.1.2) or one only (PASV, RFC 1123 4.1.2.6)."""
    kept = False
    """Whether the data connection is there already, from a transfer before."""
    base: DataPort | None = None
    """What takes its place once it is used up."""
    early = b""
    """What came over the data connection before the transfer it belongs to."""

    def __init__(self, mode: str) -> None:
        self.mode = mode
        self.expires = inf
        """The loop's time at which it is closed unless a transfer uses it."""
        self._wait: Wait | None = None

    def take(self, session: Session) -> Connection | None:
        """A connection that is there already. Raises DataConnectionError with the cause."""
        return None

    async def open(self, session: Session) -> Connection:
        """The connection, waiting for it. Raises DataConnectionError with the cause."""
        raise NotImplementedError

    def ended(self) -> bool:
        """Whether a data connection that was kept is of no use any more."""
        return False

    def describe(self) -> str:
        """What STAT says of it."""
        raise NotImplementedError

    def timed_out(self, session: Session) -> DataConnectionError:
        """The error for a connection that was not made in time."""
        raise NotImplementedError

    def stop(self, error: Exception) -> None:
        """End a running :meth:`open` with ``error``."""
        if self._wait is not None:
            self._wait.end(error)

    def expire(self, session: Session) -> None:
        """Nobody used it in time."""
        self.expires = inf
        self.give_up(session)

    def give_up(self, session: Session) -> None:
        """Another takes its place, or none."""
        self.close()

    def close(self) -> None:
        """Release what it holds."""


class KeptPort(DataPort):
    """A data connection that outlived a transfer whose end was marked in the data (RFC 959 section 3.3).

    ``early`` is what came after that end; ``base`` what PORT or EPRT set, which serves again once this is gone.
    """

    __slots__ = ("_connection", "base", "early")
    kept = True

    def __init__(self, mode: str, connection: Connection, early: bytes, base: DataPort | None) -> None:
        super().__init__(mode)
        self._connection: Connection | None = connection
        self.early = early
        self.base = base

    def ended(self) -> bool:
        """Whether the peer has closed it, with nothing left to receive."""
        assert self._connection is not None
        try:
            return not self._connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) and not self.early
        except BlockingIOError:
            return False
        except (OSError, ProtocolError):
            return True

    def take(self, session: Session) -> Connection | None:
        """The connection, which from now on is the transfer's."""
        connection, self._connection = self._connection, None
        return connection

    def describe(self) -> str:
        """The connection, for STAT."""
        return f"The data connection is open ({self.mode})"

    def close(self) -> None:
        """Close the connection, unless a transfer took it."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        if not isinstance(connection, socket.socket):
            with suppress(OSError):  # who has all may be gone
                connection.end()
        connection.close()


class PassivePort(DataPort):
    """Listens for one connection of the session's own peer; calls of others are dropped and it keeps waiting.

    A load balancer that is trusted may call for the peer, when it says so in a PROXY header.
    """

    __slots__ = ("_begun", "_call", "_called", "_commands", "_lease", "_peer", "_pool", "announced", "port", "refused")

    def __init__(self, mode: str, session: Session, host: str, peer: str | None) -> None:
        super().__init__(mode)
        self._pool = session.server.pool
        self._peer = peer
        """The only address that may call; None for any."""
        self._lease: Lease | None = self._pool.lease(host)
        self.port: int = self._lease.port
        self.announced: tuple[str, int] = ("", self.port)
        """The address, where the reply had one, and the port that the client was told."""
        self.refused: str | None = None
        """The last address that called and was turned away."""
        self._call: Call | None = None
        """A proxy's, whose header is awaited."""
        self._called = False
        self._begun = session.server.loop.time()
        self._commands = session.reply_to.commands
        """How many commands the session had had when this one made it."""

    def fileno(self) -> int:
        """The descriptor of the listener, -1 once it is closed."""
        return -1 if self._lease is None else self._lease.listener.fileno()

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
        while True:
            try:
                connection, address = self._lease.listener.accept()
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
            awaited, timer = self._lease.listener, None
            if self._call is not None:
                awaited = self._call.connection
                timer = session.server.loop.call_at(self._call.due, self._wait.end)
            try:
                await session.server.readiness.readable(awaited.fileno(), self._wait)
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
        if self._call is not None:
            self._call.connection.close()
            self._call = None
        if self._lease is not None:
            self._pool.give_back(self._lease)
            self._lease = None


class ActivePort(DataPort):
    """Calls the client, from ``source_port`` where the system permits it."""

    __slots__ = ("_source_host", "_source_port", "host", "port")
    sticky = True

    def __init__(self, mode: str, host: str, port: int, source_host: str, source_port: int) -> None:
        super().__init__(mode)
        self.host = host
        self.port = port
        self._source_host = source_host
        self._source_port = source_port

    async def open(self, session: Session) -> Connection:
        """Call the client; the source port is the control port minus one, else any, and the log says so."""
        if self._source_port:
            try:
                return await self._call(session, self._source_port)
            except OSError as error:
                if error.errno not in (errno.EACCES, errno.EADDRINUSE, errno.EADDRNOTAVAIL, errno.EPERM):
                    raise self._failed(session, error) from error
                session.server.notice(
                    session,
                    "active-source-port",
                    f"cannot call from port {self._source_port} ({os.strerror(error.errno)}), calling from any port",
                )
        try:
            return await self._call(session, 0)
        except OSError as error:
            raise self._failed(session, error) from error

    async def _call(self, session: Session, source_port: int) -> Connection:
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        connection = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        try:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            connection.bind((self._source_host, source_port))
            result = connection.connect_ex((self.host, self.port))
            if result == errno.EINPROGRESS:
                self._wait = Wait()
                await session.server.readiness.writable(connection.fileno(), self._wait)
                result = connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if result:
                raise OSError(result, os.strerror(result))
        except BaseException:
            connection.close()
            raise
        finally:
            self._wait = None
        return connection

    def _failed(self, session: Session, error: OSError) -> DataConnectionError | NoDescriptor:
        where = f"{self.host} port {self.port}"
        if error.errno in (errno.EMFILE, errno.ENFILE):
            return NoDescriptor("The server has no descriptor left for a data connection")
        if error.errno == errno.ETIMEDOUT or self._unreachable(session):
            return self.timed_out(session)
        return DataConnectionError(
            Cause.ACTIVE_REJECTED,
            f"My call to {where} was refused ({os.strerror(error.errno or 0)}): does the client listen there?"
            f" ({Cause.ACTIVE_REJECTED})",
        )

    def timed_out(self, session: Session) -> DataConnectionError:
        """The call was never answered."""
        if self._unreachable(session):
            return DataConnectionError(
                Cause.ACTIVE_PRIVATE_ADDRESS,
                f"I cannot reach {self.host}, a private address that is not where you call from: use EPSV or PASV"
                f" ({Cause.ACTIVE_PRIVATE_ADDRESS})",
            )
        return DataConnectionError(
            Cause.ACTIVE_DROPPED,
            f"My call to {self.host} port {self.port} was not answered: a firewall or NAT between us drops it;"
            f" use EPSV or PASV ({Cause.ACTIVE_DROPPED})",
        )

    def _unreachable(self, session: Session) -> bool:
        """Whether the client gave an address that a NAT should have translated."""
        return is_private(self.host) and not is_private(session.peer[0])

    def describe(self) -> str:
        """The client's port, for STAT."""
        return f"Will call {self.host} port {self.port} ({self.mode})"


def default_port(session: Session) -> DataPort:
    """The data port of a session that set none: the client's end of the control connection (RFC 959 section 3.2)."""
    host, number = session.peer
    return ActivePort("DEFAULT", host, number, source_host(session, host), source_port(session))


def source_host(session: Session, host: str) -> str:
    """The address active data connections to ``host`` leave from; empty for any."""
    return session.here if (":" in session.here) == (":" in host) else ""


def source_port(session: Session) -> int:
    """The port active data connections leave from: the control port minus one, or as set; 0 for any."""
    setting = session.server.settings.active_source_port
    return max(session.local[1] - 1, 0) if setting is None else setting
