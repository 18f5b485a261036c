"""The log: one record for each login, transfer, change, refused session and notice.

A record is made where the event happens and written with others a little later, so that a transfer costs no system
call. Text is one line for people: time, level, process and session, peer, user, what happened. JSON is one object on
each line, with the same keys in every record of one kind. In both, octets that are no text and characters that steer
a terminal are escaped: nobody writes a line of his own through a name (S-SEC-8).
"""

from __future__ import annotations

import os
import select
import time
from collections import deque
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Literal

from fairlead.events import (
    Bus,
    Changed,
    ControlLost,
    Event,
    LoginFailed,
    LoginSucceeded,
    Noticed,
    PassiveUncalled,
    Refused,
    SessionRefused,
    TransferFailed,
    TransferFinished,
)
from fairlead.reach.cause import Cause

DELAY = 0.05
"""Seconds that a record waits for others before they are written together."""
ENOUGH = 64 * 1024
"""Octets of records that are written without waiting for more."""
LIMIT = 4 * 1024 * 1024
"""Octets kept while nobody reads the log; records beyond are dropped and counted."""
PIECE = select.PIPE_BUF
"""Octets written by one call: a pipe that is ready takes them whole, unmixed with what other processes write."""


class Log:
    """Writes events to the descriptor ``stream_fd`` as lines of text or of JSON.

    ``schedule`` calls a function after some seconds, as an event loop's ``call_later`` does; ``clock`` gives seconds
    since the epoch. Who stops reading never holds up the caller, for certain when the descriptor does not block: what
    cannot be written is kept up to :data:`LIMIT`, and how much was dropped after that is said once there is room.
    """

    def __init__(
        self,
        stream_fd: int,
        format: Literal["text", "json"],  # noqa: A002 - the word of the option
        schedule: Callable[[float, Callable[[], None]], object],
        clock: Callable[[], float],
    ) -> None:
        self._fd = stream_fd
        self._schedule = schedule
        self._formats = (JsonRecords if format == "json" else TextRecords)(clock, os.getpid()).formats()
        self._lines: deque[bytes] = deque()
        self._size = 0
        self._rest = b""
        self._dropped = 0
        self._scheduled = False
        self._held_up = False
        self._ready = select.poll()
        self._ready.register(stream_fd, select.POLLOUT)

    def attach(self, bus: Bus) -> None:
        """Record what ``bus`` carries from now on."""
        for kind, record in self._formats.items():
            bus.subscribe(kind, partial(self._add, record))

    def flush(self) -> None:
        """Write what the descriptor takes without waiting."""
        while self._rest or self._lines or self._dropped:
            if not self._rest:
                self._rest = self._next_piece()
            try:
                written = os.write(self._fd, self._rest) if self._ready.poll(0) else 0
            except BlockingIOError:
                written = 0
            except OSError:  # nobody will ever read it
                self._rest = b""
                self._lines.clear()
                self._size = self._dropped = 0
                return
            self._rest = self._rest[written:]
            self._held_up = not written
            if self._held_up:
                self._flush_later()
                return

    def _add(self, record: Callable[[Any], str], event: Event) -> None:
        if self._size >= LIMIT:
            self._dropped += 1
            return
        line = record(event).encode()
        self._lines.append(line)
        self._size += len(line)
        if self._size >= ENOUGH and not self._held_up:
            self.flush()
        elif not self._scheduled:
            self._flush_later()

    def _flush_later(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            self._schedule(DELAY, self._flush_scheduled)

    def _flush_scheduled(self) -> None:
        self._scheduled = False
        self.flush()

    def _next_piece(self) -> bytes:
        """As many whole lines as make up a piece, at least one."""
        if not self._lines:
            dropped, self._dropped = self._dropped, 0
            message = f"{dropped} records were dropped because nobody read the log"
            return self._formats[Noticed](Noticed(session=0, peer="", topic="log", message=message)).encode()
        piece = [self._lines.popleft()]
        size = len(piece[0])
        while self._lines and size + len(self._lines[0]) <= PIECE:
            line = self._lines.popleft()
            piece.append(line)
            size += len(line)
        self._size -= size
        return b"".join(piece)


class Stamps:
    """The time of each record, in UTC with milliseconds; the text of each of these, and of a second, is made once."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._millisecond = -1
        self._second = -1
        self._text = ""
        self._stamp = ""

    def now(self) -> str:
        """Such as ``2003-07-01T10:52:37.123Z``."""
        millisecond = int(self._clock() * 1000)
        if millisecond != self._millisecond:
            self._millisecond = millisecond
            second, rest = divmod(millisecond, 1000)
            if second != self._second:
                self._second = second
                self._text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
            self._stamp = f"{self._text}.{rest:03d}Z"
        return self._stamp


WARNINGS = (ControlLost, LoginFailed, PassiveUncalled, Refused, SessionRefused, TransferFailed)
"""What was refused or failed."""


def level(event: Event) -> str:
    """``info``, ``warning`` for what was refused or failed, ``error`` for what failed on this side."""
    if isinstance(event, WARNINGS):
        return "error" if isinstance(event, TransferFailed) and event.cause == "storage" else "warning"
    return "error" if isinstance(event, Noticed) and event.topic == "fault" else "info"


Formats = Mapping[type[Event], Callable[[Any], str]]


class TextRecords:
    """Events as lines for people."""

    def __init__(self, clock: Callable[[], float], process: int) -> None:
        self._stamps = Stamps(clock)
        self._process = process

    def formats(self) -> Formats:
        """What makes the line of each kind of event."""
        return {
            LoginSucceeded: self.login,
            LoginFailed: self.login_failed,
            TransferFinished: self.transfer,
            TransferFailed: self.transfer_failed,
            PassiveUncalled: self.uncalled,
            Refused: self.refused,
            Changed: self.change,
            SessionRefused: self.session_refused,
            ControlLost: self.lost,
            Noticed: self.notice,
        }

    def login(self, event: LoginSucceeded) -> str:
        """A login."""
        given = f" as {word(event.password or '')}" if event.anonymous else ""
        how = " by certificate" if event.certified else ""
        over = f" over {event.tls}" if event.tls else ""
        return self._line(event, event.user, f"logged in{given}{how}{over}")

    def login_failed(self, event: LoginFailed) -> str:
        """A refused login."""
        return self._line(event, event.user, f"login refused: {sentence(event.reason)}")

    def transfer(self, event: TransferFinished) -> str:
        """A transfer, written for speed."""
        return (
            f"{self._stamps.now()} info    {self._process}.{event.session} {event.peer} {word(event.user)}"
            f" {event.verb} {word(event.path)} {event.size} octets in {event.seconds:.3f} s ({event.mode})\n"
        )

    def transfer_failed(self, event: TransferFailed) -> str:
        """A transfer that did not end well."""
        return self._line(
            event,
            event.user,
            f"{event.verb} {word(event.path)} failed with {event.code} after {event.size} octets in"
            f" {event.seconds:.3f} s ({event.mode}): {_with_cause(event)}",
        )

    def uncalled(self, event: PassiveUncalled) -> str:
        """A passive port that was given up."""
        return self._line(
            event,
            event.user,
            f"{event.mode} port {event.port} was given up after {event.seconds:.3f} s: {_with_cause(event)}",
        )

    def refused(self, event: Refused) -> str:
        """A transfer or change that did not begin."""
        path = f" {word(event.path)}" if event.path else ""
        what = f"{event.verb}{path} refused with {event.code}: {_with_cause(event)}"
        return self._line(event, event.user, what)

    def change(self, event: Changed) -> str:
        """A change of the tree."""
        detail = f" {sentence(event.detail)}" if event.detail else ""
        return self._line(event, event.user, f"{event.verb} {word(event.path)}{detail}")

    def session_refused(self, event: SessionRefused) -> str:
        """A session that was not admitted."""
        return self._line(event, "-", f"session refused: {sentence(event.reason)}")

    def lost(self, event: ControlLost) -> str:
        """A control connection that broke."""
        what = f"control connection lost after {event.seconds:.3f} s: {_with_cause(event)}"
        return self._line(event, event.user or "-", what)

    def notice(self, event: Noticed) -> str:
        """What an operator should know."""
        return self._line(event, "-", f"{event.topic}: {sentence(event.message)}")

    def _line(self, event: Event, user: str, what: str) -> str:
        return (
            f"{self._stamps.now()} {level(event):7} {self._process}.{event.session} {event.peer or '-'} {word(user)}"
            f" {what}\n"
        )


class JsonRecords:
    """Events as JSON objects, one on a line."""

    def __init__(self, clock: Callable[[], float], process: int) -> None:
        self._stamps = Stamps(clock)
        self._process = process

    def formats(self) -> Formats:
        """What makes the line of each kind of event."""
        return {
            LoginSucceeded: self.login,
            LoginFailed: self.login_failed,
            TransferFinished: self.transfer,
            TransferFailed: self.transfer_failed,
            PassiveUncalled: self.uncalled,
            Refused: self.refused,
            Changed: self.change,
            SessionRefused: self.session_refused,
            ControlLost: self.lost,
            Noticed: self.notice,
        }

    def login(self, event: LoginSucceeded) -> str:
        """A login; ``email`` is what an anonymous user gave, ``tls`` null in clear."""
        anonymous = "true" if event.anonymous else "false"
        email = string(event.password or "") if event.anonymous else "null"
        tls = string(event.tls) if event.tls else "null"
        certified = "true" if event.certified else "false"
        return self._line(
            event,
            "login",
            event.user,
            f'"anonymous":{anonymous},"email":{email},"tls":{tls},"certified":{certified}',
        )

    def login_failed(self, event: LoginFailed) -> str:
        """A refused login."""
        return self._line(
            event, "login-failed", event.user, f'"cause":"{Cause.LOGIN_REFUSED}","reason":{string(event.reason)}'
        )

    def transfer(self, event: TransferFinished) -> str:
        """A transfer, written for speed."""
        return (
            f'{{"time":"{self._stamps.now()}","level":"info","event":"transfer","process":{self._process},'
            f'"session":{event.session},"peer":{string(event.peer)},"user":{string(event.user)},'
            f'"verb":"{event.verb}","path":{string(event.path)},"size":{event.size},"seconds":{event.seconds:.6f},'
            f'"mode":"{event.mode}"}}\n'
        )

    def transfer_failed(self, event: TransferFailed) -> str:
        """A transfer that did not end well."""
        return self._line(
            event,
            "transfer-failed",
            event.user,
            f'"verb":"{event.verb}","path":{string(event.path)},"size":{event.size},"seconds":{event.seconds:.6f},'
            f'"mode":"{event.mode}","code":{event.code},"cause":"{event.cause}","reason":{string(event.reason)}',
        )

    def uncalled(self, event: PassiveUncalled) -> str:
        """A passive port that was given up."""
        return self._line(
            event,
            "passive-uncalled",
            event.user,
            f'"port":{event.port},"seconds":{event.seconds:.6f},"mode":"{event.mode}","cause":"{event.cause}",'
            f'"reason":{string(event.reason)}',
        )

    def refused(self, event: Refused) -> str:
        """A transfer or change that did not begin."""
        return self._line(
            event,
            "refused",
            event.user,
            f'"verb":{string(event.verb)},"path":{string(event.path)},"code":{event.code},"cause":"{event.cause}",'
            f'"reason":{string(event.reason)}',
        )

    def change(self, event: Changed) -> str:
        """A change of the tree."""
        return self._line(
            event,
            "change",
            event.user,
            f'"verb":{string(event.verb)},"path":{string(event.path)},"detail":{string(event.detail)}',
        )

    def session_refused(self, event: SessionRefused) -> str:
        """A session that was not admitted."""
        return self._line(
            event, "session-refused", None, f'"cause":"{Cause.REFUSED_BY_POLICY}","reason":{string(event.reason)}'
        )

    def lost(self, event: ControlLost) -> str:
        """A control connection that broke."""
        return self._line(
            event,
            "control-lost",
            event.user or None,
            f'"seconds":{event.seconds:.6f},"cause":"{event.cause}","reason":{string(event.reason)}',
        )

    def notice(self, event: Noticed) -> str:
        """What an operator should know."""
        return self._line(event, "notice", None, f'"topic":{string(event.topic)},"message":{string(event.message)}')

    def _line(self, event: Event, name: str, user: str | None, fields: str) -> str:
        return (
            f'{{"time":"{self._stamps.now()}","level":"{level(event)}","event":"{name}","process":{self._process},'
            f'"session":{event.session},"peer":{string(event.peer)},'
            f'"user":{"null" if user is None else string(user)},{fields}}}\n'
        )


def sentence(text: str) -> str:
    """``text`` with every character escaped that does not print."""
    return text if text.isprintable() else "".join(map(_escaped, text))


def _with_cause(event: ControlLost | TransferFailed | PassiveUncalled | Refused) -> str:
    """Why it failed, and the name of the cause, once."""
    cause = f"({event.cause})"
    reason = sentence(event.reason)
    return reason if reason.endswith(cause) else f"{reason} {cause}"


def word(text: str) -> str:
    """``text`` as it is when it is one plain word, else quoted, with ``"`` and ``\\`` escaped too."""
    if text and text.isprintable() and " " not in text and '"' not in text and "\\" not in text:
        return text
    return '"' + sentence(text.replace("\\", "\\\\").replace('"', '\\"')) + '"'


def string(text: str) -> str:
    """``text`` as a JSON string of ASCII characters; an octet that is no text becomes ``\\xNN`` in it."""
    from json.encoder import encode_basestring_ascii  # noqa: PLC0415 - the log of text needs no json

    encoded = encode_basestring_ascii(text)
    if "\\udc" in encoded:
        encoded = encode_basestring_ascii(text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace"))
    return encoded if "\x7f" not in encoded else encoded.replace("\x7f", "\\u007f")


def _escaped(character: str) -> str:
    if character.isprintable():
        return character
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # an octet that is no UTF-8, as surrogateescape carries it
        code -= 0xDC00
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
