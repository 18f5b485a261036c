"""The two halves of a representation: octets of the file to octets of the data connection, and back.

A representation is a type, a structure and a mode (RFC 959 section 3). Whatever the three are, a transfer sees one
encoder or one decoder; both keep state between calls and take data cut anywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias


@dataclass(frozen=True, slots=True)
class Marker:
    """A restart marker met in the data (RFC 959 section 3.5): ``text`` is the sender's.

    The receiver makes what stands before it durable and answers ``110 MARK text = its-own``.
    """

    text: bytes


Piece: TypeAlias = "bytes | Marker"


class Encoder(Protocol):
    """Octets of the file to octets of the data connection, for a sender."""

    keeps_connection: bool
    """Whether the end is marked in the data, so that the connection may stay for the next transfer (250)."""

    def encode(self, data: bytes) -> bytes:
        """The octets to send for the next ``data`` of the file; may be empty, may be longer."""

    def mark(self, text: bytes) -> bytes:
        """A restart marker to send here; empty in a mode that has none."""

    def finish(self) -> bytes:
        """What ends the data; nothing may follow."""


class Decoder(Protocol):
    """Octets of the data connection to octets of the file, for a receiver."""

    finished: bool
    """Whether the end was marked in the data; what came after it is in ``unused``."""
    unused: bytes
    held: bytes
    """What came and cannot be decided yet, such as a CR that may begin a CR LF; it is not among the octets given out.

    Who goes on later at the place reached so far hands it to the new decoder.
    """

    def decode(self, data: bytes) -> Sequence[Piece]:
        """Octets of the file and markers, in order. Raises ProtocolError on what the mode does not allow."""

    def close(self) -> bytes:
        """The connection ended: the last octets of the file. Raises TruncatedError where an end mark was due."""
