"""TLS as an onlooker sees it: records, whether the handshake came to its end, alerts that go in clear (RFC 8446)."""

from __future__ import annotations

from fairlead.capture.streams import Lost, Piece

_ALERT, _HANDSHAKE, _APPLICATION_DATA = 21, 22, 23
_TYPES = frozenset({20, _ALERT, _HANDSHAKE, _APPLICATION_DATA})
_HEADER = 5
_FATAL = 2
_ALERTS = {
    10: "unexpected message",
    20: "bad record MAC",
    40: "handshake failure",
    42: "bad certificate",
    43: "unsupported certificate",
    44: "certificate revoked",
    45: "certificate expired",
    46: "certificate unknown",
    47: "illegal parameter",
    48: "unknown authority",
    49: "access denied",
    50: "decode error",
    51: "decrypt error",
    70: "protocol version",
    71: "insufficient security",
    80: "internal error",
    86: "inappropriate fallback",
    90: "user canceled",
    109: "missing extension",
    112: "unrecognized name",
    116: "certificate required",
    120: "no application protocol",
}
"""The alerts that end a handshake (RFC 8446 section 6.2)."""


def looks_like_tls(octets: bytes) -> bool:
    """Whether ``octets`` begin with a handshake."""
    return len(octets) >= 3 and octets[0] == _HANDSHAKE and octets[1] == 3


class Records:
    """The records of one direction.

    ``began`` says whether the handshake began, ``protected`` whether application data came, ``alert`` what a fatal
    alert in clear says, ``clear`` holds what came after the end of TLS (CCC, RFC 4217 section 6).
    """

    __slots__ = ("_head", "_rest", "_skip", "_type", "alert", "began", "clear", "lost", "protected")

    def __init__(self) -> None:
        self._head = b""
        self._type = 0
        self._skip = 0
        self._rest = b""
        self.began = False
        self.protected = False
        self.alert = ""
        self.clear = b""
        self.lost = False

    def feed(self, piece: Piece) -> None:
        """Read on; after a gap that no record spans nothing more can be told."""
        if isinstance(piece, Lost):
            self.lost = self.lost or piece.octets > self._skip
            self._skip = max(self._skip - piece.octets, 0)
            return
        while piece and not self.lost and not self.clear:
            if self._skip:
                taken, piece = piece[: self._skip], piece[self._skip :]
                self._skip -= len(taken)
                self._inside(taken)
                continue
            missing = _HEADER - len(self._head)
            self._head, piece = self._head + piece[:missing], piece[missing:]
            if self._head[0] not in _TYPES or self._head[1:2] not in {b"", b"\x03"}:
                self.clear = self._head + piece
            elif len(self._head) == _HEADER:
                self._type, self._skip = self._head[0], int.from_bytes(self._head[3:5])
                self.began = self.began or self._type == _HANDSHAKE
                self.protected = self.protected or self._type == _APPLICATION_DATA
                self._head = self._rest = b""

    def _inside(self, octets: bytes) -> None:
        """Keep the two octets of an alert that is not encrypted: encrypted ones are longer."""
        if self._type != _ALERT or self.protected or self.alert:
            return
        self._rest += octets
        if len(self._rest) == 2 and not self._skip and self._rest[0] == _FATAL:
            self.alert = _ALERTS.get(self._rest[1], f"alert {self._rest[1]}")
