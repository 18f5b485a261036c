"""Replies of the control connection: to octets for a server, from octets for a client (RFC 959 section 4.2)."""

from __future__ import annotations

import re

from fairlead.errors import LimitError, ProtocolError
from fairlead.proto.telnet import LineReader, LineTooLong

# Neither a tab nor a CR (sent as CR NUL) can do harm in a line; any other control character becomes "?".
_UNSENDABLE = {code: "?" for code in (*range(0x20), 0x7F) if code not in (0x09, 0x0D)}
_CODES = frozenset(map(str, range(100, 700)))
_USUAL = re.compile(rb"([1-6][0-9][0-9])(?:-((?:[ -~]*\r\n(?!\1[ \r]))*[ -~]*)\r\n\1)? ([ -~]*)\r\n")
"""One reply, in one line or several, as most of them come."""
_SEPARATORS = frozenset((" ", "-", ""))


class Reply:
    """A reply: three digits and one or more lines of text. Not to be changed once made."""

    __slots__ = ("code", "lines", "octets")

    code: int
    lines: tuple[str, ...]
    octets: bytes
    """What :meth:`encode` gives, once it was asked; empty before."""

    def __init__(self, code: int, *lines: str) -> None:
        self.code = code
        self.lines = lines
        self.octets = b""

    def __repr__(self) -> str:
        return f"Reply({', '.join(map(repr, (self.code, *self.lines)))})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Reply):
            return NotImplemented
        return self.code == other.code and self.lines == other.lines

    def __hash__(self) -> int:
        return hash((self.code, self.lines))

    @property
    def text(self) -> str:
        """The lines, joined by a newline."""
        return "\n".join(self.lines)

    @property
    def kind(self) -> int:
        """The first digit, which alone decides what to do next (RFC 1123 section 4.1.2.11)."""
        return self.code // 100

    @property
    def preliminary(self) -> bool:
        """1yz: another reply to the same command follows."""
        return self.code // 100 == 1

    @property
    def completed(self) -> bool:
        """2yz: done."""
        return self.code // 100 == 2

    @property
    def intermediate(self) -> bool:
        """3yz: another command is needed to go on."""
        return self.code // 100 == 3

    @property
    def transient(self) -> bool:
        """4yz: refused, the same command may succeed later."""
        return self.code // 100 == 4

    @property
    def permanent(self) -> bool:
        """5yz: refused, the same command will not succeed unchanged."""
        return self.code // 100 == 5

    def encode(self) -> bytes:
        """The reply as a server sends it, with its line ends.

        Nothing in the text can end a line or begin another reply: an inner line that begins with three digits gets a
        space in front, CR becomes CR NUL, 255 is doubled, other control characters become ``?``. A reply that is sent
        again and again is encoded once.
        """
        octets = self.octets
        if not octets:
            lines = self.lines
            if len(lines) == 1 and (text := lines[0]).isascii() and text.isprintable():
                octets = f"{self.code} {text}\r\n".encode("ascii")
            else:
                octets = self._encode()
            self.octets = octets
        return octets

    def _encode(self) -> bytes:
        if len(self.lines) <= 1:
            return b"%d %b\r\n" % (self.code, _encode_text("".join(self.lines)))
        first, *inner, last = self.lines
        sent = [b"%d-%b" % (self.code, _encode_text(first))]
        sent += [_encode_text(f" {line}" if _begins_with_code(line) else line) for line in inner]
        sent.append(b"%d %b\r\n" % (self.code, _encode_text(last)))
        return b"\r\n".join(sent)


class ReplyParser:
    """Octets of a control connection, cut anywhere, to replies; for a client.

    A multi-line reply ends at the line that begins with its own code and a space, or is the bare code; all other
    lines are text. Inner lines that repeat ``NNN-`` lose it. Telnet commands are taken out. ``limit`` bounds the
    octets of one reply.
    """

    def __init__(self, limit: int = 1 << 20) -> None:
        self._limit = limit
        self._reader = LineReader(limit)
        self._code = ""
        self._lines: list[str] = []
        self._size = 0
        self._error: ProtocolError | None = None
        self._between = True
        """Whether a reply is to begin with the next octet."""

    def feed(self, data: bytes) -> list[Reply]:
        """The replies that ``data`` completes, in order.

        Raises ProtocolError on a line that is no reply, and LimitError on a reply beyond the limit; replies that came
        before it are returned first and the next call raises. After an error there is no way to find the next reply.
        """
        replies: list[Reply] = []
        if self._between and len(data) <= self._limit:
            position = 0
            while (usual := _USUAL.match(data, position)) is not None:
                code, inner, last = usual.groups()
                if inner is None:
                    replies.append(Reply(int(code), last.decode("ascii")))
                else:
                    replies.append(_several(code, inner, last))
                position = usual.end()
            if position == len(data):
                return replies
            data = data[position:]
        if self._error is None:
            try:
                for line in self._reader.feed(data):
                    self._take(line, replies)
                if self._reader.too_long:
                    raise self._beyond()
            except ProtocolError as error:
                self._error = error
        self._between = not self._code and self._error is None and self._reader.idle
        if self._error is not None and not replies:
            raise self._error
        return replies

    def take_answers(self) -> bytes:
        """Telnet refusals (WONT, DONT) to send back; mostly empty."""
        return self._reader.take_answers()

    def _take(self, octets: bytes | LineTooLong, replies: list[Reply]) -> None:
        self._size += octets.length if isinstance(octets, LineTooLong) else len(octets) + 2
        if isinstance(octets, LineTooLong) or self._size > self._limit:
            raise self._beyond()
        line = octets.decode("utf-8", "surrogateescape")
        if not self._code:
            self._begin(line, replies)
        elif line == self._code or line.startswith(self._code + " "):
            self._end(line[4:], replies)
        else:
            self._lines.append(line.removeprefix(self._code + "-"))

    def _beyond(self) -> LimitError:
        return LimitError(f"the server's reply is longer than {self._limit} octets; check that it is one of FTP")

    def _begin(self, line: str, replies: list[Reply]) -> None:
        if not line:  # some servers send a blank line between two replies
            self._size = 0
            return
        code, separator = line[:3], line[3:4]
        if code not in _CODES or separator not in _SEPARATORS:
            raise ProtocolError(f"the server sent {line[:80]!r}, which is no FTP reply")
        self._code = code
        if separator == "-":
            self._lines.append(line[4:])
        else:
            self._end(line[4:], replies)

    def _end(self, last: str, replies: list[Reply]) -> None:
        replies.append(Reply(int(self._code), *self._lines, last))
        self._code = ""
        self._lines.clear()
        self._size = 0


def _several(code: bytes, inner: bytes, last: bytes) -> Reply:
    """The usual reply of several lines; ``inner`` are those before the last."""
    again = code.decode("ascii") + "-"
    first, *others = inner.decode("ascii").split("\r\n")
    return Reply(int(code), first, *[line.removeprefix(again) for line in others], last.decode("ascii"))


def _begins_with_code(line: str) -> bool:
    start = line[:3]
    return len(start) == len("NNN") and start.isascii() and start.isdigit()


def _encode_text(text: str) -> bytes:
    if text.isascii() and text.isprintable():
        return text.encode("ascii")
    octets = text.translate(_UNSENDABLE).encode("utf-8", "surrogateescape")
    return octets.replace(b"\r", b"\r\0").replace(b"\xff", b"\xff\xff")
