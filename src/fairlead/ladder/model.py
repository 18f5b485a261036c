"""What a ladder is made of, before it is drawn."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

CONTROL = 0
"""The number of the control connection; data connections count from 1 in the order in which they were agreed on."""


class Kind(StrEnum):
    """What a step shows; the value is what a saved ladder carries."""

    SYN = "syn"
    SYN_ACK = "syn-ack"
    ACK = "ack"
    FIN = "fin"
    RST = "rst"
    ICMP = "icmp"
    LISTEN = "listen"
    COMMAND = "command"
    REPLY = "reply"
    DATA = "data"
    TLS = "tls"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Party:
    """One who opens or accepts connections: ``client``, ``server``, or of several servers the name of each."""

    name: str
    address: str = ""
    """The address that stands in the heading."""


@dataclass(frozen=True, slots=True)
class End:
    """An end of a connection: a party's name, the address seen there, the port (0 where it is not known)."""

    party: str
    address: str
    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """An arrow, or something that happened at one end (then ``target`` is None)."""

    at: float
    """Seconds since :attr:`Ladder.began`."""
    kind: Kind
    connection: int
    """:data:`CONTROL`, or the number of a data connection."""
    source: End
    target: End | None = None
    text: str = ""
    """What stands on the arrow: the command, the reply; secrets are masked already."""
    note: str = ""
    """What stands beside it, for people."""
    size: int = 0
    """Octets of data."""
    times: int = 1
    """How often it was sent, with repetitions."""
    arrived: bool | None = None
    """False where it is known that it never arrived, None where that is not known."""
    cause: str = ""
    """Where the step is a failure, the value of :class:`fairlead.reach.cause.Cause` that names it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ladder:
    """A session: who took part, and what happened in the order of time."""

    parties: tuple[Party, ...]
    steps: tuple[Step, ...]
    began: float = 0.0
    """Seconds since the epoch."""
    title: str = ""
