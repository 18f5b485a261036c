"""How octets move between a data connection and a file: blocking pieces of work, run inline or in a thread.

Every pump has ``run(patience)``: it moves what it can and returns True when all is moved, False when the connection
would make it wait longer than ``patience`` seconds. With patience 0 it never waits for the connection at all, so the
event loop can run a small piece itself; in a thread some patience lets the kernel do the waiting, which costs the
fewest system calls. The kernel's own time-outs (SO_SNDTIMEO, SO_RCVTIMEO) end the patience; without any, each call
asks not to wait (MSG_DONTWAIT), or the connection is set to.
"""

from __future__ import annotations

import fcntl
import os
import re
import socket
import struct
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

from fairlead.errors import DataConnectionError, ProtocolError, StorageFault
from fairlead.reach.cause import Cause
from fairlead.server.data import Connection
from fairlead.server.dtp import SMALL, Outcome
from fairlead.server.marks import PRINTABLE
from fairlead.storage.local.faults import fault

if TYPE_CHECKING:
    from fairlead.proto.codec.base import Decoder, Piece
    from fairlead.server.data import RawConnection
    from fairlead.server.dtp import Dtp
    from fairlead.storage.base import Source, Upload

SENDFILE_CHUNK = 4 << 20
PIPE_SIZE = 1 << 20
"""A pipe of the default 64 KiB would eat what splice gains."""
RECEIVE_CHUNK = 256 << 10


class Pump(Protocol):
    """A movement of octets under way."""

    moved: int
    """Octets of the data connection so far."""
    reads: bool
    """Whether it waits for the connection to be readable (else writable)."""

    def run(self, patience: float) -> bool:
        """Move on; see the module."""


def lost(error: OSError) -> DataConnectionError:
    """The error for a data connection that broke."""
    return DataConnectionError(
        Cause.DATA_CUT, f"The data connection was lost ({os.strerror(error.errno or 0)}) ({Cause.DATA_CUT})"
    )


class SocketPump:
    """The socket of a pump, and how long the kernel may wait on it."""

    __slots__ = ("_patience", "fd", "moved", "socket")
    reads = False

    def __init__(self, connection: Connection) -> None:
        self.socket = connection
        self.fd = connection.fileno()
        self.moved = 0
        self._patience: float | None = None

    def _be_patient(self, patience: float) -> None:
        if patience == self._patience:
            return
        self._patience = patience
        os.set_blocking(self.fd, patience > 0)
        if patience > 0:
            seconds, fraction = divmod(patience, 1)
            option = socket.SO_RCVTIMEO if self.reads else socket.SO_SNDTIMEO
            self.socket.setsockopt(socket.SOL_SOCKET, option, struct.pack("@ll", int(seconds), int(fraction * 1e6)))


class SendFile(SocketPump):
    """A file's octets as they are, from the page cache to the connection (``sendfile``)."""

    __slots__ = ("_end", "_offset", "_source")

    def __init__(self, connection: Connection, source: Source, offset: int, end: int) -> None:
        super().__init__(connection)
        self._source = source
        self._offset = offset
        self._end = end

    def run(self, patience: float) -> bool:
        """Send up to the end."""
        self._be_patient(patience)
        file = self._source.fileno()
        assert file is not None
        while self._offset < self._end:
            wanted = min(SENDFILE_CHUNK, self._end - self._offset)
            try:
                sent = os.sendfile(self.fd, file, self._offset, wanted)
            except BlockingIOError:
                return False
            except OSError as error:
                raise lost(error) from error
            if sent == 0:
                raise StorageFault(detail="The file became shorter while it was sent")
            self._offset += sent
            self.moved += sent
            if sent < wanted:
                return False
        return True


class SendChunks(SocketPump):
    """Octets that are made on the way: an encoded file, a listing."""

    __slots__ = ("_chunks", "_rest")

    def __init__(self, connection: Connection, chunks: Iterator[bytes], moved: int = 0) -> None:
        super().__init__(connection)
        self.moved = moved
        self._chunks = chunks
        self._rest: bytes | memoryview = b""

    def run(self, patience: float) -> bool:
        """Send up to the last chunk."""
        if patience > 0:
            self._be_patient(patience)
        flags = 0 if patience > 0 else socket.MSG_DONTWAIT
        rest = self._rest
        while True:
            if not rest:
                chunk = next(self._chunks, None)
                if chunk is None:
                    return True
                rest = chunk
                continue
            try:
                sent = self.socket.send(rest, flags)
            except BlockingIOError:
                self._rest = rest
                return False
            except OSError as error:
                raise lost(error) from error
            self.moved += sent
            if sent < len(rest):
                self._rest = memoryview(rest)[sent:]
                return False
            rest = b""


class Receive(SocketPump):
    """The connection's octets through a decoder into a file."""

    __slots__ = ("_decoder", "_upload", "budget")
    reads = True

    def __init__(self, connection: Connection, upload: Upload, decoder: Decoder, moved: int = 0) -> None:
        super().__init__(connection)
        self.moved = moved
        self._upload = upload
        self._decoder = decoder
        self.budget: int | None = None
        """Where to stop early, in octets moved; None to go on to the end."""

    def run(self, patience: float) -> bool:
        """Receive up to the end of the data."""
        if patience > 0:
            self._be_patient(patience)
        flags = 0 if patience > 0 else socket.MSG_DONTWAIT
        decoder = self._decoder
        while self.budget is None or self.moved < self.budget:
            try:
                data = self.socket.recv(RECEIVE_CHUNK if patience > 0 else SMALL, flags)
            except BlockingIOError:
                return False
            except OSError as error:
                raise lost(error) from error
            if not data:
                rest = decoder.close()
                if rest:
                    self._upload.write(rest)
                return True
            self.moved += len(data)
            for piece in decoder.decode(data):
                if not isinstance(piece, bytes):
                    raise ProtocolError("A restart marker came in a mode that has none")
                self._upload.write(piece)
            if decoder.finished:
                rest = decoder.close()
                if rest:
                    self._upload.write(rest)
                return True
        return False


class ReceiveFramed(SocketPump):
    """The connection's octets through a decoder that may find restart markers in them, and the end.

    ``early`` came before; ``size`` is how many octets are received at a time. Where it ``answers`` a marker, it stops
    there with all that came before it made durable.
    """

    __slots__ = ("_answers", "_data", "_decoder", "_pieces", "_size", "_upload", "done", "marker")
    reads = True

    def __init__(
        self, connection: Connection, upload: Upload, decoder: Decoder, early: bytes, size: int, *, answers: bool
    ) -> None:
        super().__init__(connection)
        self._upload = upload
        self._decoder = decoder
        self._data = early
        self._size = size
        self._answers = answers
        self._pieces: Iterator[Piece] = iter(())
        self.marker = ""
        """The text of the marker at which it stopped."""
        self.done = False

    def run(self, patience: float) -> bool:
        """Receive up to the end of the data, or to a marker."""
        if patience > 0:
            self._be_patient(patience)
        flags = 0 if patience > 0 else socket.MSG_DONTWAIT
        self.marker = ""
        while not self._decode():
            try:
                data = self.socket.recv(self._size, flags)
            except BlockingIOError:
                return False
            except OSError as error:
                raise lost(error) from error
            if not data:
                self._end()
                return True
            self.moved += len(data)
            self._data = data
        return True

    def _decode(self) -> bool:
        """Store what came; whether that led to the end or to a marker to be answered."""
        decoder = self._decoder
        while True:
            for piece in self._pieces:
                if isinstance(piece, bytes):
                    if piece:
                        self._upload.write(piece)
                elif self._answers and re.fullmatch(PRINTABLE, piece.text):
                    self._upload.flush()
                    self.marker = piece.text.decode("ascii")
                    return True
            if decoder.finished:
                self._end()
                return True
            if not self._data:
                return False
            self._pieces = iter(decoder.decode(self._data))
            self._data = b""

    def _end(self) -> None:
        rest = self._decoder.close()
        if rest:
            self._upload.write(rest)
        self.done = True


class Collect(SocketPump):
    """The connection's octets as they are into a file, by one call for all that have come: never patient."""

    __slots__ = ("_dtp", "_path", "_upload")
    reads = True

    def __init__(self, connection: RawConnection, upload: Upload, path: str, dtp: Dtp, moved: int) -> None:
        super().__init__(connection)
        self.moved = moved
        self._upload = upload
        self._path = path
        self._dtp = dtp

    def run(self, _patience: float) -> bool:
        """Receive up to the end of the data, or until SMALL octets have moved; they must not have yet."""
        file = self._upload.fileno()
        assert file is not None
        try:
            delivery = self._dtp.receive(self.fd, file, SMALL - self.moved)
        except OSError as error:
            raise lost(error) from error
        self.moved += delivery.moved
        self._upload.position += delivery.moved
        if delivery.outcome is Outcome.FAULT:
            raise fault(OSError(delivery.error, ""), self._path)
        return delivery.outcome is Outcome.DONE


class Splice(SocketPump):
    """The connection's octets as they are into a file, without entering this process (``splice``)."""

    __slots__ = ("_pipe", "_pipes", "_upload")
    reads = True

    def __init__(self, connection: Connection, upload: Upload, pipes: Pipes) -> None:
        super().__init__(connection)
        self._upload = upload
        self._pipes = pipes
        self._pipe = pipes.take()

    def run(self, patience: float) -> bool:
        """Receive up to the end of the data."""
        self._be_patient(patience)
        file = self._upload.fileno()
        assert file is not None
        read_end, write_end = self._pipe
        while True:
            try:
                filled = os.splice(self.fd, write_end, PIPE_SIZE)
            except BlockingIOError:
                return False
            except OSError as error:
                raise lost(error) from error
            if filled == 0:
                return True
            self.moved += filled
            while filled:
                try:
                    written = os.splice(read_end, file, filled)
                except OSError as error:
                    raise fault(error, "") from error
                filled -= written
                self._upload.position += written

    def close(self, *, whole: bool) -> None:
        """Give the pipe back; after a failure it may hold octets and is closed instead."""
        self._pipes.put(self._pipe, empty=whole)


class Pipes:
    """Pipes of 1 MiB, kept for the next transfer."""

    KEPT = 16

    def __init__(self) -> None:
        self._idle: list[tuple[int, int]] = []

    def take(self) -> tuple[int, int]:
        """The read end and the write end of an empty pipe."""
        if self._idle:
            return self._idle.pop()
        pipe = os.pipe2(os.O_CLOEXEC)
        # Over the user's share of pipe memory the kernel refuses: smaller pipes are slower, not wrong.
        with suppress(PermissionError):
            fcntl.fcntl(pipe[1], fcntl.F_SETPIPE_SZ, PIPE_SIZE)
        return pipe

    def put(self, pipe: tuple[int, int], *, empty: bool) -> None:
        """Take a pipe back."""
        if empty and len(self._idle) < self.KEPT:
            self._idle.append(pipe)
            return
        for end in pipe:
            os.close(end)

    def close(self) -> None:
        """Close all idle pipes."""
        while self._idle:
            self.put(self._idle.pop(), empty=False)
