"""Faults of the control connection: greetings and replies that are late, wrong, without end, or missing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

from fairlead.proto.entry import Entry
from fairlead.testing.faults.base import Fault, fault

if TYPE_CHECKING:
    from fairlead.testing.answering import Session

_ONE_REPLY = "RFC 959 section 4.2: every command has its reply"


@fault("late-greeting", breaks="none; RFC 959 section 5.4 allows 120, and clients have to wait for the 220")
@dataclass(frozen=True)
class LateGreeting(Fault):
    """Greets with 120, and with 220 some seconds later."""

    seconds: float = 1.0

    def greets(self, session: Session) -> bool:
        """See :class:`Fault`."""
        session.say("120 Service ready in a moment.")
        session.wait(self.seconds)
        return False


@fault("no-greeting", breaks="RFC 959 section 5.4: connection establishment is answered with 120, 220 or 421")
@dataclass(frozen=True)
class NoGreeting(Fault):
    """Takes the connection and never says a word."""

    def greets(self, session: Session) -> bool:
        """See :class:`Fault`."""
        session.wait()
        return True


@dataclass(frozen=True)
class _Once(Fault):
    """A fault in the answer to one command."""

    verb: str = "USER"

    def answers(self, session: Session, verb: str, argument: str) -> bool:
        """See :class:`Fault`."""
        if verb == self.verb:
            self.respond(session)
        return verb == self.verb

    def respond(self, session: Session) -> None:
        """Do what the fault is about."""
        raise NotImplementedError


@fault("endless-120", breaks="RFC 959 section 5.4: 120 is followed by 220 or 421")
@dataclass(frozen=True)
class EndlessGreeting(Fault):
    """Greets with 120 again and again."""

    pause: float = 0.05

    def greets(self, session: Session) -> bool:
        """See :class:`Fault`."""
        while not session.wait(self.pause):
            session.say("120 Service ready in a moment.")
        return True


@fault("no-reply", breaks=_ONE_REPLY)
@dataclass(frozen=True)
class NoReply(_Once):
    """Never answers a command, and keeps the connection."""

    def respond(self, session: Session) -> None:
        """See :class:`_Once`."""
        session.wait()


@fault("trickled-reply", breaks=_ONE_REPLY)
@dataclass(frozen=True)
class TrickledReply(_Once):
    """Answers a command octet by octet, without ever ending the line."""

    pause: float = 0.05

    def respond(self, session: Session) -> None:
        """See :class:`_Once`."""
        session.send(b"230 ")
        while not session.wait(self.pause):
            session.send(b".")


@fault("endless-150", breaks="RFC 959 section 5.4: one preliminary reply, then the final one")
@dataclass(frozen=True)
class EndlessAnnouncement(Fault):
    """Says 150 again and again where the final reply of a transfer is due."""

    pause: float = 0.05

    def concludes(self, session: Session, reply: str) -> str:
        """See :class:`Fault`."""
        while not session.wait(self.pause):
            session.say("150 Still at it.")
        return ""


@fault("reply-flood", breaks=_ONE_REPLY)
@dataclass(frozen=True)
class ReplyFlood(_Once):
    """Answers a command, and then goes on answering what nobody asked."""

    def respond(self, session: Session) -> None:
        """See :class:`_Once`."""
        session.say("331 Password, please.")
        while not session.over:
            session.send(b"200 Done.\r\n" * 5000)


@fault("telnet-flood", breaks="RFC 854: a subnegotiation ends with IAC SE")
@dataclass(frozen=True)
class TelnetFlood(_Once):
    """Answers a command with a Telnet subnegotiation that has no end."""

    def respond(self, session: Session) -> None:
        """See :class:`_Once`."""
        session.send(b"\xff\xfa\x18")
        while not session.over:
            session.send(b"x" * (1 << 16))


@fault("endless-reply", breaks="RFC 959 section 4.2: the last line of a reply begins with its code and a space")
@dataclass(frozen=True)
class EndlessReply(_Once):
    """Answers a command with a reply of ever more lines."""

    def respond(self, session: Session) -> None:
        """See :class:`_Once`."""
        session.send(b"230-Welcome.\r\n")
        while not session.over:
            session.send(b" and another line that says nothing at all\r\n" * 1000)


@fault("long-line", breaks="RFC 959 section 4.2: a line of a reply is text for a person, and ends with CR LF")
@dataclass(frozen=True)
class LongLine(_Once):
    """Answers a command with a line of so many octets; of any number where it is None."""

    octets: int | None = None

    def respond(self, session: Session) -> None:
        """See :class:`_Once`."""
        session.send(b"230 ")
        for sent in count(step=1 << 16):
            if session.over or (self.octets is not None and sent >= self.octets):
                break
            session.send(b"x" * (1 << 16 if self.octets is None else min(1 << 16, self.octets - sent)))
        session.send(b"\r\n")


@fault(
    "long-fields", breaks="RFC 3659 sections 3 and 4: SIZE and MDTM are answered with octets and a time of 14 digits"
)
@dataclass(frozen=True)
class LongFields(Fault):
    """Answers SIZE, MDTM and PWD with values of so many characters, and lists a name as long."""

    length: int = 5000

    def answers(self, session: Session, verb: str, argument: str) -> bool:
        """See :class:`Fault`."""
        known = {"SIZE": f"213 {'9' * self.length}", "MDTM": f"213 {'9' * self.length}"}
        reply = {**known, "PWD": f'257 "/{"d" * self.length}"'}.get(verb)
        if reply is not None:
            session.say(reply)
        return reply is not None

    def lists(self, path: str, entries: Sequence[Entry]) -> Sequence[Entry]:
        """See :class:`Fault`."""
        return [*entries, Entry("n" * self.length, size=1)]


@fault("no-ftp", breaks="RFC 959 section 4.2: a reply is three digits and a text")
@dataclass(frozen=True)
class NoFtp(_Once):
    """Answers a command with octets that are no reply."""

    def respond(self, session: Session) -> None:
        """See :class:`_Once`."""
        session.send(b"\x00\x1b]0;owned\x07<html>\r\n")


@fault("service-ends", breaks="none; RFC 959 section 5.4 allows 421 at any time, and nothing of it is a success")
@dataclass(frozen=True)
class ServiceEnds(_Once):
    """Answers a command with 421 and hangs up; with ``at``, so many octets into the data of a transfer."""

    verb: str = "TYPE"
    at: int | None = None

    def answers(self, session: Session, verb: str, argument: str) -> bool:
        """See :class:`Fault`."""
        return self.at is None and super().answers(session, verb, argument)

    def respond(self, session: Session) -> None:
        """See :class:`_Once`."""
        session.say("421 Service not available, closing control connection.")
        session.hang_up()

    def sends(self, session: Session, verb: str, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """See :class:`Fault`."""
        if self.at is None:
            return pieces
        return self._cut(session, b"".join(pieces)[: self.at])

    def _cut(self, session: Session, part: bytes) -> Iterator[bytes]:
        yield part
        self.respond(session)
