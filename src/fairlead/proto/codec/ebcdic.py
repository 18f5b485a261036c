"""EBCDIC type: a code page that maps every octet to another, back and forth (RFC 959 section 3.1.1.2).

No document names the code page; here it is CP037 on the one side and ISO 8859-1 on the other, of which each has 256
characters, the same ones. So every file, whatever its own character set, comes back as it was. One pair is exchanged:
the local line end is NL (0x15), which RFC 959 asks for, and so LF (0x25) is what CP037 has for NEL.
"""

from __future__ import annotations

NEWLINE = b"\x15"
"""NL, the end of a line in EBCDIC."""

_CP037 = bytes(range(256)).decode("latin-1").encode("cp037")
TO_EBCDIC = _CP037.translate(bytes.maketrans(b"\x15\x25", b"\x25\x15"))
"""For each octet of a file the one on the wire."""
FROM_EBCDIC = bytes(TO_EBCDIC.index(octet) for octet in range(256))
"""For each octet on the wire the one of the file."""


class EbcdicEncoder:
    """The file's octets in EBCDIC, each line end one NL; the end is the end of the connection."""

    keeps_connection = False

    def encode(self, data: bytes) -> bytes:
        """As many octets as ``data`` has."""
        return data.translate(TO_EBCDIC)

    def mark(self, text: bytes) -> bytes:
        """Nothing: stream mode has no restart markers."""
        return b""

    def finish(self) -> bytes:
        """Nothing."""
        return b""


class EbcdicDecoder:
    """EBCDIC to the file's octets; the end is the end of the connection."""

    finished = False
    unused = b""
    suspect = False
    held = b""

    def decode(self, data: bytes) -> tuple[bytes]:
        """As many octets as ``data`` has."""
        return (data.translate(FROM_EBCDIC),)

    def close(self) -> bytes:
        """Nothing."""
        return b""
