"""Commands of the control connection: octets to :class:`Command`, and back for a client (RFC 959 section 5.3)."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple, TypeAlias

from fairlead.errors import ArgumentError
from fairlead.proto.telnet import IAC, LineReader, LineTooLong

__all__ = ["Command", "CommandEvent", "CommandParser", "LineTooLong", "encode_command"]


class Command(NamedTuple):
    """One command. ``verb`` is in upper case; ``argument`` is what follows the one space after it.

    Octets that are not UTF-8 appear as surrogate escapes (RFC 2640 section 3.1). A line without a verb has ``""``.
    """

    verb: str
    argument: str = ""


CommandEvent: TypeAlias = "Command | LineTooLong"

_NEW = tuple.__new__
"""Makes a :class:`Command` without the call of Python's own that a named tuple puts before it."""
_VERB = r"[!-~]+"
_SHORT = len(b"NOOP\r\n")
"""Octets up to which a command that is sent alone is looked up rather than read; verbs have four letters at most."""
# What is left of "IAC IP IAC DM" in front of a verb when a peer sent a part of it as urgent data.
_REMAINS_OF_SYNCH = "\udcf2\udcf4"


class CommandParser:
    """Octets of a control connection, cut anywhere, to commands.

    ``limit`` is the longest line in octets; a longer one becomes one :class:`LineTooLong` when it ends. Telnet
    commands are taken out, see :mod:`fairlead.proto.telnet`.
    """

    __slots__ = ("_limit", "_pending", "_reading", "_tail", "reader")

    def __init__(self, limit: int = 8192) -> None:
        self._limit = limit
        self._tail = b""
        self.reader: LineReader | None = None
        """Made for the first line that is read octet for octet; until then there are no answers."""
        self._reading = False
        self._pending = False

    def feed(self, data: bytes) -> list[CommandEvent]:
        """The commands that ``data`` completes, in order."""
        if self._pending:
            return self._go_on(data)
        if len(data) <= _SHORT and len(data) <= self._limit:
            known = _known(data)
            if known is not None:
                return [known]
        if data.isascii() and len(data) <= self._limit:
            text = data.decode("ascii")
            line = text[:-2]
            if text[-2:] == "\r\n" and "\n" not in line and "\0" not in line:
                verb, _, argument = line.partition(" ")
                return [_NEW(Command, (verb.upper(), argument))]
        return self._go_on(data)

    def _go_on(self, data: bytes) -> list[CommandEvent]:
        """As :meth:`feed`, for whatever may come."""
        commands = self._read(data) if self._reading or IAC in data or 0 in data else self._split(data)
        self._pending = self._reading or bool(self._tail)
        return commands

    def take_answers(self) -> bytes:
        """Telnet refusals (WONT, DONT) to send back; mostly empty."""
        return self.reader.take_answers() if self.reader is not None else b""

    def _split(self, data: bytes) -> list[CommandEvent]:
        """As :meth:`feed`, for lines that hold neither Telnet commands nor NUL."""
        if self._tail:
            data = self._tail + data
            self._tail = b""
        end = data.rfind(b"\n") + 1
        if end != len(data):
            if len(data) - end > self._limit:
                return self._read(data)
            self._tail = data[end:]
            data = data[:end]
        if len(data) > self._limit and max(map(len, data.split(b"\n"))) > self._limit:
            tail, self._tail = self._tail, b""
            return self._read(data + tail)
        lines = data.decode("utf-8", "surrogateescape").replace("\r\n", "\n").split("\n")
        lines.pop()
        return list(map(_command, lines))

    def _read(self, data: bytes) -> list[CommandEvent]:
        """As :meth:`feed`, octet for octet: for Telnet commands, CR NUL, and lines over the limit."""
        if self.reader is None:
            self.reader = LineReader(self._limit)
        lines = self.reader.feed(self._tail + data)
        self._tail = b""
        self._reading = not self.reader.idle
        return [
            line if isinstance(line, LineTooLong) else _command(line.decode("utf-8", "surrogateescape"))
            for line in lines
        ]


def encode_command(verb: str, argument: str = "") -> bytes:
    """One command as a client sends it, with its line end (RFC 2640 section 3.1).

    Raises ArgumentError, and so sends nothing, where the verb holds anything but visible ASCII characters, or the
    argument holds LF, NUL or what has no encoding: they would end the command early and begin another.
    """
    octets_of_verb = _encode_verb(verb)
    if not argument:
        return octets_of_verb + b"\r\n"
    if "\n" in argument or "\0" in argument:
        raise ArgumentError(f"the argument of {verb} holds a line end or NUL, which no FTP command can carry")
    try:
        octets = argument.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raise ArgumentError(f"the argument of {verb} holds a surrogate that stands for no octet") from None
    if b"\r" in octets or b"\xff" in octets:
        octets = octets.replace(b"\r", b"\r\0").replace(b"\xff", b"\xff\xff")
    return b"%b %b\r\n" % (octets_of_verb, octets)


@lru_cache(maxsize=128)
def _encode_verb(verb: str) -> bytes:
    if not re.fullmatch(_VERB, verb):
        raise ArgumentError(f"{verb!r} cannot be the verb of a command")
    return verb.encode("ascii")


def _command(line: str) -> Command:
    if " " not in line:
        return _bare_command(line)
    verb, _, argument = line.partition(" ")
    return Command(_upper(verb), argument)


@lru_cache(maxsize=128)
def _known(data: bytes) -> Command | None:
    """The command that is all of ``data``, where it is a verb alone and needs no further look."""
    verb = data[:-2]
    return Command(verb.decode("ascii").upper()) if data.endswith(b"\r\n") and verb.isalpha() else None


@lru_cache(maxsize=128)
def _bare_command(verb: str) -> Command:
    return Command(_upper(verb))


def _upper(verb: str) -> str:
    if not verb.isascii():
        verb = verb.lstrip(_REMAINS_OF_SYNCH)
    return verb.upper() if verb.isascii() else verb
