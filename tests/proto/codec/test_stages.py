"""The stages of ``codec.base`` carry what block, compressed and deflate mode and record structure need.

The codecs here are as small as can be: they show that the contract suffices, in both directions, and nothing else.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.errors import ProtocolError, TruncatedError
from fairlead.proto.codec.ascii import AsciiDecoder, AsciiEncoder
from fairlead.proto.codec.base import (
    RECORD,
    Decoder,
    Encoder,
    Framing,
    Marker,
    Piece,
    Shape,
    Shaped,
    Unframing,
    Unshape,
)
from tests.proto.cuts import cuts

EOR, EOF, MARKER = 128, 64, 16


@dataclass
class Sending:
    """A shape and a framing as an Encoder."""

    shape: Shape
    framing: Framing

    @property
    def keeps_connection(self) -> bool:
        return self.framing.keeps_connection

    def encode(self, data: bytes) -> bytes:
        return self.framing.frame(self.shape.shape(data))

    def mark(self, text: bytes) -> bytes:
        return self.framing.mark(text)

    def finish(self) -> bytes:
        return self.framing.frame(self.shape.finish()) + self.framing.finish()


@dataclass
class Receiving:
    """An unframing and an unshape as a Decoder."""

    unframing: Unframing
    unshape: Unshape
    finished: bool = False
    unused: bytes = b""
    held: bytes = b""

    def decode(self, data: bytes) -> Iterator[Piece]:
        for shaped in self.unframing.unframe(data):
            piece = shaped if isinstance(shaped, Marker) else self.unshape.unshape(shaped)
            self.held = self.unshape.held
            yield piece
        self.finished, self.unused = self.unframing.finished, self.unframing.unused

    def close(self) -> bytes:
        self.unframing.close()
        return self.unshape.close()


class Records:
    """Structure R under any type: a record is a line."""

    held = b""

    def shape(self, data: bytes) -> Iterator[Shaped]:
        *records, rest = data.split(b"\n")
        for record in records:
            yield record
            yield RECORD
        yield rest

    def unshape(self, shaped: Shaped) -> bytes:
        return b"\n" if shaped is RECORD else shaped

    def finish(self) -> Iterable[Shaped]:
        return ()

    def close(self) -> bytes:
        return b""


class Text:
    """Type A with structure F: the codecs of stream mode are the shape."""

    def __init__(self) -> None:
        self._encoder = AsciiEncoder()
        self._decoder = AsciiDecoder()

    @property
    def held(self) -> bytes:
        return self._decoder.held

    def shape(self, data: bytes) -> Iterable[Shaped]:
        return (self._encoder.encode(data),)

    def unshape(self, shaped: Shaped) -> bytes:
        assert shaped is not RECORD
        return b"".join(self._decoder.decode(shaped))

    def finish(self) -> Iterable[Shaped]:
        return ()

    def close(self) -> bytes:
        return self._decoder.close()


class EscapedRecords:
    """Mode S with structure R: 255 is an escape; the last end of a record and that of the file share a code."""

    keeps_connection = False

    def __init__(self) -> None:
        self._record = False

    def frame(self, shaped: Iterable[Shaped]) -> bytes:
        return b"".join(map(self._one, shaped))

    def _one(self, shaped: Shaped) -> bytes:
        if shaped == b"":
            return b""
        before, self._record = (b"\xff\x01" if self._record else b""), shaped is RECORD
        return before + (b"" if shaped is RECORD else shaped.replace(b"\xff", b"\xff\xff"))

    def mark(self, text: bytes) -> bytes:
        return b""

    def finish(self) -> bytes:
        return b"\xff\x03" if self._record else b"\xff\x02"


@dataclass
class UnescapedRecords:
    finished: bool = False
    unused: bytes = b""
    _escape: bool = False

    def unframe(self, data: bytes) -> Iterator[Shaped | Marker]:
        for at in range(len(data)):
            octet = data[at : at + 1]
            if self.finished:
                self.unused += octet
            elif not self._escape:
                self._escape = octet == b"\xff"
                if not self._escape:
                    yield octet
            else:
                self._escape = False
                if octet not in {b"\x01", b"\x02", b"\x03", b"\xff"}:
                    raise ProtocolError("no such control code")
                if octet in {b"\x01", b"\x03"}:
                    yield RECORD
                if octet == b"\xff":
                    yield octet
                self.finished = octet in {b"\x02", b"\x03"}

    def close(self) -> None:
        if not self.finished:
            raise TruncatedError("no end of file")


class Blocks:
    """Mode B: each block has a descriptor; a record's last block is held back in case it is the file's."""

    keeps_connection = True

    def __init__(self) -> None:
        self._last: tuple[int, bytes] | None = None

    def _flush(self, more: int = 0) -> bytes:
        if self._last is None:
            return b""
        (descriptor, data), self._last = self._last, None
        return bytes((descriptor | more,)) + len(data).to_bytes(2, "big") + data

    def frame(self, shaped: Iterable[Shaped]) -> bytes:
        sent = b""
        for piece in shaped:
            if piece is RECORD:
                sent += self._flush() if self._last and self._last[0] else b""
                self._last = (EOR, self._last[1] if self._last else b"")
            elif piece:
                sent += self._flush()
                self._last = (0, piece)
        return sent

    def mark(self, text: bytes) -> bytes:
        return self._flush() + bytes((MARKER,)) + len(text).to_bytes(2, "big") + text

    def finish(self) -> bytes:
        return self._flush(EOF) or bytes((EOF, 0, 0))


@dataclass
class Unblocked:
    finished: bool = False
    unused: bytes = b""
    _rest: bytes = b""

    def unframe(self, data: bytes) -> Iterator[Shaped | Marker]:
        self._rest += data
        while len(self._rest) >= 3 and not self.finished:
            descriptor, size = self._rest[0], int.from_bytes(self._rest[1:3], "big")
            if len(self._rest) < 3 + size:
                return
            block, self._rest = self._rest[3 : 3 + size], self._rest[3 + size :]
            if descriptor & MARKER:
                yield Marker(block)
                continue
            if block:
                yield block
            if descriptor & EOR:
                yield RECORD
            self.finished = bool(descriptor & EOF)
        if self.finished:
            self.unused, self._rest = self._rest, b""

    def close(self) -> None:
        if not self.finished:
            raise TruncatedError("no end of file")


class Compressed:
    """Mode C, sender: byte strings and runs; descriptors stand before the string they belong to."""

    keeps_connection = True

    def __init__(self) -> None:
        self._record = False

    def frame(self, shaped: Iterable[Shaped]) -> bytes:
        sent = b""
        for piece in shaped:
            if piece == b"":
                continue
            sent += self._flush()
            if piece is RECORD:
                self._record = True
            elif len(piece) > 1 and piece.count(piece[:1]) == len(piece) <= 63:
                sent += bytes((0x80 | len(piece), piece[0]))
            else:
                sent += b"".join(
                    bytes((len(piece[at : at + 127]),)) + piece[at : at + 127] for at in range(0, len(piece), 127)
                )
        return sent

    def _flush(self, more: int = 0) -> bytes:
        descriptor, self._record = EOR * self._record | more, False
        return bytes((0, descriptor, 0xC0)) if descriptor else b""

    def mark(self, text: bytes) -> bytes:
        return self._flush() + bytes((0, MARKER, len(text))) + text

    def finish(self) -> bytes:
        return self._flush(EOF)


@dataclass
class Uncompressed:
    finished: bool = False
    unused: bytes = b""
    _rest: bytes = b""
    _descriptor: int = 0

    def unframe(self, data: bytes) -> Iterator[Shaped | Marker]:
        self._rest += data
        while not self.finished and (string := self._string()) is not None:
            descriptor, self._descriptor = self._descriptor, 0
            if descriptor & MARKER:
                yield Marker(string)
                continue
            if string:
                yield string
            if descriptor & EOR:
                yield RECORD
            self.finished = bool(descriptor & EOF)
        if self.finished:
            self.unused, self._rest = self._rest, b""

    def _string(self) -> bytes | None:
        while len(self._rest) > 1 and self._rest[0] == 0:
            self._descriptor, self._rest = self._rest[1], self._rest[2:]
        if not self._rest or self._rest[0] == 0:
            return None
        head = self._rest[0]
        need = head if head < 0x80 else head >> 6 == 2
        if len(self._rest) < 1 + need:
            return None
        octets, self._rest = self._rest[1 : 1 + need], self._rest[1 + need :]
        return octets if head < 0x80 else (octets or b" ") * (head & 0x3F)

    def close(self) -> None:
        if not self.finished:
            raise TruncatedError("no end of file")


class Deflated:
    """Mode Z over what the structure needs in stream mode."""

    keeps_connection = False

    def __init__(self, inner: Framing) -> None:
        self._inner = inner
        self._zlib = zlib.compressobj()

    def frame(self, shaped: Iterable[Shaped]) -> bytes:
        return self._zlib.compress(self._inner.frame(shaped))

    def mark(self, text: bytes) -> bytes:
        return b""

    def finish(self) -> bytes:
        return self._zlib.compress(self._inner.finish()) + self._zlib.flush()


@dataclass
class Inflated:
    inner: Unframing
    most: int = 1 << 16
    finished: bool = False
    unused: bytes = b""
    _zlib: zlib._Decompress = field(default_factory=zlib.decompressobj)

    def unframe(self, data: bytes) -> Iterator[Shaped | Marker]:
        while data:
            yield from self.inner.unframe(self._zlib.decompress(data, self.most))
            data = self._zlib.unconsumed_tail
        self.finished, self.unused = self._zlib.eof, self._zlib.unused_data

    def close(self) -> None:
        if not self.finished:
            raise TruncatedError("no end of file")


@dataclass
class Plain:
    """Mode S with structure F."""

    keeps_connection: bool = False
    finished: bool = False
    unused: bytes = b""

    def frame(self, shaped: Iterable[Shaped]) -> bytes:
        return b"".join(piece for piece in shaped if piece is not RECORD)

    def mark(self, text: bytes) -> bytes:
        return b""

    def finish(self) -> bytes:
        return b""

    def unframe(self, data: bytes) -> Iterable[Shaped | Marker]:
        return (data,)

    def close(self) -> None:
        pass


CODECS: dict[str, Callable[[], tuple[Encoder, Decoder]]] = {
    "A F S": lambda: (Sending(Text(), Plain()), Receiving(Plain(), Text())),
    "A F B": lambda: (Sending(Text(), Blocks()), Receiving(Unblocked(), Text())),
    "A F C": lambda: (Sending(Text(), Compressed()), Receiving(Uncompressed(), Text())),
    "A F Z": lambda: (Sending(Text(), Deflated(Plain())), Receiving(Inflated(Plain()), Text())),
    "A R S": lambda: (Sending(Records(), EscapedRecords()), Receiving(UnescapedRecords(), Records())),
    "A R B": lambda: (Sending(Records(), Blocks()), Receiving(Unblocked(), Records())),
    "A R C": lambda: (Sending(Records(), Compressed()), Receiving(Uncompressed(), Records())),
    "A R Z": lambda: (
        Sending(Records(), Deflated(EscapedRecords())),
        Receiving(Inflated(UnescapedRecords()), Records()),
    ),
}
MARKS = [name for name in CODECS if name[-1] in "BC"]
ENDED = [name for name in CODECS if name != "A F S"]


def send(encoder: Encoder, *pieces: bytes) -> bytes:
    return b"".join([*map(encoder.encode, pieces), encoder.finish()])


def receive(decoder: Decoder, *pieces: bytes) -> list[Piece]:
    return [piece for data in pieces for piece in decoder.decode(data)] + [decoder.close()]


def octets(pieces: list[Piece]) -> bytes:
    return b"".join(piece for piece in pieces if isinstance(piece, bytes))


@pytest.mark.parametrize(
    ("name", "file", "wire"),
    [
        ("A R S", b"a\nb\n", "61 FF01 62 FF03"),
        ("A R S", b"a\nb", "61 FF01 62 FF02"),
        ("A R S", b"\n\n", "FF01 FF03"),
        ("A R S", b"\xff", "FFFF FF02"),
        ("A R S", b"", "FF02"),
        ("A F B", b"abc", "40 0003 616263"),
        ("A F B", b"", "40 0000"),
        ("A R B", b"a\nb\n", "80 0001 61  C0 0001 62"),
        ("A R B", b"a\n\n", "80 0001 61  C0 0000"),
        ("A F C", b"abc", "03 616263 00 40 C0"),
        ("A F C", b"aaaaa", "85 61 00 40 C0"),
        ("A R C", b"a\n", "01 61 00 C0 C0"),
        ("A F C", b"", "00 40 C0"),
    ],
)
def test_the_stages_can_say_what_the_wire_must_hold(name: str, file: bytes, wire: str) -> None:
    encoder, _ = CODECS[name]()

    assert send(encoder, file) == bytes.fromhex(wire)


@pytest.mark.parametrize("name", CODECS)
@given(
    pieces=st.lists(
        st.lists(st.sampled_from([b"\n", b"\r", b"a", b"\xff", b"\0"]), max_size=4).map(b"".join), max_size=4
    )
)
def test_every_file_survives_the_way_there_and_back(name: str, pieces: list[bytes]) -> None:
    wire = send(CODECS[name]()[0], *pieces)
    for data in cuts(wire):
        assert octets(receive(CODECS[name]()[1], *data)) == b"".join(pieces), data


@pytest.mark.parametrize("name", MARKS)
def test_a_marker_stands_at_its_place_among_the_octets(name: str) -> None:
    encoder, _ = CODECS[name]()
    wire = encoder.encode(b"ab\nc\n") + encoder.mark(b"5") + encoder.encode(b"d\n") + encoder.finish()
    for data in cuts(wire):
        pieces = receive(CODECS[name]()[1], *data)
        place = pieces.index(Marker(b"5"))

        assert (octets(pieces[:place]), octets(pieces[place:])) == (b"ab\nc\n", b"d\n"), data


@pytest.mark.parametrize("name", MARKS)
def test_the_end_is_marked_and_what_follows_is_the_next_transfers(name: str) -> None:
    encoder, decoder = CODECS[name]()
    file = list(decoder.decode(send(encoder, b"a\n") + b"next"))

    assert encoder.keeps_connection
    assert (octets(file), decoder.finished, decoder.unused) == (b"a\n", True, b"next")


@pytest.mark.parametrize("name", ENDED)
def test_a_connection_that_ends_too_early_is_told_from_one_that_ends_in_time(name: str) -> None:
    wire = send(CODECS[name]()[0], b"a\nb")
    decoder = CODECS[name]()[1]
    list(decoder.decode(wire[:-1]))

    with pytest.raises(TruncatedError):
        decoder.close()


def test_what_is_held_at_a_marker_is_known() -> None:
    wire = b"\0\0\2a\r" + b"\x10\0\1m" + b"\x40\0\1\n"
    decoder = CODECS["A F B"]()[1]
    held = [decoder.held for piece in decoder.decode(wire) if isinstance(piece, Marker)]

    assert held == [b"\r"]


def test_a_long_output_of_a_short_input_comes_in_pieces() -> None:
    wire = send(CODECS["A F Z"]()[0], b"x" * 10_000_000)
    sizes = [len(piece) for piece in CODECS["A F Z"]()[1].decode(wire) if isinstance(piece, bytes)]

    assert len(wire) < 20_000
    assert sum(sizes) == 10_000_000
    assert max(sizes) <= 1 << 16


def test_a_wrong_control_code_is_an_error() -> None:
    with pytest.raises(ProtocolError, match="no such control code"):
        list(CODECS["A R S"]()[1].decode(b"a\xff\x07"))
