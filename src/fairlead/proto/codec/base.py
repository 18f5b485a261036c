"""The two halves of a representation: octets of the file to octets of the data connection, and back.

A representation is a type, a structure and a mode (RFC 959 section 3). Whatever the three are, a transfer sees one
:class:`Encoder` or one :class:`Decoder`; both keep state between calls and take data cut anywhere.

Inside, a codec is a chain of two stages. Type and structure know lines and records, the mode knows how what they give
is framed on the connection; only the mode differs in how it marks the end of a record::

    sender    file octets ──> Shape ── octets, RECORD ──────────> Framing ──> connection
    receiver  connection ──> Unframing ── octets, RECORD, Marker ──> Unshape ──> file octets

* The end of a record passes between the stages as :data:`RECORD`: under structure R the shape gives it in place of the
  local newline; stream mode makes it ``FF 01``, block and compressed mode the bit 128 of a descriptor. It is told apart
  from the end of the file: a framing may hold a RECORD back until it knows whether the file ends there, so that one
  ``FF 03`` or one block carries both.
* The end of the file is ``finish`` for a sender. A receiver sees ``finished`` where the framing marks it, and else the
  end of the connection, for which ``close`` decides whether it may come.
* A restart marker goes from the sender's framing to the receiver's; the shapes do not see it. A sender puts it where
  its shape holds nothing back, which is between any two calls of ``encode`` unless logical bytes are not octets. A
  receiver finds in ``held`` what its shape holds back at that place: the position in the file and ``held`` together
  are what its own marker must say.
* Compression (mode Z) is a framing like the others. A decoder gives its pieces out one by one, so that a short input
  that expands to a long output is never in memory as a whole.

In stream mode with file structure the framing is nothing at all: image and ASCII type are whole codecs there.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import Final, Literal, NamedTuple, Protocol, TypeAlias


class Marker(NamedTuple):
    """A restart marker met in the data (RFC 959 section 3.5): ``text`` is the sender's.

    The receiver makes what stands before it durable and answers ``110 MARK text = its-own``.
    """

    text: bytes


class Boundary(Enum):
    """What passes between the stages of a codec and is no octet."""

    RECORD = "end of record"


RECORD: Final = Boundary.RECORD
"""The end of a record (RFC 959 section 3.1.2.2)."""

Piece: TypeAlias = bytes | Marker
Shaped: TypeAlias = bytes | Literal[Boundary.RECORD]


class Encoder(Protocol):
    """Octets of the file to octets of the data connection, for a sender."""

    @property
    def keeps_connection(self) -> bool:
        """Whether the end is marked in the data, so that the connection may stay for the next transfer (250)."""

    def encode(self, data: bytes) -> bytes:
        """The octets to send for the next ``data`` of the file; may be empty, may be longer."""

    def mark(self, text: bytes) -> bytes:
        """A restart marker to send here; empty in a mode that has none."""

    def finish(self) -> bytes:
        """What ends the data; nothing may follow."""


class Decoder(Protocol):
    """Octets of the data connection to octets of the file, for a receiver."""

    @property
    def finished(self) -> bool:
        """Whether the end was marked in the data."""

    @property
    def unused(self) -> bytes:
        """What came after that end: the beginning of the next transfer."""

    @property
    def suspect(self) -> bool:
        """Whether the sender called some of the data suspect (RFC 959 section 3.4.2); which were given out too."""

    @property
    def held(self) -> bytes:
        """What came and cannot be decided yet, such as a CR that may begin a CR LF; it was not given out.

        Who goes on later at the place reached so far hands it to the new decoder.
        """

    def decode(self, data: bytes) -> Iterable[Piece]:
        """Octets of the file and markers, in order; to be used up before the next call.

        ``held`` belongs to the place after the piece taken last. Raises ProtocolError on what the mode does not allow.
        """

    def close(self) -> bytes:
        """The data or their connection ended: the last octets of the file.

        Raises TruncatedError where an end mark was due and did not come.
        """


class StreamDecoder(Decoder, Protocol):
    """A decoder of stream mode: markers do not come."""

    def decode(self, data: bytes) -> Iterable[bytes]:
        """As :meth:`Decoder.decode`."""


class Shape(Protocol):
    """Type and structure of a sender."""

    def shape(self, data: bytes) -> Iterable[Shaped]:
        """The next ``data`` of the file as octets of the type, with RECORD after each record."""

    def finish(self) -> Iterable[Shaped]:
        """What was held back, such as the padding of the last logical byte."""


class Framing(Protocol):
    """The mode of a sender."""

    @property
    def keeps_connection(self) -> bool:
        """See :attr:`Encoder.keeps_connection`."""

    def frame(self, shaped: Iterable[Shaped]) -> bytes:
        """The octets to send for what the shape gave."""

    def mark(self, text: bytes) -> bytes:
        """See :meth:`Encoder.mark`; a RECORD that was held back goes out before it."""

    def finish(self) -> bytes:
        """The end of the file, and the RECORD that was held back."""


class Unframing(Protocol):
    """The mode of a receiver."""

    @property
    def finished(self) -> bool:
        """See :attr:`Decoder.finished`."""

    @property
    def unused(self) -> bytes:
        """See :attr:`Decoder.unused`."""

    @property
    def suspect(self) -> bool:
        """See :attr:`Decoder.suspect`."""

    def unframe(self, data: bytes) -> Iterable[Shaped | Marker]:
        """What the sender framed, as far as it came."""

    def close(self) -> Iterable[Shaped]:
        """The data or their connection ended: what that decides. Raises TruncatedError where an end mark was due."""


class Unshape(Protocol):
    """Type and structure of a receiver."""

    @property
    def held(self) -> bytes:
        """See :attr:`Decoder.held`."""

    def unshape(self, shaped: Shaped) -> bytes:
        """The octets of the file that ``shaped`` stands for."""

    def close(self) -> bytes:
        """What was held back."""
