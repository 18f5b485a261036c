"""Where a session goes and as whom, by an address that a person writes."""

from __future__ import annotations

from collections.abc import Sequence

from fairlead.client import _security
from fairlead.client.settings import Password, TlsSetting
from fairlead.proto.url import PORTS, FtpUrl, parse_url
from fairlead.record import Record


class Target(Record, hidden=("password", "account")):
    """Where a session goes and as whom; ``segments`` are the directories to change to after the login."""

    host: str
    port: int
    user: str | None
    password: Password
    account: str | None
    segments: Sequence[str]
    tls: TlsSetting

    @property
    def url(self) -> str:
        """The server without user and path, as a person may write it."""
        scheme = "ftps" if self.tls == "implicit" else "ftp"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{scheme}://{host}" + (f":{self.port}" if self.port != PORTS[scheme] else "")

    @classmethod
    def of(
        cls, url: str | FtpUrl, user: str | None, password: Password, account: str | None, tls: TlsSetting
    ) -> Target:
        """The target of an ``ftp://``, ``ftpes://`` or ``ftps://`` URL, or of a bare ``host[:port]``.

        What is given beside it goes first. Raises ArgumentError for what is no such URL.
        """
        parts = url if isinstance(url, FtpUrl) else parse_url(url if "://" in url else f"ftp://{url}")
        wanted = _security.wanted(parts.scheme, tls)
        implicit_port = wanted == "implicit" and parts.port == PORTS["ftp"]
        return cls(
            parts.host,
            PORTS["ftps"] if implicit_port else parts.port,
            parts.user if user is None else user,
            parts.password if password is None else password,
            account,
            parts.segments,
            wanted,
        )

    @property
    def named(self) -> bool:
        """Whether the host was given by a name, not by an address."""
        return not (":" in self.host or self.host.replace(".", "").isdecimal())
