"""One transfer: 1yz, the data connection, the octets, the final reply.

The three ways are :func:`send_file`, :func:`send_chunks` and :func:`receive_file`; what they share is
:class:`Transfer`. When the representation is the identity the kernel moves the octets; a small file moves within the
turn of the loop in which its command came.
"""

from __future__ import annotations

import errno
import fcntl
import socket
import struct
import termios
from collections.abc import Awaitable, Callable, Iterator
from typing import TYPE_CHECKING

from fairlead.errors import DataConnectionError, FairleadError, OffsetError, StorageError
from fairlead.events import TransferFailed, TransferFinished
from fairlead.proto.codec import decoder_for, encoder_for, is_identity
from fairlead.proto.reply import Reply
from fairlead.reach.cause import Cause
from fairlead.server.data import Connection, DataPort, default_port
from fairlead.server.failures import AbortedError, code_for, reply_for
from fairlead.server.pump import SMALL, Pump, Receive, SendChunks, SendFile, Splice, lost
from fairlead.server.stepping import Wait, readable, writable

if TYPE_CHECKING:
    from fairlead.proto.codec.base import Encoder
    from fairlead.server.session import Session
    from fairlead.storage.base import Source, Upload

COMPLETE = Reply(226, "Transfer complete.")
FIRST_LOOK, LAST_LOOK = 0.001, 0.05
"""Seconds between looks at the send queue of a peer that does not close: the first wait, and where doubling ends."""
PATIENCE = 0.1
"""How long a thread lets the kernel wait for the peer before the event loop takes the waiting over."""
BRISK = 4 << 20
"""Octets in one impatient run that make the peer worth a thread's patience again."""
ENCODE_CHUNK = 256 << 10


class Transfer:
    """A transfer under way, as ABOR, STAT and the time-outs see it."""

    __slots__ = (
        "_connection",
        "_loop",
        "_port",
        "_pump",
        "_session",
        "_wait",
        "aborted",
        "deadline",
        "error",
        "path",
        "settled",
        "started",
        "total",
        "verb",
    )

    def __init__(self, session: Session, verb: str, path: str, total: int | None) -> None:
        self._session = session
        self._loop = session.server.loop
        self._port: DataPort | None = None
        self._connection: Connection | None = None
        self._pump: Pump | None = None
        self._wait: Wait | None = None
        self.verb = verb
        self.path = path
        self.total = total
        self.started = self._loop.time()
        self.aborted = False
        self.settled = False
        """All octets have moved: an ABOR comes too late to change the outcome."""
        self.deadline: float | None = None
        """The loop's time at which :meth:`expire` is due; None while nothing is waited for."""
        self.error: Exception | None = None
        """Why it failed, once it has."""

    @property
    def moved(self) -> int:
        """Octets of the data connection so far."""
        return 0 if self._pump is None else self._pump.moved

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
            _shut(self._connection, socket.SHUT_RDWR)

    def expire(self) -> None:
        """The deadline passed: the data connection was not made, or stalls."""
        self.deadline = None
        if self._port is not None:
            self._port.stop(self._port.timed_out())
        if self._wait is not None:
            self._wait.end(stalled())

    async def run(self, opening: str, move: Callable[[Connection], Awaitable[None]]) -> Reply:
        """Send ``150 opening``, make the data connection, ``move`` the octets; the final reply."""
        session = self._session
        session.transfer = self
        session.reply(Reply(150, opening))
        port = session.port or default_port(session)
        try:
            connection = await self._open(port)
            try:
                await move(connection)
                if self.aborted:
                    raise AbortedError("Transfer aborted")
            finally:
                self._connection = None
                connection.close()
        except Exception as error:  # noqa: BLE001 - every failure is answered, in one place
            self.error = AbortedError("Transfer aborted") if self.aborted else error
            return self._failed(self.error, port.mode)
        finally:
            session.transfer = None
            if not port.sticky:
                session.use_port(None)
        events = session.server.events
        if events.wanted(TransferFinished):
            events.emit(
                TransferFinished(
                    session=session.number,
                    peer=session.peer[0],
                    user=session.user,
                    verb=self.verb,
                    path=self.path,
                    size=self.moved,
                    seconds=self._loop.time() - self.started,
                    mode=port.mode,
                )
            )
        return COMPLETE

    async def _open(self, port: DataPort) -> Connection:
        session = self._session
        self._port = port
        self._expect(session.server.settings.data_connect_timeout)
        try:
            self._connection = await port.open(session)
        finally:
            self._port = None
            self.deadline = None
        return self._connection

    def _expect(self, seconds: float) -> None:
        self.deadline = self._loop.time() + seconds
        self._session.reply_to.check_at(self.deadline)

    def _failed(self, error: Exception, mode: str) -> Reply:
        session = self._session
        if not isinstance(error, FairleadError):
            session.server.record_fault(session, error, self.verb)
        if isinstance(error, DataConnectionError):
            cause: str = error.cause
        else:
            cause = "aborted" if isinstance(error, AbortedError) else "storage"
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
                cause=cause,
                reason=str(error),
            )
        )
        return reply_for(error, self.verb, started=True)

    def account_for(self, pump: Pump) -> None:
        """Count the octets of ``pump`` as this transfer's."""
        self._pump = pump

    async def pump(self, pump: Pump, connection: Connection) -> None:
        """Run ``pump`` to its end, in threads; the loop waits where the peer is slow."""
        self._pump = pump
        patience = PATIENCE
        while True:
            before = pump.moved
            if await self._session.server.in_thread(pump.run, patience):
                return
            if self.aborted:
                raise AbortedError("Transfer aborted")
            patience = PATIENCE if pump.moved - before >= BRISK else 0.0
            await self.ready(pump, connection)

    async def ready(self, pump: Pump, connection: Connection) -> None:
        """Wait until ``pump`` can go on, at most the time a data connection may stand still."""
        if self.aborted:
            raise AbortedError("Transfer aborted")
        self._pump = pump
        self._wait = Wait()
        self._expect(self._session.server.settings.data_stall_timeout)
        try:
            await (readable if pump.reads else writable)(self._loop, connection.fileno(), self._wait)
        finally:
            self._wait = None
            self.deadline = None

    async def send(self, pump: Pump, connection: Connection, *, inline: bool) -> None:
        """Run a sending ``pump`` to its end, first inline if that is quick, and end the data."""
        self._pump = pump
        bulk = not (inline and pump.run(0))
        if bulk:
            await self.pump(pump, connection)
        _shut(connection, socket.SHUT_WR)
        if bulk:
            await self._delivered(connection)
        self.settled = True
        _discard_incoming(connection)

    async def _delivered(self, connection: Connection) -> None:
        """Wait until the peer's system has all octets, so that 226 is never said of ones that were lost.

        Most clients close as soon as they have read the end, which wakes this at once; for the others the send queue
        is looked at again after a short while.
        """
        stall = self._session.server.settings.data_stall_timeout
        interval = FIRST_LOOK
        still = 0.0
        closed = False
        queued = _queued(connection)
        while queued:
            self._wait = Wait()
            timer = self._loop.call_later(interval, self._wait.end)
            try:
                if closed:
                    await self._wait
                else:
                    await readable(self._loop, connection.fileno(), self._wait)
            finally:
                timer.cancel()
                self._wait = None
            closed = _discard_incoming(connection) or closed
            left = _queued(connection)
            still = still + interval if left == queued else 0.0
            if still > stall:
                raise stalled()
            queued = left
            interval = min(interval * 2, LAST_LOOK)


def stalled() -> DataConnectionError:
    """The error for a data connection on which nothing moved for too long."""
    return DataConnectionError(
        Cause.DATA_STALLED, f"The data connection stood still for too long ({Cause.DATA_STALLED})"
    )


def _queued(connection: Connection) -> int:
    """Octets that the peer's system has not acknowledged."""
    return int(struct.unpack("i", fcntl.ioctl(connection, termios.TIOCOUTQ, b"\0\0\0\0"))[0])


def _shut(connection: Connection, how: int) -> None:
    try:
        connection.shutdown(how)
    except OSError as error:
        if error.errno != errno.ENOTCONN:
            raise lost(error) from error


def _discard_incoming(connection: Connection) -> bool:
    """Read away what a receiver sent against the rules, else closing would reset the connection; whether it ended."""
    try:
        while connection.recv(SMALL):
            pass
    except BlockingIOError:
        return False
    except OSError as error:
        raise lost(error) from error
    return True


async def send_file(session: Session, verb: str, path: str, source: Source, offset: int) -> Reply:
    """RETR: the file from the octet ``offset`` of what is transmitted on (RFC 3659 section 5). Closes ``source``."""
    try:
        size = source.status.st_size
        identity = is_identity(session.representation)
        if identity and offset > size:
            raise OffsetError(path, f"The file has only {size} octets")
        transfer = Transfer(session, verb, path, size - offset if identity else None)

        async def move(connection: Connection) -> None:
            chunk = source.read_cached(SMALL, offset if identity else 0) if size <= SMALL else None
            if identity and chunk is None and source.fileno() is not None:
                await transfer.send(SendFile(connection, source, offset, size), connection, inline=False)
                return
            first = 0 if not identity else offset
            chunks = _file_chunks(source, first, chunk)
            if not identity:
                chunks = _encoded(session, chunks, offset)
            await transfer.send(SendChunks(connection, chunks), connection, inline=chunk is not None)

        size_hint = f" ({size - offset} bytes)" if identity else ""
        return await transfer.run(f"Sending {_shown(path)}{size_hint}.", move)
    finally:
        source.close()


def _shown(path: str) -> str:
    return path.rpartition("/")[2]


def _file_chunks(source: Source, offset: int, first: bytes | None) -> Iterator[bytes]:
    if first is not None:
        yield first
        offset += len(first)
        if offset >= source.status.st_size:
            return
    while data := source.read(ENCODE_CHUNK, offset):
        yield data
        offset += len(data)


def _encoded(session: Session, chunks: Iterator[bytes], skip: int) -> Iterator[bytes]:
    """The chunks in the session's representation, without the first ``skip`` octets of the result."""
    encoder = encoder_for(session.representation)
    for data in _all_encoded(encoder, chunks):
        if skip >= len(data):
            skip -= len(data)
            continue
        yield data[skip:] if skip else data
        skip = 0
    if skip:
        raise OffsetError(detail="The offset lies beyond the end of the file")


def _all_encoded(encoder: Encoder, chunks: Iterator[bytes]) -> Iterator[bytes]:
    for chunk in chunks:
        yield encoder.encode(chunk)
    yield encoder.finish()


async def send_chunks(session: Session, verb: str, path: str, chunks: Iterator[bytes], *, inline: bool) -> Reply:
    """Listings: octets made on the way; ``inline`` says that making them is quick enough for the event loop."""
    transfer = Transfer(session, verb, path, None)

    async def move(connection: Connection) -> None:
        await transfer.send(SendChunks(connection, chunks), connection, inline=inline)

    return await transfer.run("Here comes the listing.", move)


async def receive_file(
    session: Session, verb: str, path: str, upload: Upload, opening: str, *, held: bytes = b""
) -> Reply:
    """STOR, APPE, STOU: the data into ``upload``, acknowledged only once the store has it whole and durable.

    ``held`` is what the decoder of an earlier transfer held back where this one goes on.
    """
    transfer = Transfer(session, verb, path, None)
    server = session.server
    storage = session.storage

    async def move(connection: Connection) -> None:
        await _receive(transfer, connection, upload, session, held)
        if transfer.aborted:
            raise AbortedError("Transfer aborted")
        transfer.settled = True
        if upload.prompt:
            upload.commit()
        else:
            await server.in_thread(upload.commit)

    reply = await transfer.run(opening, move)
    if isinstance(transfer.error, StorageError):
        await server.call(storage, upload.discard)
    elif transfer.error is not None:
        await server.call(storage, upload.keep)
    return reply


async def _receive(transfer: Transfer, connection: Connection, upload: Upload, session: Session, held: bytes) -> None:
    representation = session.representation
    receive = Receive(connection, upload, decoder_for(representation, held=held))
    receive.budget = SMALL if session.storage.inline else 0
    while not receive.run(0):
        if receive.moved >= receive.budget:
            break
        await transfer.ready(receive, connection)
    else:
        transfer.account_for(receive)
        return
    if not is_identity(representation) or upload.fileno() is None:
        receive.budget = None
        await transfer.pump(receive, connection)
        return
    splice = Splice(connection, upload, session.server.pipes)
    splice.moved = receive.moved
    whole = False
    try:
        await transfer.pump(splice, connection)
        whole = True
    finally:
        splice.close(whole=whole)
