"""Active data ports: the server calls the client (PORT, EPRT, and where neither was sent; RFC 959 section 3.2)."""

from __future__ import annotations

import errno
import os
import socket
from typing import TYPE_CHECKING

from fairlead.errors import DataConnectionError
from fairlead.reach.cause import Cause
from fairlead.reach.private import is_private
from fairlead.server.data import DataPort
from fairlead.server.failures import NoDescriptor
from fairlead.server.stepping import Wait

if TYPE_CHECKING:
    from fairlead.server.data import Connection
    from fairlead.server.session import Session


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
