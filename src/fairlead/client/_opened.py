"""Open files: a RETR or a STOR that stands still between the pieces that somebody reads or writes."""

from __future__ import annotations

import errno
import io
import os
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal, TypeAlias, TypedDict

from fairlead.client._core import Session, check_paths
from fairlead.client._exchange import Outcome
from fairlead.client._facts import find, size
from fairlead.client._files import check_stored, whole
from fairlead.client._flow import Exchange, Handed, Inflow
from fairlead.client._namespace import remove, rename
from fairlead.client._pausing import Pausable, pause
from fairlead.errors import ClientError, ReplyError, TransferError
from fairlead.proto.codec import Representation

ReadsOctets: TypeAlias = Literal["rb", "br"]
WritesOctets: TypeAlias = Literal["wb", "bw", "xb", "bx", "ab", "ba"]
ReadsText: TypeAlias = Literal["r", "rt", "tr"]
WritesText: TypeAlias = Literal["w", "wt", "tw", "x", "xt", "tx", "a", "at", "ta"]

_CLOSED_EARLY = "the file was closed here"
_NOTHING = memoryview(b"")


class Opens(TypedDict, total=False):
    """The other arguments of ``open``."""

    offset: int
    atomic: bool
    encoding: str | None
    errors: str | None
    newline: str | None


@dataclass(frozen=True, slots=True)
class Mode:
    """What ``open`` was asked for."""

    kind: str
    """``r``, ``w``, ``x`` or ``a``."""
    text: bool

    @classmethod
    def of(cls, mode: str, *, offset: int, atomic: bool, **text: str | None) -> Mode:
        """The mode that a text such as ``rb`` stands for. Raises ValueError for what FTP cannot do.

        ``text`` has the arguments that only text may have.
        """
        letters = set(mode)
        kinds = letters & set("rwxa")
        if len(letters) != len(mode) or len(kinds) != 1 or letters - kinds - set("bt") or {"b", "t"} <= letters:
            message = (
                f"invalid mode {mode!r}: one of r, w, x and a, and b for bytes; no server reads and writes at once"
            )
            raise ValueError(message)
        kind = kinds.pop()
        if offset and (kind not in "rw" or offset < 0):
            message = "a file is read or written from an offset of 0 or more, and appended to at its end"
            raise ValueError(message)
        if atomic and (offset or kind not in "wx"):
            message = "only a file that is written as a whole can take its name at the end"
            raise ValueError(message)
        if "b" in letters and any(value is not None for value in text.values()):
            message = "a file of bytes has no encoding, errors or newline"
            raise ValueError(message)
        if text.get("newline") not in {None, "", "\n", "\r", "\r\n"}:
            message = f"{text['newline']!r} ends no line"
            raise ValueError(message)
        return cls(kind, "b" not in letters)


class Fetch:
    """A file open for reading. Each seek ends the RETR, and the next one begins there by REST (RFC 3659 section 5)."""

    def __init__(self, session: Session, path: str, position: int) -> None:
        self.path = path
        self.position = position
        """Where the next octet comes from."""
        self.size: int | None = None
        """Octets in all, None where the server does not tell."""
        self._session = session
        self._transfer: Pausable[Outcome] | None = None
        self._window = Window(position)
        self._rest = _NOTHING
        self._ended = False

    async def open(self) -> None:
        """Ask for the file. Raises ReplyError where the server refuses it, DataConnectionError."""
        check_paths(self.path)
        await self._session.set_type("I")
        self.size = await size(self._session, self.path)
        if not self._at_end:
            await self._go_on()

    async def read(self, limit: int | None = None) -> memoryview:
        """The next octets, ``limit`` at most and empty at the end; valid until the next call.

        Raises TransferError when the data ends before the file does; reading on after that asks for the rest.
        """
        while not self._rest and not self._ended and not self._at_end:
            await self._go_on()
        piece, self._rest = self._rest[:limit], self._rest[len(self._rest[:limit]) :]
        self.position += len(piece)
        return piece

    def seek(self, offset: int, whence: int) -> int:
        """Let the next octet come from where ``offset`` and ``whence`` say, as of ``io.IOBase.seek``; returns where.

        Raises ValueError where there is no such place, io.UnsupportedOperation where the server does not tell the end.
        """
        if whence == io.SEEK_END and self.size is None:
            message = f"the server does not tell where {self.path} ends; seek from its beginning"
            raise io.UnsupportedOperation(message)
        origin = {io.SEEK_SET: 0, io.SEEK_CUR: self.position, io.SEEK_END: self.size}.get(whence)
        if origin is None or origin + offset < 0:
            message = f"{self.path} has no place {offset} as counted from {whence}"
            raise ValueError(message)
        self._place(origin + offset)
        return self.position

    def _place(self, position: int) -> None:
        ahead = position - self.position
        if 0 <= ahead <= len(self._rest):
            self._rest = self._rest[ahead:]
        else:
            self.abandon()
            self._ended = False
        self.position = position

    async def close(self) -> None:
        """Ask for no more. Where all has come, raises TransferError when the server says that something went wrong."""
        if self.size is not None and self.position + len(self._rest) >= self.size:
            while self._transfer is not None:
                await self._go_on()
        self.abandon()

    def abandon(self) -> None:
        """Ask for no more; ABOR goes out before the session's next command."""
        if self._transfer is not None:
            self._transfer.abandon(_CLOSED_EARLY)
        self._let_go()

    @property
    def _at_end(self) -> bool:
        return self._transfer is None and self.size is not None and self.position >= self.size

    async def _go_on(self) -> None:
        """Up to the next piece, the server's consent being the first."""
        if self._transfer is None:
            await self._session.set_type("I")
            self._window = Window(self.position)
            inlet = Inlet(self._window, Representation("I"), total=self.size)
            transfer = self._session.transfer("RETR", self.path, inlet, restart=self.position)
            self._transfer, self._session.holder = Pausable(transfer), self
        try:
            await self._transfer
        except BaseException:
            self._let_go()
            raise
        self._rest = self._window.take()
        if self._transfer.over:
            outcome = self._transfer.result
            self._let_go()
            whole(self.path, outcome, self.size)
            self._ended = True

    def _let_go(self) -> None:
        self._transfer, self._rest = None, _NOTHING
        if self._session.holder is self:
            self._session.holder = None


class Window:
    """The piece that came last, of what lies at ``position`` and behind it. See :class:`fairlead.client._flow.Sink`."""

    def __init__(self, position: int) -> None:
        self._position = position
        self._surplus = 0
        self._piece = _NOTHING

    def begin(self, offset: int) -> None:
        """What a server without REST sends from ``offset`` on is dropped up to the position."""
        self._surplus = self._position - offset

    def write(self, data: memoryview) -> None:
        """Hold ``data``, which is valid until the transfer goes on."""
        self._piece, self._surplus = data[self._surplus :], max(0, self._surplus - len(data))

    def take(self) -> memoryview:
        """The piece, once."""
        piece, self._piece = self._piece, _NOTHING
        return piece


class Inlet(Inflow):
    """Stands still once the server consented, and after each piece."""

    stepwise = True

    async def run(self, exchange: Exchange) -> OSError | None:
        """See :class:`fairlead.client._flow.Flow`."""
        await pause()
        return await super().run(exchange)

    async def _taken(self, exchange: Exchange, size: int) -> None:
        await super()._taken(exchange, size)
        await pause()


class Store:
    """A file open for writing: one STOR or APPE. With ``atomic`` it has another name until it is whole."""

    def __init__(self, session: Session, path: str, *, append: bool, offset: int, atomic: bool) -> None:
        self.path = path
        self.position = offset
        self._session = session
        self._verb = "APPE" if append else "STOR"
        self._stored_as = f"{path}.{os.urandom(4).hex()}.part" if atomic else path
        self._offset = offset
        self._outlet = Outlet(path, offset)
        self._transfer: Pausable[Outcome] | None = None
        self._whole = False

    @property
    def begun(self) -> bool:
        """Whether it is being stored."""
        return self._transfer is not None

    async def open(self, *, new: bool) -> None:
        """Ask to store it. Raises ReplyError, DataConnectionError, and FileExistsError where a ``new`` one is there."""
        session = self._session
        check_paths(self._stored_as)
        if new and await find(session, self.path) is not None:
            raise FileExistsError(errno.EEXIST, "the server has such a file", self.path)
        await session.set_type("I")
        transfer = session.transfer(self._verb, self._stored_as, self._outlet, restart=self._offset)
        self._transfer, session.holder = Pausable(transfer), self
        await self._go_on()

    async def write(self, data: memoryview) -> None:
        """Send ``data``. Raises TransferError when the server takes no more."""
        self._check_begun()
        if data:
            self._outlet.piece = data
            await self._go_on()
            self.position += len(data)

    async def close(self) -> None:
        """Nothing more comes: wait until the server has it all, then let it take its name.

        Raises TransferError where the server does not have it all, ReplyError where it does not give it its name.
        """
        if self._whole:
            return
        self._check_begun()
        transfer, self._outlet.ended = self._transfer, True
        assert transfer is not None
        await self._go_on()
        if self._offset:
            await check_stored(self._session, self.path, transfer.result)
        if self._stored_as != self.path:
            await self._take_name()
        self._whole = True

    async def discard(self) -> None:
        """Break it off so that the server does not take what it has for the whole file."""
        begun = self._transfer is not None
        self.abandon()
        if begun and self._stored_as != self.path:
            await self._remove_part()

    def abandon(self) -> None:
        """As :meth:`discard`, but a part under another name stays."""
        if self._transfer is not None:
            self._transfer.abandon(_CLOSED_EARLY)
        self._let_go()

    async def _go_on(self) -> None:
        assert self._transfer is not None
        try:
            await self._transfer
        except BaseException:
            self._let_go()
            raise
        if self._transfer.over:
            self._let_go()

    def _check_begun(self) -> None:
        if self._transfer is None:
            message = f"{self.path} was broken off after {self.position} bytes and is not whole; write it again"
            raise TransferError(message, transferred=self.position)

    async def _take_name(self) -> None:
        try:
            await rename(self._session, self._stored_as, self.path)
        except ReplyError:
            await self._remove_part()
            raise

    async def _remove_part(self) -> None:
        with suppress(ClientError):
            await remove(self._session, self._stored_as)

    def _let_go(self) -> None:
        self._transfer = None
        if self._session.holder is self:
            self._session.holder = None


class Outlet(Handed):
    """Stands still until there is a piece to send, or the end."""

    def __init__(self, path: str, offset: int) -> None:
        super().__init__()
        self.piece = _NOTHING
        self.ended = False
        self._path = path
        self._from = offset

    def begin(self, offset: int) -> None:
        """See :class:`fairlead.client._flow.Flow`. Raises TransferError where the server knows no REST."""
        if offset != self._from:
            message = f"the server does not let {self._path} be written from byte {self._from} on; write it as a whole"
            raise TransferError(message)
        super().begin(offset)

    async def next(self) -> memoryview:
        """The next piece, empty at the end."""
        self.piece = _NOTHING
        await pause()
        assert self.piece or self.ended
        return self.piece
