"""Image type, file structure, stream mode: the octets as they are (RFC 959 sections 3.1.1.3 and 3.4.1)."""

from __future__ import annotations


class ImageEncoder:
    """A file's octets, unchanged; the end is the end of the connection."""

    keeps_connection = False

    def encode(self, data: bytes) -> bytes:
        """``data`` itself."""
        return data

    def mark(self, text: bytes) -> bytes:
        """Nothing: stream mode has no restart markers."""
        return b""

    def finish(self) -> bytes:
        """Nothing."""
        return b""


class ImageDecoder:
    """The connection's octets, unchanged; the end is the end of the connection."""

    finished = False
    unused = b""
    suspect = False
    held = b""

    def decode(self, data: bytes) -> tuple[bytes]:
        """``data`` itself."""
        return (data,)

    def close(self) -> bytes:
        """Nothing."""
        return b""
