"""The standard library's :mod:`ftplib` over Fairlead's client: code that was written against that runs unchanged.

``from fairlead.integrations import ftplib`` in the place of ``import ftplib`` gives EPSV and PASV with a fall-back to
active modes and back, TLS sessions resumed on data connections, deadlines on every wait, and errors that say what to
do. The classes derive from those of the standard library and raise the same exceptions, so that code which catches or
checks those is right with ours, too.

Where the two differ: replies come as they are understood (the lines of a multi-line reply without repeated codes);
while a data connection is open no command is sent, but by ``abort``; a data connection has ``recv``, ``recv_into``,
``send``, ``sendall``, ``makefile`` and ``close`` of a socket, and no descriptor; ``source_address`` is not taken.
"""

from __future__ import annotations

import ftplib as standard
import socket
import ssl
from ftplib import (
    B_CRLF,
    CRLF,
    FTP_PORT,
    MAXLINE,
    MSG_OOB,
    Error,
    error_perm,
    error_proto,
    error_reply,
    error_temp,
    ftpcp,
    parse150,
    parse227,
    parse229,
    parse257,
)
from typing import TYPE_CHECKING, Any

from fairlead.integrations.ftplib.connections import ControlConnection, DataConnection
from fairlead.integrations.ftplib.dialogue import Dialogue

if TYPE_CHECKING:
    from fairlead.client._wire import Protection
    from fairlead.client.settings import ModeSetting

__all__ = [
    "B_CRLF", "CRLF", "FTP", "FTP_PORT", "FTP_TLS", "MAXLINE", "MSG_OOB", "Error", "all_errors", "error_perm",
    "error_proto", "error_reply", "error_temp", "ftpcp", "parse150", "parse227", "parse229", "parse257",
]  # fmt: skip

all_errors: tuple[type[Exception], ...] = standard.all_errors
_ABORTED = {225, 226, 426}
_OPENING = 150
_UNSET = object()


class FTP(standard.FTP):
    """See :class:`ftplib.FTP`."""

    _dialogue: Dialogue | None = None

    def __init__(
        self,
        host: str = "",
        user: str = "",
        passwd: str = "",
        acct: str = "",
        timeout: Any = _UNSET,
        source_address: tuple[str, int] | None = None,
        *,
        encoding: str = "utf-8",
    ) -> None:
        given = {} if timeout is _UNSET else {"timeout": timeout}
        super().__init__(host, user, passwd, acct, source_address=source_address, encoding=encoding, **given)

    def connect(
        self,
        host: str = "",
        port: int = 0,
        timeout: float | None = -999,
        source_address: tuple[str, int] | None = None,
    ) -> str:
        """Connect; returns the greeting."""
        self.host, self.port = host or self.host, port or self.port
        if timeout != -999:
            self.timeout = timeout
        if self.timeout is not None and not self.timeout:
            message = "Non-blocking socket (timeout=0) is not supported"
            raise ValueError(message)
        if source_address or self.source_address:
            message = "calls from a chosen source_address are not made here; leave it out"
            raise ValueError(message)
        self._dialogue = dialogue = Dialogue(self.host, self.port, self.encoding, self._settings())
        greeting = dialogue.run(dialogue.session.connect())
        self.sock: Any = ControlConnection(dialogue)
        self.af = socket.AF_INET6 if ":" in self.sock.getpeername()[0] else socket.AF_INET
        self.welcome = dialogue.shown(greeting)
        return self.welcome

    def login(self, user: str = "", passwd: str = "", acct: str = "") -> str:
        """Log in; returns the reply that let us in."""
        reply = standard.FTP.login(self, user, passwd, acct)
        self._talk.session.log_in_as(user or None, passwd or None, acct or None)
        return reply

    def putline(self, line: str) -> None:
        """Send a command."""
        if "\r" in line or "\n" in line:
            message = "an illegal newline character should not be contained"
            raise ValueError(message)
        dialogue = self._talk
        dialogue.begin()
        dialogue.run(dialogue.control.send(*dialogue.sent(line)))

    def getmultiline(self) -> str:
        """The next reply."""
        dialogue = self._talk
        if dialogue.due is not None:
            text, dialogue.due = dialogue.due, None
            return text
        control = dialogue.control
        reply = dialogue.run(control.receive())
        control.interrupted = control.interrupted and reply.preliminary
        return dialogue.shown(reply)

    def ntransfercmd(self, cmd: str, rest: int | str | None = None) -> tuple[Any, int | None]:
        """Begin a transfer; returns its data connection, and the octets that the server promises, if it does."""
        dialogue = self._talk
        mode: ModeSetting = "auto" if self.passiveserver else "port" if self.af == socket.AF_INET else "eprt"
        if dialogue.session.settings.mode != mode:
            dialogue.session.set_mode(mode)
        dialogue.begin()
        connection = DataConnection(dialogue, cmd, int(rest or 0))
        connection.begin()
        opening = next((reply for reply in dialogue.heard if reply.preliminary), None)
        size = parse150(dialogue.shown(opening)) if opening is not None and opening.code == _OPENING else None
        return connection, size

    def abort(self) -> str:
        """End a transfer by ABOR; returns the server's first answer.

        Where it has none, since nothing was in progress any more, that is what it answers to NOOP.
        """
        dialogue = self._talk
        if dialogue.connection is not None:
            dialogue.connection.abandon()
        dialogue.begin()
        dialogue.run(dialogue.control.abort())
        finals = [reply for reply in dialogue.heard if not reply.preliminary]
        answer = next((reply for reply in finals if reply.code in _ABORTED), finals[0])
        if not answer.completed and answer.code not in _ABORTED:
            raise error_proto(dialogue.shown(answer))
        return dialogue.shown(answer)

    def quit(self) -> str:
        """End the session; a transfer that is still open is broken off."""
        if self._talk.connection is not None:
            self._talk.connection.abandon()
        return super().quit()

    def close(self) -> None:
        """Close the connection without a word."""
        dialogue, self._dialogue, self.sock = self._dialogue, None, None
        if dialogue is not None and dialogue.session.connected:
            if dialogue.connection is not None:
                dialogue.connection.abandon()
            dialogue.control.lose("it was closed")

    @property
    def _talk(self) -> Dialogue:
        if self._dialogue is None:
            message = "there is no connection; connect first"
            raise OSError(message)
        return self._dialogue

    def _settings(self) -> dict[str, Any]:
        if not isinstance(self.timeout, int | float):
            return {}
        return dict.fromkeys(("connect_timeout", "reply_timeout", "data_timeout"), float(self.timeout))


class FTP_TLS(FTP, standard.FTP_TLS):  # noqa: N801 - the name in the standard library
    """See :class:`ftplib.FTP_TLS`; there as here, without ``context`` any certificate is accepted."""

    _protection: Protection | None = None
    """TLS of the control connection before CCC."""

    def __init__(
        self,
        host: str = "",
        user: str = "",
        passwd: str = "",
        acct: str = "",
        keyfile: str | None = None,
        certfile: str | None = None,
        context: ssl.SSLContext | None = None,
        timeout: Any = _UNSET,
        source_address: tuple[str, int] | None = None,
        *,
        encoding: str = "utf-8",
    ) -> None:
        given = {"timeout": timeout, "keyfile": keyfile, "certfile": certfile}
        given = {name: value for name, value in given.items() if value is not (_UNSET if name == "timeout" else None)}
        standard.FTP_TLS.__init__(
            self, host, user, passwd, acct, context=context, source_address=source_address, encoding=encoding, **given
        )

    def auth(self) -> str:
        """AUTH TLS, and the handshake."""
        control = self._talk.control
        if control.protection is not None:
            message = "Already using TLS"
            raise ValueError(message)
        reply = self.voidcmd("AUTH TLS")
        self._talk.run(control.start_tls(control.wire.protection(self.host, control.settings)))
        return reply

    def login(self, user: str = "", passwd: str = "", acct: str = "", secure: bool = True) -> str:
        """Log in, under TLS unless told otherwise."""
        if secure and self._talk.control.protection is None:
            self.auth()
        return FTP.login(self, user, passwd, acct)

    def ccc(self) -> str:
        """Go on in clear on the control connection."""
        dialogue = self._talk
        if dialogue.control.protection is None:
            message = "not using TLS"
            raise ValueError(message)
        dialogue.begin()
        self._protection = dialogue.control.protection
        dialogue.run(dialogue.control.end_tls())
        return dialogue.shown(dialogue.heard[-1])

    def prot_p(self) -> str:
        """Data connections under TLS from now on."""
        control = self._talk.control
        protection = control.protection or self._protection or control.wire.protection(self.host, control.settings)
        self.voidcmd("PBSZ 0")
        reply = self.voidcmd("PROT P")
        control.data_protection = protection
        return reply

    def prot_c(self) -> str:
        """Data connections in clear from now on."""
        reply = self.voidcmd("PROT C")
        self._talk.control.data_protection = None
        return reply

    def ntransfercmd(self, cmd: str, rest: int | str | None = None) -> tuple[Any, int | None]:
        """As :meth:`FTP.ntransfercmd`."""
        return FTP.ntransfercmd(self, cmd, rest)

    def abort(self) -> str:
        """As :meth:`FTP.abort`."""
        return FTP.abort(self)

    def _settings(self) -> dict[str, Any]:
        return {**super()._settings(), "context": self.context}
