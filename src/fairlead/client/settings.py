"""What a client can be told, with the defaults a user gets."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

from fairlead.client.proxy import FtpProxy, Proxy, Tunnel
from fairlead.client.rate import Rate
from fairlead.errors import ArgumentError, ConfigError
from fairlead.record import Record

if TYPE_CHECKING:
    from pathlib import Path

ModeSetting: TypeAlias = Literal["auto", "epsv", "pasv", "eprt", "port"]
StructureSetting: TypeAlias = Literal["F", "R"]
TransmissionSetting: TypeAlias = Literal["S", "B", "C", "Z"]
TlsSetting: TypeAlias = Literal["auto", "require", "off", "implicit"]
Password: TypeAlias = "str | Callable[[], str] | None"
_SHA256 = re.compile(r"[0-9a-f]{64}")


class KnownCertificates(Protocol):
    """Remembers which certificate each server showed."""

    def check(self, server: str, certificate: str) -> bool:
        """Whether ``server`` (``host:port``) was not known, so that ``certificate``, its SHA-256, is remembered now.

        Raises CertificateError where it is known by others only.
        """


class Settings(Record):
    """Settings of a session; times in seconds, sizes in octets."""

    mode: ModeSetting = "auto"
    """How data connections are made; ``auto`` finds out which of EPSV, PASV, EPRT and PORT works."""
    family: Literal[4, 6] | None = None
    """4 or 6 to use only IPv4 or IPv6."""
    connect_timeout: float = 20.0
    """For the control connection, and for each data connection."""
    reply_timeout: float = 60.0
    """From a command to its reply."""
    final_timeout: float | None = None
    """From the end of the data to the final reply, which some servers give once they have looked through the file; None
    for ``reply_timeout``."""
    data_timeout: float = 60.0
    """How long a transfer may stand still."""
    retries: int = 0
    """How many times in a row an operation is tried again that failed for now: 4yz, a lost session, a cut or stalled
    data connection. Transfers go on where they ended; what must not be done twice is not repeated blindly."""
    retry_delay: float = 1.0
    """Before the first of them; twice as long before each further one, up to a minute, the half of it by chance."""
    noop_interval: float | None = None
    """From one NOOP to the next during a transfer, for what forgets a control connection that nobody uses; None, the
    rule, for no NOOP but between commands (RFC 1123 section 4.1.4.4). TCP keeps connections alive every 30 s anyway."""
    structure: StructureSetting = "F"
    """How files that are fetched and stored are structured (STRU, RFC 959 section 3.1.2): F for octets, R for records.

    A record is a line of the file here.
    """
    transmission: TransmissionSetting = "S"
    """How such files go over (MODE, RFC 959 section 3.4): S a stream, B blocks, C runs compressed, Z deflated.

    What the server does not have is its PermanentError at the first transfer. Everything else goes as a stream.
    """
    limit_rate: Rate | None = None
    """How fast data may go, both ways together; the same object in the settings of several clients counts for all."""
    active_ports: Sequence[int] | None = None
    """Ports to listen on in active mode; None leaves the choice to the system."""
    active_address: str | None = None
    """The address that PORT and EPRT announce in sessions of its family, where it is not our own one (NAT)."""
    trust_announced_address: bool = False
    """Whether the address in 227 is called even where it is not the server's own."""
    epsv_all: bool = False
    """Whether ``EPSV ALL`` promises NATs on the way that no other set-up command will follow (RFC 2428 section 4)."""
    listing_limit: int = 32 * 1024 * 1024
    """The longest listing; some 400,000 entries, and what a client can take that hears no end of one."""
    ca: str | Path | None = None
    """A file of certificates in PEM form that are trusted instead of the system's."""
    insecure: bool = False
    """Whether any certificate will do."""
    pin: str | None = None
    """The SHA-256 of the server's certificate in hexadecimal digits; see :func:`fingerprint`.

    Unless ``ca`` is given as well, nothing else is asked of the certificate then.
    """

    known_hosts: KnownCertificates | None = None
    """Trust on first use: what a server showed first is all that is accepted of it from then on.

    Unless ``ca`` is given as well, nothing else is asked of the certificate then.
    """

    context: object = None
    """An ``ssl.SSLContext`` that says all of the above, and what else there is to say, such as our own certificate."""
    clear_control: bool = False
    """Whether the control connection leaves TLS after the login (CCC, RFC 4217 section 5), for NATs that read along.

    Commands and file names then go in clear; the password went under TLS, and data connections stay there.
    """
    virtual_host: bool = False
    """Whether HOST tells the server by which name it was called (RFC 7151).

    Servers that know HOST refuse names which nobody told them, so this is for those with virtual hosts.
    """
    language: str | None = None
    """The language that LANG asks for (RFC 2640 section 4), such as ``de``; a server need not have it."""

    proxy: Proxy | None = None
    """What stands between us and the server; see :mod:`fairlead.integrations.proxies`."""

    def __post_init__(self) -> None:
        if self.tunnel is not None and self.mode in {"eprt", "port"}:
            message = (
                f"active mode ({self.mode}) cannot go through the proxy {self.tunnel}, which the server would have to "
                "call instead of us; take epsv, pasv or auto"
            )
            raise ConfigError(message)
        if self.pin is not None:
            fingerprint(self.pin)
        if self.known_hosts is not None and (self.pin is not None or self.insecure):
            message = "known hosts beside a pin or insecure would say twice whom to trust; leave one of them out"
            raise ArgumentError(message)

    def unproven(self) -> Settings:
        """The same, any certificate accepted: for a look at a server that gets no secret."""
        return self.replace(insecure=True, pin=None, known_hosts=None, context=None)

    @property
    def tunnel(self) -> Tunnel | None:
        """The proxy that carries our connections; None where there is none, or one that speaks FTP."""
        return None if isinstance(self.proxy, FtpProxy) else self.proxy


def fingerprint(text: str) -> str:
    """The SHA-256 of a certificate as 64 small hexadecimal digits; colons between them are left out.

    Raises ArgumentError for what is no such number.
    """
    digits = text.replace(":", "").strip().lower()
    if not _SHA256.fullmatch(digits):
        message = f"{text!r} is no SHA-256 of a certificate; it has 64 hexadecimal digits"
        raise ArgumentError(message)
    return digits
