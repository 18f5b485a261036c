"""Lines of a control connection: the Telnet layer below FTP's commands and replies (RFC 959 section 4.1, RFC 854).

The control connection speaks Telnet in name. What reaches FTP from it is lines of octets; this module takes out the
Telnet commands, refuses every option (RFC 1123 section 4.1.2.12), undoes the doubling of octet 255 and the NUL after
a CR that is data (RFC 2640 section 3.1), and bounds what one line may hold.
"""

from __future__ import annotations

import re
from enum import Enum, auto

from fairlead.record import Record

SB = 0xFA
SE = 0xF0
WILL = 0xFB
WONT = 0xFC
DO = 0xFD
DONT = 0xFE
IAC = 0xFF

_CR = 0x0D
_LF = 0x0A
_NUL = 0x00
_FIRST_COMMAND = SE
_REFUSAL = {WILL: DONT, DO: WONT}

_RUNS = rb"[^\x00\r\n\xff]+|[\x00\r\n\xff]"


class LineTooLong(Record):
    """A line that broke the limit; all of it was discarded. ``length`` counts its octets without the line end."""

    length: int


class _Telnet(Enum):
    """Where in a Telnet command the reader stands."""

    DATA = auto()
    COMMAND = auto()
    OPTION = auto()
    SUBNEGOTIATION = auto()
    SUBNEGOTIATION_IAC = auto()


class _After(Enum):
    """What the last octet of data was, as far as the meaning of the next depends on it."""

    OTHER = auto()
    CR = auto()
    CR_NUL = auto()


class LineReader:
    """Octets of a control connection, cut anywhere, to whole lines without their ends.

    CR LF or a bare LF ends a line. CR NUL is a CR that belongs to the line, and an LF right after it does too. Any
    other CR and any other NUL stay as they are. Memory is bounded by ``limit`` whatever the peer sends.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._line = bytearray()
        self._length = 0
        self._telnet = _Telnet.DATA
        self._option_verb = 0
        self._after = _After.OTHER
        self._answers = bytearray()

    @property
    def idle(self) -> bool:
        """Whether the reader stands at the start of a line with nothing pending."""
        return not self._length and self._telnet is _Telnet.DATA and self._after is _After.OTHER

    @property
    def too_long(self) -> bool:
        """Whether the line that has begun is over the limit already, wherever it ends."""
        return self._length > self._limit + 1

    def take_answers(self) -> bytes:
        """The Telnet refusals due since the last call, to be sent as they are."""
        if not self._answers:
            return b""
        answers = bytes(self._answers)
        self._answers.clear()
        return answers

    def feed(self, data: bytes) -> list[bytes | LineTooLong]:
        """The lines that ``data`` completes, in order."""
        if self.idle and data[-1:] == b"\n" and len(data) <= self._limit and IAC not in data and _NUL not in data:
            whole = data.replace(b"\r\n", b"\n").split(b"\n")
            whole.pop()
            return list(whole)
        lines: list[bytes | LineTooLong] = []
        for run in re.findall(_RUNS, data):
            while run:
                run = self._take(run, lines)  # noqa: PLW2901 - a run is used up piece by piece
        return lines

    def _take(self, run: bytes, lines: list[bytes | LineTooLong]) -> bytes:
        """Use up the beginning of ``run`` (one special octet, or many plain ones); returns the rest."""
        if self._telnet is _Telnet.DATA:
            if run[0] == IAC:
                self._telnet = _Telnet.COMMAND
            else:
                self._data(run, lines)
            return b""
        return self._command(run, lines)

    def _command(self, run: bytes, lines: list[bytes | LineTooLong]) -> bytes:
        first = run[0]
        if self._telnet is _Telnet.SUBNEGOTIATION:
            if first == IAC:
                self._telnet = _Telnet.SUBNEGOTIATION_IAC
            return b""
        if self._telnet is _Telnet.SUBNEGOTIATION_IAC:
            self._telnet = _Telnet.DATA if first == SE else _Telnet.SUBNEGOTIATION
            return run[1:]
        if self._telnet is _Telnet.OPTION:
            self._telnet = _Telnet.DATA
            if self._option_verb in _REFUSAL:
                self._answers += bytes((IAC, _REFUSAL[self._option_verb], first))
            return run[1:]
        if first == SB:
            self._telnet = _Telnet.SUBNEGOTIATION
        elif WILL <= first <= DONT:
            self._telnet = _Telnet.OPTION
            self._option_verb = first
        else:
            self._telnet = _Telnet.DATA
            if first == IAC:
                self._append(b"\xff")
            elif first < _FIRST_COMMAND:
                # Inside a line a peer forgot to double its 255; at the start it is what urgent data left of a Synch.
                if self._length:
                    self._append(b"\xff")
                return run
        return run[1:]

    def _data(self, run: bytes, lines: list[bytes | LineTooLong]) -> None:
        first = run[0]
        if first == _LF and self._after is not _After.CR_NUL:
            self._end_line(lines)
        elif first == _NUL and self._after is _After.CR:
            self._after = _After.CR_NUL
        else:
            self._append(run)
            if first == _CR:
                self._after = _After.CR

    def _append(self, octets: bytes) -> None:
        self._after = _After.OTHER
        self._length += len(octets)
        if self._length <= self._limit + 1:  # one more than the limit, for the CR of the line end
            self._line += octets
        else:
            self._line.clear()

    def _end_line(self, lines: list[bytes | LineTooLong]) -> None:
        length = self._length - (self._after is _After.CR)
        if length > self._limit:
            lines.append(LineTooLong(length))
        else:
            lines.append(bytes(self._line[:length]))
        self._line.clear()
        self._length = 0
        self._after = _After.OTHER
