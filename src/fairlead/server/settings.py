"""What a server can be told, with the defaults a user gets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from fairlead.record import Record

DEFAULT_LISTEN = (("127.0.0.1", 2121), ("::1", 2121))
DEFAULT_PASSIVE_PORTS = range(61000, 65536)


class Announce(Record):
    """The address that 227 names to clients of one network.

    ``address`` is an IPv4 address, a host name (resolved anew every ``refresh`` seconds), or empty for the address of
    the control connection itself. ``clients`` is a network such as ``10.0.0.0/8``; empty for all. ``ports`` are what
    a router before the server maps on the passive ports, one to one, where they differ. Clients over IPv6 are told
    such ports only by rules whose ``clients`` are of IPv6: a router that maps ports seldom does so for both.
    """

    address: str = ""
    clients: str = ""
    ports: range | None = None
    refresh: float = 60.0


class Certificate(Record):
    """A certificate with its chain and its key, files in PEM form; an empty ``key`` means that it is in ``file``."""

    file: str
    key: str = ""


class TlsSettings(Record):
    """How connections are protected (RFC 4217); without certificates they are not."""

    certificates: Sequence[Certificate] = ()
    """The first serves clients who call by a name that is in none of them."""
    required: bool = False
    """Whether nobody logs in and no data move in clear."""
    implicit: Sequence[tuple[str, int]] = ()
    """Hosts and ports where TLS comes before FTP."""
    resumption: Literal["off", "warn", "require"] = "warn"
    """What becomes of a data connection that does not resume the TLS session of its control connection."""
    client_ca: str = ""
    """A file of authorities in PEM form whose certificates clients may show; empty to ask for none."""
    minimum_version: Literal["1.2", "1.3"] = "1.2"
    require_close_notify: bool = True
    """Whether an upload under TLS counts only when the client says that it is whole."""


class Settings(Record):
    """Settings of a server; times in seconds, sizes in octets."""

    listen: Sequence[tuple[str, int]] = DEFAULT_LISTEN
    banner: str = "Fairlead ready."
    names: Sequence[str] = ()
    """Names by which HOST may call the server itself, beside the machine's own and those that are announced."""
    allow: Sequence[str] = ()
    """Addresses and networks that may connect, also for data; empty for all."""
    deny: Sequence[str] = ()
    """Those of them that may not."""
    proxy_from: Sequence[str] = ()
    """Addresses and networks of load balancers, whose connections begin with a PROXY header."""
    passive_ports: range = DEFAULT_PASSIVE_PORTS
    announce: Sequence[Announce] = ()
    """Tried in order, the first whose network holds the client decides."""
    active: bool = True
    """Whether PORT and EPRT are served."""
    active_source_port: int | None = None
    """None for the listener's port minus one (RFC 959 section 3.2), 0 for any."""
    allow_fxp: bool = False
    """Whether data connections may go to or come from others than the control peer, for every account."""
    login_timeout: float = 60.0
    idle_timeout: float = 300.0
    max_idle_timeout: float = 7200.0
    """The longest that SITE IDLE may ask for."""
    data_connect_timeout: float = 30.0
    data_stall_timeout: float = 120.0
    grace: float = 30.0
    """How long running transfers may go on when the server stops."""
    max_sessions: int = 0
    """0 for no limit."""
    max_sessions_per_address: int = 0
    max_login_attempts: int = 3
    """Wrong passwords in one session before 421."""
    login_delay: float = 1.0
    """How long 530 waits after a wrong password; it grows with the source's recent failures."""
    line_limit: int = 8192
    """The longest command line."""
    ascii_size_limit: int = 64 * 1024 * 1024
    """The largest file whose size is counted where lines, records or frames change it (SIZE reads all of it)."""
    hash_size_limit: int = 0
    """The most octets that HASH and its kin go through for one file; 0 for any number."""
    time_zone_utc: bool = True
    """Whether LIST shows UTC (else the local zone)."""
    workers: int = 1
    tls: TlsSettings = TlsSettings()

    @property
    def everywhere(self) -> tuple[tuple[str, int], ...]:
        """Where it listens: in clear first, then with TLS before FTP."""
        return (*self.listen, *self.tls.implicit)
