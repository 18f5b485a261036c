"""Every setting: its name, type, default and meaning. All else about settings is derived from these classes.

Their annotations are not put off: to make types of so many texts again takes a while at every start.
"""

from typing import Annotated, Literal

from fairlead.config.section import Meta, Section
from fairlead.config.values import (
    HostName,
    Listen,
    Network,
    PasswordHash,
    PortRange,
    ProxyNetwork,
    PublicAddress,
    RightName,
    Umask,
    UserName,
    VirtualPath,
    bracketed,
)
from fairlead.server.settings import Settings

_SERVER = Settings()
_TLS = _SERVER.tls

Seconds = Annotated[float, Meta(ge=0)]
Timeout = Annotated[float, Meta(gt=0)]
Count = Annotated[int, Meta(ge=0)]
Port = Annotated[int, Meta(ge=0, le=65535)]


class AddressRule(Section):
    """The address that 227 announces to the clients of one network, and the ports that they call."""

    in_short = "address"

    address: PublicAddress
    clients: Annotated[Network, Meta(description="the clients it is for; empty for all")] = Network("")
    ports: Annotated[
        PortRange | None,
        Meta(
            description="the ports that a router maps on passive_ports, one to one; unset where they are the same; for"
            " clients over IPv6 only where clients is a network of theirs"
        ),
    ] = None


class Server(Section):
    """Where the server listens, how data connections are made, how long it waits."""

    listen: Annotated[list[Listen], Meta(min_length=1, description="where control connections are accepted")] = [
        Listen(f"{bracketed(host)}:{port}") for host, port in _SERVER.listen
    ]
    banner: Annotated[str, Meta(description="the text of the greeting")] = _SERVER.banner
    names: Annotated[
        list[HostName],
        Meta(description="what clients call the server by HOST, beside the machine's name and those it announces"),
    ] = []
    allow: Annotated[
        list[Network], Meta(description="addresses and networks that may connect, also for data; empty for all")
    ] = []
    deny: Annotated[list[Network], Meta(description="those of them that may not")] = []
    passive_ports: Annotated[PortRange, Meta(description="the ports of passive mode, which a firewall must let in")] = (
        PortRange(f"{_SERVER.passive_ports[0]}-{_SERVER.passive_ports[-1]}")
    )
    public_address: Annotated[
        list[AddressRule],
        Meta(
            description="what 227 announces where a NAT stands before the server; the first that fits a client counts"
        ),
    ] = []
    proxy_from: Annotated[
        list[ProxyNetwork],
        Meta(
            description="load balancers, whose connections, also for data, begin with a PROXY header (version 1 or 2)"
            " that names the client; from other addresses none is taken"
        ),
    ] = []
    active: Annotated[bool, Meta(description="whether PORT and EPRT are served")] = _SERVER.active
    active_source_port: Annotated[
        Port | None,
        Meta(description="the port that active mode calls from; unset for the listener's minus one, 0 for any"),
    ] = _SERVER.active_source_port
    allow_fxp: Annotated[bool, Meta(description="whether data connections may go to others than the client")] = (
        _SERVER.allow_fxp
    )
    login_timeout: Annotated[Timeout, Meta(description="seconds until a login")] = _SERVER.login_timeout
    idle_timeout: Annotated[Timeout, Meta(description="seconds between commands while no transfer runs")] = (
        _SERVER.idle_timeout
    )
    max_idle_timeout: Annotated[Timeout, Meta(description="seconds that a client may have by SITE IDLE instead")] = (
        _SERVER.max_idle_timeout
    )
    data_connect_timeout: Annotated[Timeout, Meta(description="seconds until a data connection is made")] = (
        _SERVER.data_connect_timeout
    )
    data_stall_timeout: Annotated[Timeout, Meta(description="seconds in which no octet moves on a data connection")] = (
        _SERVER.data_stall_timeout
    )
    grace: Annotated[Seconds, Meta(description="seconds for running transfers when the server stops")] = _SERVER.grace
    max_sessions: Annotated[Count, Meta(description="sessions at a time; 0 for no limit")] = _SERVER.max_sessions
    max_sessions_per_address: Annotated[
        Count, Meta(description="sessions at a time from one address; 0 for no limit")
    ] = _SERVER.max_sessions_per_address
    max_login_attempts: Annotated[int, Meta(ge=1, description="wrong passwords in a session before it is ended")] = (
        _SERVER.max_login_attempts
    )
    login_delay: Annotated[
        Seconds,
        Meta(
            description="seconds before a wrong password is answered; more after recent failures from the same address"
        ),
    ] = _SERVER.login_delay
    line_limit: Annotated[int, Meta(ge=512, description="octets of the longest command line")] = _SERVER.line_limit
    ascii_size_limit: Annotated[
        Count, Meta(description="octets of the largest file that SIZE reads to count lines, records or frames")
    ] = _SERVER.ascii_size_limit
    hash_size_limit: Annotated[
        Count, Meta(description="octets of the largest file or range that HASH and its kin go through; 0 for no limit")
    ] = _SERVER.hash_size_limit
    time_zone_utc: Annotated[bool, Meta(description="whether LIST shows UTC; else the local time zone")] = (
        _SERVER.time_zone_utc
    )
    workers: Annotated[Count, Meta(description="processes that serve; 0 for one per core")] = _SERVER.workers


class Tls(Section):
    """Protection of connections by TLS (RFC 4217), where there is a certificate."""

    certificate: Annotated[
        list[str],
        Meta(
            description="files in PEM form, the certificate first, then those up to the authority; of several the one"
            " with the name that the client calls is used, else the first"
        ),
    ] = []
    key: Annotated[
        list[str], Meta(description="the key of each certificate, unprotected; unset where it is in the same file")
    ] = []
    self_signed: Annotated[
        bool, Meta(description="in place of a certificate: make one, and keep it for the next time")
    ] = False
    required: Annotated[bool, Meta(description="whether logging in and data in clear are refused")] = _TLS.required
    implicit: Annotated[
        list[Listen], Meta(description="where TLS comes before FTP, as some clients want it on port 990")
    ] = []
    resumption: Annotated[
        Literal["off", "warn", "require"],
        Meta(
            description="whether data connections must resume the control connection's session, which proves whose they"
            " are; warn records who does not"
        ),
    ] = _TLS.resumption
    client_ca: Annotated[
        str, Meta(description="a file of authorities in PEM form whose certificates clients may show; empty: none")
    ] = _TLS.client_ca
    minimum_version: Annotated[
        Literal["1.2", "1.3"], Meta(description="the lowest version of TLS that is accepted")
    ] = _TLS.minimum_version
    require_close_notify: Annotated[
        bool, Meta(description="whether an upload counts only when TLS itself was ended, so that nobody can cut it")
    ] = _TLS.require_close_notify


class Storage(Section):
    """The files that are served."""

    root: Annotated[str, Meta(min_length=1, description="the directory; in a file, relative to where the file is")] = (
        "."
    )
    durability: Annotated[
        Literal["full", "relaxed"],
        Meta(description="whether an upload is on the disk before it is acknowledged; relaxed leaves it to the system"),
    ] = "full"
    umask: Annotated[Umask, Meta(description="the permission bits that new files and directories do not get")] = Umask(
        "022"
    )
    keep_partials: Annotated[
        Seconds, Meta(description="seconds that an upload cut short is kept for its client to resume; 0 for ever")
    ] = 7 * 86400.0


class PathRule(Section):
    """The rights in a tree, in place of what a shorter path gives."""

    path: VirtualPath
    rights: list[RightName]


class Anonymous(Section):
    """Access without an account, by the names anonymous and ftp. It reads only, unless rules give more."""

    enabled: Annotated[bool | None, Meta(description="unset: when there are no users")] = None
    need_password: Annotated[
        bool, Meta(description="whether some password must be given, such as an e-mail address")
    ] = False
    root: Annotated[str, Meta(description="its directory, when it is not that of the storage")] = ""
    home: Annotated[VirtualPath, Meta(description="where a session begins")] = VirtualPath("/")
    rules: Annotated[list[PathRule], Meta(description="rights by path; the longest path that fits counts")] = []


class User(Section):
    """A named user."""

    name: UserName
    password: PasswordHash
    hosts: Annotated[
        list[HostName], Meta(description="the virtual hosts where the user logs in; unset: the server itself, and all")
    ] = []
    root: Annotated[str, Meta(description="the user's directory, when it is not that of the storage")] = ""
    home: Annotated[VirtualPath, Meta(description="where a session begins")] = VirtualPath("/")
    write: Annotated[bool | None, Meta(description="whether the user changes files; unset: when --write is given")] = (
        None
    )
    rules: Annotated[list[PathRule], Meta(description="rights by path; the longest path that fits counts")] = []
    allow_fxp: Annotated[bool, Meta(description="whether this user's data connections may go to others")] = False
    admin: Annotated[bool, Meta(description="whether the user sees the other sessions, by SITE WHO")] = False
    account_at: Annotated[
        Literal["", "login", "store"], Meta(description="when ACCT is asked for: never, at login, or before storing")
    ] = ""
    account: Annotated[PasswordHash | None, Meta(description="what ACCT must carry")] = None
    certificates: Annotated[
        list[str],
        Meta(
            description="common or alternative names of certificates, issued by tls.client_ca, that open the account"
            " without the password"
        ),
    ] = []


class Host(Section):
    """A virtual host, for clients that call the server by its name: by HOST, or when TLS begins."""

    name: HostName
    aliases: Annotated[list[HostName], Meta(description="further names of it")] = []
    banner: Annotated[str, Meta(description="the text of its greeting; empty for that of the server")] = ""
    root: Annotated[str, Meta(description="its directory, when it is not that of the storage")] = ""
    anonymous: Annotated[bool | None, Meta(description="access without an account; unset: as for the server")] = None
    available: Annotated[bool, Meta(description="whether it is served at the moment; else clients are sent away")] = (
        True
    )


class Log(Section):
    """The log on standard error."""

    format: Annotated[Literal["text", "json"], Meta(description="text for people, json for programs")] = "text"


class Metrics(Section):
    """Metrics for Prometheus. They need the extra `metrics`: pip install 'fairlead[metrics]'."""

    listen: Annotated[
        Listen | None, Meta(description="where they are fetched over HTTP, without TLS or password; unset for nowhere")
    ] = None


class Config(Section):
    """Settings of `fairlead serve`."""

    server: Server = Server()
    tls: Tls = Tls()
    storage: Storage = Storage()
    anonymous: Anonymous = Anonymous()
    users: list[User] = []
    hosts: list[Host] = []
    log: Log = Log()
    metrics: Metrics = Metrics()
