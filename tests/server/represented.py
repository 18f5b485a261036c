"""Sessions in representations other than their own: setting one, and receiving data that mark their end."""

from __future__ import annotations

import socket

from fairlead.proto.codec import Representation, decoder_for
from fairlead.proto.codec.base import Piece
from tests.server.session import Control, Data, Running

ASCII, EBCDIC, IMAGE = Representation("A"), Representation("E"), Representation("I")


def commands(representation: Representation) -> list[str]:
    """What sets ``representation``; the structure last, since not every one goes with every size."""
    kind, form, structure, mode, size = representation
    parameter = {"I": "", "L": f" {size}"}.get(kind, f" {form}")
    return ["STRU F", f"TYPE {kind}{parameter}", f"MODE {mode}", f"STRU {structure}"]


def choose(control: Control, representation: Representation) -> None:
    """Set ``representation``."""
    assert control.codes(*commands(representation)) == [200] * 4


def state(control: Control) -> str:
    """The representation as STAT shows it."""
    return next(line.strip() for line in control.ask("STAT").lines if "TYPE:" in line)


def name(representation: Representation) -> str:
    """A name of ``representation`` for a test's parameter."""
    kind, form, structure, mode, size = representation
    return f"{kind}{size if kind == 'L' else form if kind != 'I' else ''} {structure} {mode}"


def receive_marked(data: Data | socket.socket, representation: Representation) -> tuple[bytes, list[Piece]]:
    """The octets up to the end that is marked in them, and what they stand for; the connection stays."""
    decoder = decoder_for(representation)
    received = b""
    pieces: list[Piece] = []
    while not decoder.finished:
        octets = data.recv(1 << 16)
        assert octets, "the connection ended before the data"
        received += octets
        pieces += decoder.decode(octets)
    assert decoder.unused == b""
    return received, [*pieces, decoder.close()]


def has_moved(running: Running, octets: int) -> bool:
    """Whether a transfer has received or sent so many octets."""

    def moved() -> bool:
        return any(s.transfer is not None and s.transfer.moved == octets for s in running.server.sessions())

    return bool(running.call(moved))
