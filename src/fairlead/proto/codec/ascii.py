"""ASCII type, file structure, stream mode: lines end with CR LF on the wire (RFC 959 sections 3.1.1.1 and 3.4.1).

The rule, the same at both ends: **each LF of the file travels as CR LF, and each CR LF becomes one LF**. Nothing else
changes: a lone CR stays, also as the last octet, and no line end is added where the last line has none. So

* every file, also one that holds CR LF already (it travels as CR CR LF), comes back from a transfer there and back as
  the very same octets;
* whatever follows the rules on the wire comes back on the wire unchanged. A lone LF, which NVT-ASCII does not know, is
  taken for the line end it was meant as, and travels as CR LF from then on.
"""

from __future__ import annotations


class AsciiEncoder:
    """LF to CR LF."""

    keeps_connection = False

    def encode(self, data: bytes) -> bytes:
        """``data`` with a CR in front of each LF."""
        return data.replace(b"\n", b"\r\n")

    def mark(self, text: bytes) -> bytes:
        """Nothing: stream mode has no restart markers."""
        return b""

    def finish(self) -> bytes:
        """Nothing: the end is the end of the connection."""
        return b""


class AsciiDecoder:
    """CR LF to LF, wherever the data are cut; a CR at the end of a piece waits in ``held`` for what follows it."""

    finished = False
    unused = b""
    suspect = False

    def __init__(self, held: bytes = b"") -> None:
        self.held = held

    def decode(self, data: bytes) -> tuple[bytes]:
        """``data`` with each CR LF made one LF."""
        if self.held:
            data = self.held + data
            self.held = b""
        if data[-1:] == b"\r":
            self.held = b"\r"
            data = data[:-1]
        # Single octets are found and dropped several times quicker than pairs, and mostly every CR is part of a pair.
        lines = data.replace(b"\r", b"")
        if lines.replace(b"\n", b"\r\n") != data:
            lines = data.replace(b"\r\n", b"\n")
        return (lines,)

    def close(self) -> bytes:
        """The CR that ended the data, where one did."""
        held, self.held = self.held, b""
        return held
