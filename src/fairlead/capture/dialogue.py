"""The dialogue of a control connection, read along: commands, replies, and where TLS hides them (RFC 959, RFC 4217)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

from fairlead.capture.records import Records, looks_like_tls
from fairlead.capture.streams import Lost, Piece, Reassembly
from fairlead.errors import ProtocolError
from fairlead.proto.command import Command, CommandEvent, CommandParser
from fairlead.proto.reply import Reply, ReplyParser

LONGEST_LINE = 8192
GREETING = re.compile(rb"(?:120|220|421)[ -]")
_OPENING = frozenset("USER AUTH FEAT HOST SYST ACCT OPTS CLNT LANG HELP".split())
_STRONG = re.compile(
    rb"(?:PASV|EPSV(?: ALL| [12])?|PORT (?:\d{1,3},){5}\d{1,3}|EPRT \S+|LIST|NLST|MLSD|(?:RETR|STOR) \S[^\r\n]*)\r\n"
)
"""What nobody says but a client of FTP, where the capture began in the middle of a session."""
_VERB = re.compile(r"[A-Z][A-Z@]{2,7}")
_AUTH_VERBS = frozenset({"AUTH"})


@dataclass(frozen=True, slots=True)
class Sent:
    """A command. ``argument`` may be secret: nothing of it may be shown but through :func:`ladder.words.masked`."""

    at: float
    verb: str
    argument: str


@dataclass(frozen=True, slots=True)
class Answered:
    """A reply."""

    at: float
    reply: Reply


@dataclass(frozen=True, slots=True)
class Missing:
    """``octets`` of one end are not in the capture."""

    at: float
    by_client: bool
    octets: int


@dataclass(frozen=True, slots=True)
class Hidden:
    """From here on TLS hides the dialogue."""

    at: float
    implicit: bool


@dataclass(frozen=True, slots=True)
class Uncovered:
    """TLS ended, the dialogue goes on in clear (CCC)."""

    at: float


@dataclass(frozen=True, slots=True)
class Stranger:
    """What the server sent is no reply of FTP."""

    at: float
    text: str


Event: TypeAlias = Sent | Answered | Missing | Hidden | Uncovered | Stranger


def is_greeting(octets: bytes) -> bool:
    """Whether a server's first octets may be a greeting of FTP (SMTP begins likewise)."""
    return GREETING.match(octets) is not None


def is_opening(octets: bytes) -> bool:
    """Whether a client's first octets after a greeting are a command of FTP."""
    verb = octets.split(b"\r\n")[0].split(b" ")[0].upper()
    return verb.decode("latin-1") in _OPENING


def is_unmistakable(octets: bytes) -> bool:
    """Whether ``octets`` in the middle of a connection can be nothing but commands of FTP."""
    return _STRONG.match(octets) is not None


class Dialogue:
    """Feed it both directions; events come back as soon as they are whole.

    ``whole`` says whether the capture has the beginning: else the first line of the client may be the rest of one,
    even of a password, and is left out unless it begins with a verb and holds nothing else that could be one.
    """

    def __init__(self, *, whole: bool, implicit_tls: bool = False) -> None:
        self._streams = (Reassembly(), Reassembly())
        self._commands = CommandParser(LONGEST_LINE)
        self._replies = ReplyParser()
        self._skipping = [False, False]
        self._records: tuple[Records, Records] | None = None
        self._implicit = implicit_tls
        self._asked_for_tls = False
        self._verify_first = not whole
        self._greeted = not whole
        self.stranger = False

    @property
    def hidden(self) -> bool:
        """Whether TLS hides what is said now."""
        return self._records is not None

    @property
    def records(self) -> tuple[Records, Records] | None:
        """The TLS records of client and server, while TLS hides what is said."""
        return self._records

    def begin(self, by_client: bool, seq: int) -> None:
        """The first octet of that end will have the sequence number ``seq``."""
        self._streams[not by_client].begin(seq)

    def feed(self, at: float, by_client: bool, seq: int, ack: int, payload: bytes, size: int) -> list[Event]:
        """The events that a segment completes."""
        events = self._deliver(at, not by_client, self._streams[by_client].acknowledged(ack))
        return events + self._deliver(at, by_client, self._streams[not by_client].feed(seq, payload, size))

    def finish(self, at: float) -> list[Event]:
        """What is still held back, at the end of the connection."""
        return [
            event
            for by_client in (True, False)
            for event in self._deliver(at, by_client, self._streams[not by_client].finish())
        ]

    def _deliver(self, at: float, by_client: bool, pieces: list[Piece]) -> list[Event]:
        events: list[Event] = []
        for piece in pieces:
            events += self._piece(at, by_client, piece)
        return events

    def _piece(self, at: float, by_client: bool, piece: Piece) -> list[Event]:
        if self._records is not None:
            return self._under_tls(at, by_client, piece, self._records)
        if isinstance(piece, Lost):
            return [*self._gap(at, by_client), Missing(at, by_client, piece.octets)]
        if self._implicit and looks_like_tls(piece):
            self._implicit = False
            self._records = Records(), Records()
            return [Hidden(at, implicit=True), *self._piece(at, by_client, piece)]
        if self._asked_for_tls and by_client and looks_like_tls(piece):
            return [*self._hide(at), *self._piece(at, by_client, piece)]
        if self._skipping[by_client]:
            _, end, piece = piece.partition(b"\n")
            self._skipping[by_client] = not end
        if not piece:
            return []
        return self._from_client(at, piece) if by_client else self._from_server(at, piece)

    def _under_tls(self, at: float, by_client: bool, piece: Piece, records: tuple[Records, Records]) -> list[Event]:
        mine = records[not by_client]
        mine.feed(piece)
        if not mine.clear:
            return []
        self._records = None
        self._asked_for_tls = False
        return [Uncovered(at), *self._piece(at, by_client, mine.clear)]

    def _hide(self, at: float) -> list[Event]:
        self._records = Records(), Records()
        self._asked_for_tls = False
        return [Hidden(at, implicit=False)]

    def _gap(self, at: float, by_client: bool) -> list[Event]:
        """Nothing before the next line end can be told from the rest of a line; what came before it is a cut line."""
        skipping, self._skipping[by_client] = self._skipping[by_client], True
        if by_client:
            commands, self._commands = self._commands, CommandParser(LONGEST_LINE)
            return [] if skipping else [*_sent(at, commands.feed(b"\xe2\x80\xa6\r\n"))][-1:]
        self._replies = ReplyParser()
        return []

    def _from_client(self, at: float, octets: bytes) -> list[Event]:
        if self._verify_first:
            self._verify_first = False
            if not is_unmistakable(octets):
                _, _, octets = octets.partition(b"\n")
        events = list(_sent(at, self._commands.feed(octets)))
        self._asked_for_tls = self._asked_for_tls or any(
            isinstance(event, Sent) and event.verb in _AUTH_VERBS for event in events
        )
        return events

    def _from_server(self, at: float, octets: bytes) -> list[Event]:
        try:
            replies = self._replies.feed(octets)
        except ProtocolError:
            self._replies = ReplyParser()
            if self._greeted:
                return []
            self._greeted = self.stranger = True
            return [Stranger(at, octets[:80].decode("latin-1"))]
        events: list[Event] = []
        for reply in replies:
            self._greeted = True
            events.append(Answered(at, reply))
            if self._asked_for_tls and reply.code == 234:
                return [*events, *self._hide(at)]
            if self._asked_for_tls and reply.code >= 400:
                self._asked_for_tls = False
        return events


def _sent(at: float, commands: Iterable[CommandEvent]) -> list[Event]:
    """Commands that have a verb; a line without one that could be a verb is somebody's typing, and not shown."""
    return [
        Sent(at, command.verb if _VERB.fullmatch(command.verb) else "?", command.argument)
        for command in commands
        if isinstance(command, Command) and command.verb.strip("\u2026")
    ]
