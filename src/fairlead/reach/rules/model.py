"""What must pass, before it is written for a firewall."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal


class Place(StrEnum):
    """Where the rules stand: on the machine itself, or on a router before it."""

    HOST = "host"
    ROUTER = "router"


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """TCP connections that must be let through."""

    purpose: str
    """Such as ``passive data connections``; a comment of the rule."""
    inbound: bool
    """Whether others call the protected side; False for calls that it makes."""
    ports: range
    """The ports that are called."""
    source_ports: range | None = None
    """The ports that they are called from, where that is known (20 in active mode)."""
    remote: str = ""
    """The network at the other end; empty for any."""
    host: str = ""
    """The address at the protected side; empty for any."""
    family: Literal[4, 6] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Forward:
    """Ports of a router's public address that lead to a machine behind it."""

    purpose: str
    ports: range
    host: str
    """The machine's address behind the router."""
    to: range
    """Its ports, as many."""
    source_ports: range | None = None
    """The ports that the others call from, where that is known (20 in active mode)."""
    remote: str = ""
    """The network of those who call; empty for any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSet:
    """All that one place must let through."""

    place: Place
    openings: tuple[Opening, ...] = ()
    forwards: tuple[Forward, ...] = ()
    helper_ports: tuple[int, ...] = ()
    """Control ports on which the kernel's FTP helper shall listen in; none where TLS makes it blind."""
