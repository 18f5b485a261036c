"""Faults of TLS: refused after it was offered, spoken over, cut off, never resumed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from fairlead.testing.faults.base import Fault, fault

if TYPE_CHECKING:
    from fairlead.testing.answering import Session

INJECTED = "230 Already logged in, says who is in between."


@fault("injected-reply", breaks="RFC 4217 section 4.2: nothing in clear may follow the reply to AUTH")
@dataclass(frozen=True)
class InjectedReply(Fault):
    """Sends a second reply in clear right behind the 234 of AUTH."""

    def answers(self, session: Session, verb: str, argument: str) -> bool:
        """See :class:`Fault`."""
        if verb != "AUTH":
            return False
        session.send(f"234 Go on under TLS.\r\n{INJECTED}\r\n".encode())
        session.begin_tls()
        return True


@dataclass(frozen=True)
class _Refusal(Fault):
    verb: ClassVar[str] = ""
    reply: str = ""

    def answers(self, session: Session, verb: str, argument: str) -> bool:
        """See :class:`Fault`."""
        if verb == self.verb:
            session.say(self.reply)
        return verb == self.verb


@fault("tls-refused", breaks="RFC 4217 section 6: a server that lists AUTH TLS in FEAT supports it")
@dataclass(frozen=True)
class TlsRefused(_Refusal):
    """Offers TLS and then refuses AUTH, by 534 or as whoever strips TLS would do it."""

    verb: ClassVar = "AUTH"
    reply: str = "534 Request denied for policy reasons."


@fault("data-not-protected", breaks="RFC 4217 section 9: PROT P protects the data connections")
@dataclass(frozen=True)
class DataNotProtected(_Refusal):
    """Takes the login under TLS and then refuses PROT P."""

    verb: ClassVar = "PROT"
    reply: str = "536 Requested PROT level not supported by mechanism."


@fault("clear-data", breaks="RFC 4217 section 9: PROT P protects the data connections")
@dataclass(frozen=True)
class ClearData(Fault):
    """Agrees to PROT P and sends data in clear all the same."""

    def answers(self, session: Session, verb: str, argument: str) -> bool:
        """See :class:`Fault`."""
        if verb == "PROT":
            session.say("200 Protection set.")
        return verb == "PROT"


@fault("cut-tls", breaks="RFC 8446 section 6.1: an end without close_notify may be an attacker's")
@dataclass(frozen=True)
class CutTls(Fault):
    """Ends data connections without the close_notify of TLS, and says 226."""

    def closes(self, session: Session) -> bool:
        """See :class:`Fault`."""
        session.close_data(notify=False)
        return True


@fault("forgotten-ticket", breaks="none; a server may forget a session (RFC 8446 section 2.2), many refuse to resume")
@dataclass(frozen=True)
class ForgottenTicket(Fault):
    """Resumes no TLS session: each ticket has expired by the time it comes back."""

    resumes_tls: ClassVar = False
