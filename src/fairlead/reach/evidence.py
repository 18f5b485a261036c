"""What was observed of one attempt at a data connection, whoever observed it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, NamedTuple, TypeAlias

from fairlead.reach.cause import Cause

Family: TypeAlias = Literal[4, 6]
PASSIVE = frozenset({"EPSV", "PASV"})
IPV4_ONLY = frozenset({"PASV", "PORT"})
"""Modes whose arguments hold no IPv6 address."""


class Answer(StrEnum):
    """What came of a call."""

    CONNECTED = "connected"
    SILENT = "no answer"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"


class Said(NamedTuple):
    """A reply of the server."""

    code: int
    text: str

    def __str__(self) -> str:
        return f"{self.code} {self.text}"


@dataclass(frozen=True, slots=True)
class Called:
    """A call that we made."""

    host: str
    port: int
    answer: Answer
    seconds: float = 0.0
    source: int = 0
    """The port that we called from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One attempt: a mode, a family of addresses, in clear or under TLS. What was not observed stays empty."""

    mode: str
    """``EPSV``, ``PASV``, ``EPRT`` or ``PORT``."""
    family: Family
    """That of the control connection."""
    private: bool
    """Whether control and data connection were under TLS."""
    peer: str = ""
    """The server's address on the control connection."""
    local: str = ""
    """Ours."""
    seen: str = ""
    """Our address as the server says that it sees it."""
    session: Cause = Cause.OK
    """What ended the session before a data connection was asked for."""
    setup: Said | None = None
    """The answer to EPSV, PASV, EPRT or PORT."""
    host: str = ""
    """The address that was announced: by the server in 227, by us in PORT and EPRT."""
    port: int = 0
    """The port that was announced."""
    told: int = 0
    """The port on which the server says, when asked by STAT, that it waits."""
    calls: tuple[Called, ...] = ()
    """Our calls to the announced port, at whichever address."""
    samples: tuple[Called, ...] = ()
    """Our calls to ports that were announced when the same was asked again."""
    router: str = ""
    """The last router that our call to the announced port reached, where it was not answered and routers told."""
    hop: int = 0
    """That router's place on the way, 1 for our own."""
    near_server: bool = False
    """Whether the server, or the router that has its address, is the next behind that one."""
    strict: bool | None = None
    """Whether the server refuses to call addresses that are not ours; None where that was not tried."""
    listening: bool | None = None
    """Whether our own listener answered when we called it ourselves."""
    caller: str = ""
    """Who called our listener."""
    opening: Said | None = None
    """The 1yz reply to the transfer command."""
    final: Said | None = None
    """The reply that ended the transfer."""
    waited: float = 0.0
    """Seconds from the transfer command to its end, or until we stopped waiting."""
    handshake: str = ""
    """How TLS failed on the data connection."""
    resumed: bool | None = None
    """Whether its TLS session was that of the control connection; None without TLS."""
    octets: int = 0
    ended: bool = False
    """Whether the data ended in order."""
    enough: bool = False
    """Whether it was ended from here, since more data would tell no more."""
    broke: str = ""
    """How the data connection broke."""
    idle: float = 0.0
    """Seconds in which nothing went over the control connection while data came."""
    forgotten: bool = False
    """Whether the control connection carried nothing after that."""
    trusted: bool = True
    """Whether the server's certificate was accepted."""

    @property
    def passive(self) -> bool:
        """Whether we call the server."""
        return self.mode in PASSIVE

    @property
    def answer(self) -> Answer | None:
        """What came of the call to the announced port at the address that counts; None when none was made."""
        answers = [call.answer for call in self.calls]
        return next((answer for answer in answers if answer is Answer.CONNECTED), answers[-1] if answers else None)
