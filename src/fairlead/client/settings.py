"""What a client can be told, with the defaults a user gets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

ModeSetting: TypeAlias = Literal["auto", "epsv", "pasv", "eprt", "port"]
Password: TypeAlias = "str | Callable[[], str] | None"


@dataclass(frozen=True)
class Settings:
    """Settings of a session; times in seconds, sizes in octets."""

    mode: ModeSetting = "auto"
    """How data connections are made; ``auto`` tries EPSV, PASV, EPRT and PORT in turn."""
    family: Literal[4, 6] | None = None
    """4 or 6 to use only IPv4 or IPv6."""
    connect_timeout: float = 20.0
    """For the control connection, and for each data connection."""
    reply_timeout: float = 60.0
    """From a command to its reply, and from the end of the data to the final reply."""
    data_timeout: float = 60.0
    """How long a transfer may stand still."""
    active_ports: Sequence[int] | None = None
    """Ports to listen on in active mode; None leaves the choice to the system."""
    active_address: str | None = None
    """The address that PORT and EPRT announce, where it is not our end of the control connection (NAT)."""
    trust_announced_address: bool = False
    """Whether the address in 227 is called even where it is not the server's own."""
    epsv_all: bool = False
    """Whether ``EPSV ALL`` promises NATs on the way that no other set-up command will follow (RFC 2428 section 4)."""
    listing_limit: int = 256 * 1024 * 1024
    """The longest listing."""
