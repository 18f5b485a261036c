"""What stands for the sockets of a control and a data connection."""

from __future__ import annotations

import io
from ftplib import error_perm, error_temp
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from fairlead.client._opened import Inlet, Outlet, Window
from fairlead.client._pausing import Pausable
from fairlead.proto.codec import Representation

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

    from fairlead.client._exchange import Outcome
    from fairlead.integrations.ftplib.dialogue import Dialogue

_STORES = {"STOR", "APPE", "STOU"}


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
