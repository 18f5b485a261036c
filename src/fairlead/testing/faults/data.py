"""Faults of data connections: announced where nobody is, cut, stalled, and told to be whole when they are not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fairlead.testing.faults.base import Fault, fault

if TYPE_CHECKING:
    from fairlead.testing.answering import Session

_LISTENS = "RFC 959 section 4.1.2: PASV makes the server listen on the port that the reply specifies"
_WHOLE = "RFC 959 section 5.4: 226 tells that the requested action was successful"


@fault("foreign-address", breaks=f"{_LISTENS}; RFC 2577 section 3: nobody is to be called on a server's word")
@dataclass(frozen=True)
class ForeignAddress(Fault):
    """Announces another machine's address in 227."""

    host: str = "192.0.2.1"

    def announces(self, session: Session, host: str, port: int) -> tuple[str, int]:
        """See :class:`Fault`."""
        return self.host, port


@fault("port-zero", breaks=_LISTENS)
@dataclass(frozen=True)
class PortZero(Fault):
    """Announces port 0."""

    def announces(self, session: Session, host: str, port: int) -> tuple[str, int]:
        """See :class:`Fault`."""
        return host, 0


@fault("closed-port", breaks=_LISTENS)
@dataclass(frozen=True)
class ClosedPort(Fault):
    """Announces a port on which nobody listens."""

    def announces(self, session: Session, host: str, port: int) -> tuple[str, int]:
        """See :class:`Fault`."""
        session.stop_listening()
        return host, port


@fault("stalled-data", breaks="none; RFC 959 knows no deadline, so that clients need their own")
@dataclass(frozen=True)
class StalledData(Fault):
    """Sends so many octets of a transfer and then nothing, and keeps both connections."""

    at: int = 0

    def sends(self, session: Session, verb: str, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """See :class:`Fault`."""
        yield b"".join(pieces)[: self.at]
        self.linger(session)

    def linger(self, session: Session) -> None:
        """Pass the time until nobody is there any more."""
        session.wait()


@fault("soothing-words", breaks="RFC 959 section 5.4: one preliminary reply, then the final one")
@dataclass(frozen=True)
class SoothingWords(StalledData):
    """Sends no more data, and says 150 again and again, as if there were progress."""

    pause: float = 0.05

    def linger(self, session: Session) -> None:
        """See :class:`StalledData`."""
        while not session.wait(self.pause):
            session.say("150 Still at it.")


@fault("slow-bytes", breaks="none; RFC 959 knows no rate")
@dataclass(frozen=True)
class SlowBytes(Fault):
    """Sends the data of a transfer octet by octet."""

    pause: float = 0.01

    def sends(self, session: Session, verb: str, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """See :class:`Fault`."""
        for piece in pieces:
            for octet in piece:
                yield bytes([octet])
                session.wait(self.pause)


@fault("early-226", breaks="none; RFC 959 section 5.4 sets no order between 226 and the end of the data")
@dataclass(frozen=True)
class EarlyReply(Fault):
    """Says 226 before the first octet of the data, which comes a moment later."""

    seconds: float = 0.2

    def opens(self, session: Session) -> None:
        """See :class:`Fault`."""
        session.say("226 Transfer complete.")
        session.wait(self.seconds)

    def concludes(self, session: Session, reply: str) -> str:
        """See :class:`Fault`."""
        return ""


@fault("lost-226", breaks="RFC 959 section 5.4: a transfer ends with a final reply")
@dataclass(frozen=True)
class LostReply(Fault):
    """Never says how a transfer ended, although all of its data came."""

    def concludes(self, session: Session, reply: str) -> str:
        """See :class:`Fault`."""
        return ""


@fault("reset-at", breaks=_WHOLE)
@dataclass(frozen=True)
class ResetAt(Fault):
    """Resets the data connection after so many octets, and says 226 all the same."""

    at: int = 1000

    def sends(self, session: Session, verb: str, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """See :class:`Fault`."""
        yield b"".join(pieces)[: self.at]

    def closes(self, session: Session) -> bool:
        """See :class:`Fault`."""
        session.reset_data()
        return True


@fault("truncated-data", breaks=_WHOLE)
@dataclass(frozen=True)
class TruncatedData(Fault):
    """Ends the data connection in order after so many octets, and says 226 as if that were all."""

    at: int = 1000

    def sends(self, session: Session, verb: str, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """See :class:`Fault`."""
        yield b"".join(pieces)[: self.at]
