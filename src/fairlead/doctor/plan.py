"""What is to be examined, as whom, and what may be said in clear."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from fairlead.client.settings import ModeSetting, Password, Settings, TlsSetting
from fairlead.reach.evidence import Family


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The server and the account, and what the person who asks allows."""

    host: str
    port: int
    user: str | None = None
    """None for anonymous."""
    password: Password = field(default=None, repr=False)
    directories: Sequence[str] = ()
    """Where to list."""
    file: str = ""
    """A file to fetch in a thorough examination; empty for a listing alone."""
    tls: TlsSetting = "auto"
    """``auto`` tries both protections, ``off`` clear alone, ``require`` and ``implicit`` TLS alone."""
    clear_password: bool = False
    """Whether the password may go in clear to a server that offers TLS."""
    mode: ModeSetting = "auto"
    """One mode only, where it is not ``auto``."""
    limit: float | None = None
    """Seconds for everything; None for as many as the causes can take to show."""
    family: Family | None = None
    """One family of addresses only."""
    settings: Settings = field(default_factory=Settings)
    """What the certificate must be, and which ports and address active mode announces."""

    @property
    def secret(self) -> bool:
        """Whether the login has a password that others must not see."""
        return self.user is not None
