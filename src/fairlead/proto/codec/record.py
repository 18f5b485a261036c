"""Record structure: a record is a line (RFC 959 sections 3.1.2.2 and 3.4.1, RFC 1123 section 4.1.2.4).

The rule, the same under every type: **each LF of the file is the end of a record** and does not travel itself; the
octets between are those of the type. An unterminated last line is data without an end of record. So every file comes
back from a transfer there and back as it was. Inside a record nothing is converted: a CR LF in one stays, and an octet
that is the local line end makes two records of one from then on.

In stream mode ends are control codes, two octets of which the first is 0xFF: ``FF 01`` ends a record, ``FF 02`` the
file and ``FF 03`` both; ``FF FF`` is the octet 0xFF.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from fairlead.errors import ProtocolError, TruncatedError
from fairlead.proto.codec.base import RECORD, Shaped
from fairlead.proto.codec.ebcdic import FROM_EBCDIC, NEWLINE, TO_EBCDIC

ESCAPE, END_OF_RECORD, END_OF_FILE, END_OF_BOTH = b"\xff", b"\xff\x01", b"\xff\x02", b"\xff\x03"


class Code(NamedTuple):
    """How a type writes characters."""

    to_wire: bytes | None
    """A table for :meth:`bytes.translate`, or None where nothing changes."""
    from_wire: bytes | None
    newline: bytes
    """What the local line end becomes."""


PLAIN: Final = Code(None, None, b"\n")
EBCDIC: Final = Code(TO_EBCDIC, FROM_EBCDIC, NEWLINE)


class Lines:
    """The shape of a sender: a file's lines as records."""

    def __init__(self, code: Code) -> None:
        self._code = code

    def shape(self, data: bytes) -> Iterator[Shaped]:
        """The lines of ``data``, a RECORD for each LF."""
        *records, rest = data.translate(self._code.to_wire).split(self._code.newline)
        for record in records:
            yield record
            yield RECORD
        yield rest

    def finish(self) -> tuple[()]:
        """Nothing is held back."""
        return ()


class Records:
    """The unshape of a receiver: records as lines."""

    held = b""

    def __init__(self, code: Code) -> None:
        self._code = code

    def unshape(self, shaped: Shaped) -> bytes:
        """The octets of a record, or the LF at its end."""
        return b"\n" if shaped is RECORD else shaped.translate(self._code.from_wire)

    def close(self) -> bytes:
        """Nothing is held back."""
        return b""


class RecordEncoder:
    """Records in stream mode; the end of the last one is held back to go out with that of the file."""

    keeps_connection = False

    def __init__(self, code: Code) -> None:
        self._code = code
        self._ended = False

    def encode(self, data: bytes) -> bytes:
        """``data`` with a control code for each LF but the last octet's."""
        if not data:
            return b""
        before = END_OF_RECORD if self._ended else b""
        self._ended = data.endswith(b"\n")
        if self._ended:
            data = data[:-1]
        data = data.translate(self._code.to_wire).replace(ESCAPE, ESCAPE * 2)
        return before + data.replace(self._code.newline, END_OF_RECORD)

    def mark(self, text: bytes) -> bytes:
        """Nothing: stream mode has no restart markers."""
        return b""

    def finish(self) -> bytes:
        """The end of the file, with that of its last record."""
        return END_OF_BOTH if self._ended else END_OF_FILE


class RecordDecoder:
    """Records in stream mode to lines."""

    unused = b""
    suspect = False
    held = b""

    _END = re.compile(rb"(?<!\xff)(?:\xff\xff)*\xff([^\x01\xff])", re.DOTALL)
    """The first control code that is neither the end of a record nor 0xFF itself."""
    _CODE = re.compile(rb"\xff([\x01\xff])")

    def __init__(self, code: Code) -> None:
        self.finished = False
        self._code = code
        self._octets = {b"\x01": code.newline, b"\xff": b"\xff"}
        self._escape = b""

    def decode(self, data: bytes) -> tuple[bytes]:
        """The lines in ``data``. Raises ProtocolError on a code that is none, and on octets after the end."""
        if self.finished and data:
            raise _beyond_the_end()
        if self._escape:
            data = self._escape + data
        # The octets before a run of FF end a control code at most, so the last of an odd number begins one.
        self._escape = ESCAPE if (len(data) - len(data.rstrip(ESCAPE))) % 2 else b""
        if self._escape:
            data = data[:-1]
        if data.count(ESCAPE) == data.count(END_OF_RECORD):
            return (data.replace(END_OF_RECORD, self._code.newline).translate(self._code.from_wire),)
        last = b""
        end = self._END.search(data)
        if end is not None:
            last = self._end(end[1], data[end.end() :] + self._escape)
            data = data[: end.end() - 2]
        octets = self._octets
        data = self._CODE.sub(lambda found: octets[found[1]], data)
        return (data.translate(self._code.from_wire) + last,)

    def _end(self, code: bytes, rest: bytes) -> bytes:
        if code not in {b"\x02", b"\x03"}:
            message = f"FF {code.hex().upper()} is no control code of record structure"
            raise ProtocolError(message)
        if rest:
            raise _beyond_the_end()
        self.finished = True
        return b"\n" if code == b"\x03" else b""

    def close(self) -> bytes:
        """Nothing is held back. Raises TruncatedError where the end of the file did not come."""
        if not self.finished:
            raise TruncatedError("The data connection was closed before the end of file of record structure")
        return b""


def _beyond_the_end() -> ProtocolError:
    return ProtocolError("There are octets after the end of the file")
