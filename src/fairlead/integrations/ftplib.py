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
import io
import socket
import ssl
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
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
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from fairlead.client._face import exclusively, session_of
from fairlead.client._opened import Inlet, Outlet, Window
from fairlead.client._pausing import Pausable
from fairlead.client._wires.blocking import step
from fairlead.client.sync import Client
from fairlead.client.trace import Record, ReplyReceived
from fairlead.errors import (
    CertificateError,
    DeadlineError,
    FairleadError,
    ProtocolError,
    ReplyError,
    SessionLost,
    TlsError,
    TransferError,
)
from fairlead.proto.codec import Representation
from fairlead.proto.url import FtpUrl

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

    from fairlead.client._control import Control
    from fairlead.client._transfer import Outcome
    from fairlead.client._wire import Protection
    from fairlead.client.settings import ModeSetting
    from fairlead.proto.reply import Reply

__all__ = [
    "B_CRLF", "CRLF", "FTP", "FTP_PORT", "FTP_TLS", "MAXLINE", "MSG_OOB", "Error", "all_errors", "error_perm",
    "error_proto", "error_reply", "error_temp", "ftpcp", "parse150", "parse227", "parse229", "parse257",
]  # fmt: skip

all_errors: tuple[type[Exception], ...] = standard.all_errors
T = TypeVar("T")
_STORES = {"STOR", "APPE", "STOU"}
_ABORTED = {225, 226, 426}
_UNSET = object()
_OPENING = 150
_SERVICE_ENDS = "421"


class Dialogue:
    """A session as ftplib sees it: commands out, replies back one by one, exceptions of its own."""

    def __init__(self, host: str, port: int, encoding: str, settings: dict[str, Any]) -> None:
        client = Client(FtpUrl("ftp", host, port), tls="off", trace=self._hear, **settings)
        self.session = session_of(client)
        self.encoding = encoding
        self.connection: DataConnection | None = None
        self.due: str | None = None
        """The final reply of a transfer, which nobody asked for yet."""
        self.heard: list[Reply] = []
        """The replies since the last command."""

    @property
    def control(self) -> Control:
        """The control connection."""
        return self.session.control

    def run(self, operation: Coroutine[Any, Any, T], holder: DataConnection | None = None) -> T:
        """Run ``operation`` to its end. Raises what ftplib would raise."""
        with self._as_in_ftplib():
            return step(exclusively(self.session, operation, holder))

    def begin(self) -> None:
        """A command follows: what was heard so far is nobody's answer."""
        self.heard.clear()
        self.due = None

    def sent(self, command: str) -> tuple[str, str]:
        """The verb and the argument of ``command``, as they are sent."""
        verb, _, argument = command.encode(self.encoding).decode("utf-8", "surrogateescape").partition(" ")
        return verb, argument

    def shown(self, reply: Reply) -> str:
        """The reply as the server sent it, as far as a person sees."""
        if len(reply.lines) < 2:
            text = f"{reply.code} {reply.text}"
        else:
            first, *inner, last = reply.lines
            text = "\n".join([f"{reply.code}-{first}", *inner, f"{reply.code} {last}"])
        return text.encode("utf-8", "surrogateescape").decode(self.encoding, "surrogateescape")

    def _hear(self, record: Record | str) -> None:
        if isinstance(record, ReplyReceived):
            self.heard.append(record.reply)

    @contextmanager
    def _as_in_ftplib(self) -> Iterator[None]:
        try:
            yield
        except ReplyError as error:
            raise _refusal(self.shown(error.reply)) from error
        except TransferError as error:
            reply: Reply | None = error.evidence.get("reply")
            if reply is None or reply.completed:
                raise ConnectionError(str(error)) from error
            raise _refusal(self.shown(reply)) from error
        except SessionLost as error:
            if self.session.connected or not self.control.lost.startswith(_SERVICE_ENDS):
                raise EOFError(str(error)) from error
            raise error_temp(self.control.lost) from error
        except DeadlineError as error:
            raise TimeoutError(str(error)) from error
        except CertificateError as error:
            raise ssl.SSLCertVerificationError(str(error)) from error
        except TlsError as error:
            raise ssl.SSLError(str(error)) from error
        except ProtocolError as error:
            raise error_proto(str(error)) from error
        except FairleadError as error:
            raise OSError(str(error)) from error


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
        answer = next((reply for reply in dialogue.heard if reply.code in _ABORTED), dialogue.heard[0])
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
        protection = control.protection or self._protection
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


class ControlConnection:
    """What code asks the socket of the control connection for."""

    def __init__(self, dialogue: Dialogue) -> None:
        self._dialogue = dialogue

    def getsockname(self) -> tuple[str, int]:
        """Our end."""
        return self._dialogue.control.local

    def getpeername(self) -> tuple[str, int]:
        """The server's end."""
        return self._dialogue.control.peer


class DataConnection:
    """The data connection of a transfer, with what code uses of a socket; closing it ends what is sent."""

    def __init__(self, dialogue: Dialogue, command: str, offset: int) -> None:
        self.path = command
        self._dialogue = dialogue
        verb, argument = dialogue.sent(command)
        self._window = Window(offset)
        self._outlet = Outlet(argument, offset) if verb.upper() in _STORES else None
        flow = self._outlet or Inlet(self._window, Representation("I"))
        self._rest = memoryview(b"")
        transfer = dialogue.session.transfer(verb, argument, flow, restart=offset)
        self._transfer: Pausable[Outcome] | None = Pausable(transfer)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self.abandon()
        self.close()

    def begin(self) -> None:
        """Wait until the server begins, too. Raises what it refuses with."""
        self._dialogue.session.holder = self._dialogue.connection = self
        self._go_on()

    def recv(self, bufsize: int, flags: int = 0, /) -> bytes:
        """What comes next, ``bufsize`` octets at most; empty at the end."""
        return bytes(self._next(bufsize))

    def recv_into(self, buffer: WriteableBuffer, nbytes: int = 0, flags: int = 0, /) -> int:
        """As :meth:`recv`, into ``buffer``; returns how many octets came."""
        room = memoryview(buffer).cast("B")
        piece = self._next(nbytes or len(room))
        room[: len(piece)] = piece
        return len(piece)

    def sendall(self, data: Any, flags: int = 0, /) -> None:
        """Send all of ``data``. Raises BrokenPipeError when the server takes no more; its reply tells why."""
        octets = memoryview(data).cast("B")
        if octets and self._outlet is not None and self._transfer is not None:
            self._outlet.piece = octets
            self._go_on_unless_refused()
        if self._outlet is None or self._transfer is None:
            message = "the server takes nothing, or no more; its reply tells why"
            raise BrokenPipeError(message)

    def send(self, data: Any, flags: int = 0, /) -> int:
        """As :meth:`sendall`; returns how many octets that is."""
        self.sendall(data)
        return memoryview(data).nbytes

    def makefile(self, mode: str = "r", buffering: int | None = None, **text: Any) -> Any:
        """A file object that reads or writes here; closing it leaves the data connection open."""
        raw = _RawConnection(self)
        size = buffering if buffering is not None and buffering > 0 else io.DEFAULT_BUFFER_SIZE
        binary = io.BufferedWriter(raw, size) if "w" in mode else io.BufferedReader(raw, size)
        return binary if "b" in mode else io.TextIOWrapper(binary, **text)

    def close(self) -> None:
        """Of what is stored this is the end, of what is fetched the rest is not wanted."""
        if self._transfer is not None and self._outlet is not None:
            self._outlet.ended = True
            self._go_on_unless_refused()
        self.abandon()

    def abandon(self) -> None:
        """Break the transfer off."""
        if self._transfer is not None:
            self._transfer.abandon("the data connection was closed here")
        self._let_go()

    def _next(self, limit: int) -> memoryview:
        while not self._rest and self._transfer is not None and self._outlet is None:
            self._go_on_unless_refused()
            self._rest = self._window.take()
        piece = self._rest[:limit]
        self._rest = self._rest[len(piece) :]
        return piece

    def _go_on_unless_refused(self) -> None:
        """As :meth:`_go_on`; a refusal in the midst is the reply that the user asks for next, as with a socket."""
        try:
            self._go_on()
        except (error_temp, error_perm) as error:
            if not self._dialogue.session.connected:
                raise
            self._dialogue.due = str(error)

    def _go_on(self) -> None:
        """To the next pause, or to the end."""
        transfer = self._transfer
        assert transfer is not None
        try:
            self._dialogue.run(_awaited(transfer), self)
        except BaseException:
            self._let_go()
            raise
        if transfer.over:
            self._let_go()
            reply = transfer.result.reply
            self._dialogue.due = None if reply is None else self._dialogue.shown(reply)

    def _let_go(self) -> None:
        self._transfer = None
        if self._dialogue.connection is self:
            self._dialogue.session.holder = self._dialogue.connection = None


class _RawConnection(io.RawIOBase):
    def __init__(self, connection: DataConnection) -> None:
        self._connection = connection

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        return self._connection.recv_into(buffer)

    def write(self, data: Any, /) -> int:
        return self._connection.send(data)


async def _awaited(transfer: Pausable[Outcome]) -> None:
    await transfer


def _refusal(text: str) -> Error:
    return error_temp(text) if text.startswith("4") else error_perm(text)
