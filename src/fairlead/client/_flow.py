"""The user-DTP: octets from a data connection into a sink, and from a source into a data connection."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol, TypeAlias, cast

from fairlead.client._wire import Stream
from fairlead.proto.codec import MARKED, Representation, decoder_for, encoder_for, is_identity
from fairlead.proto.codec.base import Decoder, Encoder

Progress: TypeAlias = Callable[[int, "int | None"], None]
"""Called with the octets done, those of an earlier part included, and those in all where that is known."""

_PIECE = 1 << 20
_WORTH_A_PIPE = 1 << 20
"""Octets after which a pipe is made for the rest."""
_TURN = 1 << 20
"""Octets after which others have their turn even when more could be received at once."""


class Sink(Protocol):
    """Where a download goes."""

    def begin(self, offset: int) -> None:
        """What comes next belongs at ``offset``; anything from there on is to be forgotten."""

    def write(self, data: memoryview) -> None:
        """Take all of ``data``, which is only valid during the call."""


class PipedSink(Sink, Protocol):
    """A sink that can take octets which never enter this process."""

    def pipe(self) -> int | None:
        """The write end of an empty pipe, None where octets have to be written after all."""

    def drain(self, count: int) -> None:
        """Take the ``count`` octets that are in the pipe."""


class Source(Protocol):
    """Where an upload comes from."""

    size: int | None
    """Octets in all, where that is known."""

    def begin(self, offset: int) -> None:
        """Go on from ``offset``. Raises OSError when that can't be done."""

    def read(self, limit: int) -> bytes:
        """The next octets, empty at the end."""

    def descriptor(self) -> int | None:
        """The descriptor of a real file to send from without copying, None when there is none."""


class Exchange(Protocol):
    """What a flow needs of the transfer that it is a part of."""

    buffer: memoryview
    """Room for what is received."""

    @property
    def stream(self) -> Stream:
        """The data connection."""

    @property
    def over(self) -> bool:
        """Whether the final reply is here."""

    @property
    def failed(self) -> bool:
        """Whether the final reply is here and is 4yz or 5yz."""

    paced: bool
    """Whether there is a limit to how fast octets may go."""

    @property
    def piece(self) -> int:
        """Octets to send at once, at most."""

    async def pace(self, octets: int) -> None:
        """Stand still after ``octets`` went, where they are :attr:`paced`."""

    async def yield_turn(self) -> None:
        """Let others run."""

    async def wait(self, *, sending: bool) -> None:
        """Wait until the data connection is ready or a reply came. Raises TransferError when nothing moves."""


class Flow(Protocol):
    """One direction of a transfer."""

    moved: int
    """Octets that went over the data connection."""
    whole: bool
    """Whether everything that there was went over it."""
    total: int | None
    """Octets in all, those of an earlier part included, where that is known."""
    enough: bool
    """Whether nothing more is wanted, whatever the server still has."""
    identity: bool
    """Whether the octets on the wire are those of the file."""
    marks_its_end: bool
    """Whether the end is marked in the data (MODE B and C), so that the connection may stay for the next transfer."""
    marked: bool
    """Whether it was."""
    marks: list[Mark]
    """Restart markers that came in the data, or that the server answered ours with."""

    def begin(self, offset: int) -> None:
        """Get ready to go on from ``offset``; may be called again for another attempt."""

    async def run(self, exchange: Exchange) -> OSError | None:
        """Move everything; returns what broke the data connection, None for an orderly end or a final reply.

        Whatever the sink or the source raises passes through.
        """


class Mark(NamedTuple):
    """A restart marker (RFC 959 section 3.5): the same place as the two ends call it."""

    position: int
    """In the local file, in octets."""
    text: str
    """What the server calls it, and takes after REST."""


class Inflow:
    """Receives into ``sink``. ``total`` is what is expected in all, where that is known."""

    enough = False
    marked = False
    stepwise = False
    """Whether it stands still after each piece that came."""

    def __init__(
        self, sink: Sink, representation: Representation, *, total: int | None = None, progress: Progress | None = None
    ) -> None:
        self.moved = 0
        self.whole = False
        self.total = total
        self.identity = is_identity(representation)
        """Whether the octets on the wire are those of the file."""
        self.marks_its_end = representation.mode in MARKED
        self.marks: list[Mark] = []
        self._sink = sink
        self._representation = representation
        self._progress = progress
        self._written = 0
        self._decoder: Decoder | None = None
        self.offset = 0
        """Where it began."""
        self._since_turn = 0
        self._piped: PipedSink | None = None
        self._pipe: int | None = None
        """Where what comes goes without being copied, once it is worth a pipe."""

    def begin(self, offset: int) -> None:
        """See :class:`Flow`."""
        self._sink.begin(offset)
        self._piped = cast("PipedSink", self._sink) if self.identity and hasattr(self._sink, "pipe") else None
        self._pipe = None
        self.offset = offset
        self.moved = 0
        self.whole = self.enough = self.marked = False
        self.marks.clear()
        self._written = offset
        self._decoder = None if self.identity else decoder_for(self._representation)

    async def run(self, exchange: Exchange) -> OSError | None:
        """See :class:`Flow`; the end of the data is where it is marked, else the end of the connection."""
        buffer, stream = exchange.buffer, exchange.stream
        self._since_turn = 0
        while True:
            try:
                size = self._receive(stream, buffer)
            except OSError as error:
                return error
            if size is None:
                if exchange.failed:
                    return None
                await exchange.wait(sending=False)
                continue
            if not size:
                break
            self.moved += size
            if self._pipe is not None and self._piped is not None:
                self._piped.drain(size)
            else:
                self._take(buffer[:size])
            if self._progress is not None:
                self._progress(self.offset + self.moved, self.total)
            self._since_turn += size
            if self._since_turn >= _TURN or self.stepwise or exchange.paced:
                await self._taken(exchange, size)
            if self.enough:
                return None
            if self._decoder is not None and self._decoder.finished:
                break
        if self._decoder is not None:
            self._end(self._decoder)
        self.whole = True
        return None

    def _end(self, decoder: Decoder) -> None:
        if rest := decoder.close():
            self._sink.write(memoryview(rest))
        self.marked = decoder.finished and self._representation.mode in MARKED

    async def _taken(self, exchange: Exchange, size: int) -> None:
        if exchange.paced:
            await exchange.pace(size)
        if self._since_turn >= _TURN:
            self._since_turn = 0
            await exchange.yield_turn()

    def _receive(self, stream: Stream, buffer: memoryview) -> int | None:
        if self._piped is None or self.moved < _WORTH_A_PIPE:
            return stream.receive_into(buffer)
        if self._pipe is None:
            self._pipe = self._piped.pipe()
        if self._pipe is None:
            self._piped = None
            return stream.receive_into(buffer)
        try:
            return stream.receive_into_pipe(self._pipe, len(buffer))
        except NotImplementedError:
            self._pipe = self._piped = None
            return stream.receive_into(buffer)

    def _take(self, data: memoryview) -> None:
        if self._decoder is None:
            self._sink.write(data)
            return
        for piece in self._decoder.decode(bytes(data)):
            if isinstance(piece, bytes):
                self._sink.write(memoryview(piece))
                self._written += len(piece)
            else:
                self.marks.append(Mark(self._written, piece.text.decode("ascii", "replace")))


class Outflow:
    """Sends from ``source``."""

    enough = False
    marked = False

    def __init__(self, source: Source, representation: Representation, *, progress: Progress | None = None) -> None:
        self.moved = 0
        self.whole = False
        self.identity = is_identity(representation)
        """Whether the octets on the wire are those of the file."""
        self.marks_its_end = representation.mode in MARKED
        self.marks: list[Mark] = []
        self.total = source.size if self.identity else None
        self._source = source
        self._representation = representation
        self._progress = progress
        self._encoder: Encoder | None = None
        self.offset = 0
        """Where it began."""

    def begin(self, offset: int) -> None:
        """See :class:`Flow`."""
        self._source.begin(offset)
        self.offset = offset
        self.moved = 0
        self.whole = self.marked = False
        self.marks.clear()
        self._encoder = None if self.identity else encoder_for(self._representation)

    async def run(self, exchange: Exchange) -> OSError | None:
        """See :class:`Flow`; a half-close is the end of data that does not mark it."""
        file = self._source.descriptor() if self._encoder is None else None
        try:
            if file is None or not await self._send_file(exchange, file):
                await self._send_pieces(exchange)
        except _Broken as broken:
            return broken.error
        self.marked = self.whole and self._encoder is not None and self._encoder.keeps_connection
        try:
            while not self.marked and not exchange.stream.finish():
                await exchange.wait(sending=True)
        except OSError as error:
            return error
        return None

    async def _send_file(self, exchange: Exchange, file: int) -> bool:
        """Send from the file itself; False when the system can't and nothing was sent."""
        while not exchange.over:
            try:
                sent = exchange.stream.send_file(file, self.offset + self.moved, exchange.piece)
            except NotImplementedError:
                if self.moved:
                    raise
                return False
            except OSError as error:
                raise _Broken(error) from error
            if sent is None:
                await exchange.wait(sending=True)
            elif not sent:
                self.whole = True
                break
            else:
                self._moved(sent)
                if exchange.paced:
                    await exchange.pace(sent)
                if self.moved >= _TURN:
                    await exchange.yield_turn()
        return True

    async def _send_pieces(self, exchange: Exchange) -> None:
        ended, read = False, self.offset
        while not ended and not exchange.over:
            data = self._source.read(_PIECE)
            ended, read = not data, read + len(data)
            if self._encoder is not None:
                data = self._encoder.finish() if ended else self._encoder.encode(data) + self._mark(read)
            await self._send(exchange, memoryview(data))
            await exchange.yield_turn()
        self.whole = ended

    def _mark(self, position: int) -> bytes:
        """A restart marker for ``position``, in a mode that has such (RFC 959 section 3.5)."""
        assert self._encoder is not None
        return self._encoder.mark(str(position).encode())

    async def _send(self, exchange: Exchange, rest: memoryview) -> None:
        while rest and not exchange.over:
            try:
                sent = exchange.stream.send(rest[: exchange.piece])
            except OSError as error:
                raise _Broken(error) from error
            if sent is None:
                await exchange.wait(sending=True)
            else:
                rest = rest[sent:]
                self._moved(sent)
                if exchange.paced:
                    await exchange.pace(sent)

    def _moved(self, size: int) -> None:
        self.moved += size
        if self._progress is not None:
            self._progress(self.offset + self.moved, self.total)


class Handed(Outflow):
    """Sends what others hand over, piece by piece, as it is."""

    def __init__(self, *, size: int | None = None, progress: Progress | None = None) -> None:
        self._unread = _Unread(size)
        super().__init__(self._unread, Representation("I"), progress=progress)

    async def next(self) -> memoryview:
        """The next octets, empty at the end."""
        raise NotImplementedError

    async def _send_pieces(self, exchange: Exchange) -> None:
        while not exchange.over:
            data = await self.next()
            if not data:
                self.whole = True
                return
            self._unread.taken = True
            await self._send(exchange, data)
            await exchange.yield_turn()


class _Unread:
    """A source whose octets are taken elsewhere. See :class:`Source`."""

    def __init__(self, size: int | None) -> None:
        self.size = size
        self.taken = False

    def begin(self, offset: int) -> None:
        """See :class:`Source`. Raises OSError when something was sent on already."""
        if self.taken:
            message = "what was sent on cannot be taken back"
            raise OSError(message)

    def read(self, limit: int) -> bytes:
        """See :class:`Source`."""
        raise NotImplementedError

    def descriptor(self) -> int | None:
        """See :class:`Source`."""
        return None


class _Broken(Exception):
    """The data connection broke."""

    def __init__(self, error: OSError) -> None:
        super().__init__(error)
        self.error = error
