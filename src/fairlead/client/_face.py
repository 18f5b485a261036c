"""What the blocking and the asynchronous client have in common: settings in, a session behind."""

from __future__ import annotations

from collections.abc import Coroutine, Mapping, Sequence
from os import PathLike
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from fairlead.client._core import Holder, Session
from fairlead.client._memory import Memory
from fairlead.client._target import Target
from fairlead.client._wire import Wire
from fairlead.client.proxy import Proxy, Tunnel
from fairlead.client.rate import Rate
from fairlead.client.settings import (
    KnownCertificates,
    ModeSetting,
    Password,
    Settings,
    StructureSetting,
    TlsSetting,
    TransmissionSetting,
)
from fairlead.client.trace import Trace
from fairlead.proto.reply import Reply
from fairlead.proto.url import FtpUrl

if TYPE_CHECKING:
    from pathlib import Path

T = TypeVar("T")


class Face:
    """A client of one FTP server.

    ``url`` is ``ftp://[user[:password]@]host[:port][/directory]`` or a bare ``host[:port]``; without a user the login
    is anonymous. ``ftpes://`` stands for ``tls="require"``, ``ftps://`` for ``tls="implicit"``.

    ``tls`` is ``auto`` (TLS before the login wherever the server offers it), ``require`` (nobody logs in without),
    ``implicit`` (TLS before the first octet, on port 990 unless told otherwise) or ``off``. Once TLS was asked for or
    offered, nothing falls back to clear. The certificate must come from an authority of the system, or of the file
    ``ca``, and be for the host's name; ``pin`` asks for one certificate only, ``known_hosts``, a file (or a
    :class:`fairlead.client.known_hosts.KnownHosts`), for the one that the server showed first, and ``insecure`` for
    nothing. An ``ssl.SSLContext`` as ``context`` has the say in place of ``ca`` and ``insecure``, and may hold our own
    certificate for servers that ask for one.

    ``user``, ``password`` and ``account`` go before what the URL says; ``password`` may be a function,
    which is called only when the server asks for a password. ``trace`` gets a record of each command, reply and step
    of a data connection (:mod:`fairlead.client.trace`). ``memory`` is a file (or an object like
    :class:`fairlead.client.memory.ModeMemory`) that remembers which mode served with this server in this network;
    without it nothing is remembered beyond the session. ``proxy`` is what stands in between, see
    :func:`fairlead.integrations.proxies.proxy`. ``retries`` None is 0 for all but mirrors, which then try
    again three times in a row. The other arguments are fields of :class:`fairlead.client.settings.Settings`. Raises
    ArgumentError for what is no such URL.
    """

    def __init__(
        self,
        url: str | FtpUrl,
        *,
        user: str | None = None,
        password: Password = None,
        account: str | None = None,
        mode: ModeSetting = Settings.mode,
        family: Literal[4, 6] | None = Settings.family,
        connect_timeout: float = Settings.connect_timeout,
        reply_timeout: float = Settings.reply_timeout,
        final_timeout: float | None = Settings.final_timeout,
        data_timeout: float = Settings.data_timeout,
        retries: int | None = None,
        retry_delay: float = Settings.retry_delay,
        noop_interval: float | None = Settings.noop_interval,
        structure: StructureSetting = Settings.structure,
        transmission: TransmissionSetting = Settings.transmission,
        limit_rate: Rate | int | None = Settings.limit_rate,
        active_ports: Sequence[int] | None = Settings.active_ports,
        active_address: str | None = Settings.active_address,
        trust_announced_address: bool = Settings.trust_announced_address,
        epsv_all: bool = Settings.epsv_all,
        listing_limit: int = Settings.listing_limit,
        tls: TlsSetting = "auto",
        ca: str | Path | None = Settings.ca,
        insecure: bool = Settings.insecure,
        pin: str | None = Settings.pin,
        known_hosts: KnownCertificates | str | PathLike[str] | None = Settings.known_hosts,
        context: object = Settings.context,
        clear_control: bool = Settings.clear_control,
        virtual_host: bool = Settings.virtual_host,
        language: str | None = Settings.language,
        proxy: Proxy | None = Settings.proxy,
        trace: Trace | None = None,
        memory: Memory | str | PathLike[str] | None = None,
    ) -> None:
        settings = Settings(
            mode=mode,
            family=family,
            connect_timeout=connect_timeout,
            reply_timeout=reply_timeout,
            final_timeout=final_timeout,
            data_timeout=data_timeout,
            retries=retries or Settings.retries,
            retry_delay=retry_delay,
            noop_interval=noop_interval,
            structure=structure,
            transmission=transmission,
            limit_rate=Rate(limit_rate) if isinstance(limit_rate, int) else limit_rate,
            active_ports=active_ports,
            active_address=active_address,
            trust_announced_address=trust_announced_address,
            epsv_all=epsv_all,
            listing_limit=listing_limit,
            ca=ca,
            insecure=insecure,
            pin=pin,
            known_hosts=_known_in_file(known_hosts) if isinstance(known_hosts, str | PathLike) else known_hosts,
            context=context,
            clear_control=clear_control,
            virtual_host=virtual_host,
            language=language,
            proxy=proxy,
        )
        # What served by way of a proxy tells nothing about this network.
        kept = None if proxy else _in_file(memory) if isinstance(memory, str | PathLike) else memory
        tunnel, target = settings.tunnel, Target.of(url, user, password, account, tls)
        wire = self._make_wire() if tunnel is None else self._make_tunnelled(tunnel, settings.connect_timeout)
        self._session = Session(wire, target, settings, trace, kept)
        self._given = {"url": url, "user": user, "password": password, "account": account, "tls": tls}
        self._retries = retries
        self._trace, self._memory = trace, kept

    @property
    def connected(self) -> bool:
        """Whether the control connection stands, as far as is known."""
        return self._session.connected

    def alive(self) -> bool:
        """As :attr:`connected`, after a look at what the server may have said unasked; waits for nothing."""
        return self._session.connected if self._session.engaged else self._session.stands()

    @property
    def mode(self) -> ModeSetting:
        """How data connections are made; a new mode serves from the next one on, with nothing known against it."""
        return self._session.settings.mode

    @mode.setter
    def mode(self, mode: ModeSetting) -> None:
        self._session.set_mode(mode)

    @property
    def greeting(self) -> Reply | None:
        """The server's first reply; None before connecting."""
        return self._session.greeting

    @property
    def features(self) -> Mapping[str, str] | None:
        """What the server told after FEAT (RFC 2389): label in upper case to parameters; None when it does not say."""
        known = self._session.features
        return None if known is None else MappingProxyType(known)

    def _likewise(self) -> dict[str, Any]:
        trace, secret = self._trace, self._session.secret
        arguments: dict[str, Any] = self._given | vars(self._session.settings) | {"retries": self._retries}
        if callable(arguments["password"]) and secret is not None:
            arguments["password"] = secret
        if self._session.was_protected and self._session.target.tls == "auto":
            arguments["tls"] = "require"  # the others are not talked into going in clear
        if self._memory is not None:
            arguments["memory"] = self._memory
        if trace is not None:
            arguments["trace"] = lambda _number, record: trace(record)
        return arguments

    def _make_wire(self) -> Wire:
        raise NotImplementedError

    def _make_tunnelled(self, tunnel: Tunnel, timeout: float) -> Wire:
        raise NotImplementedError


def _in_file(path: str | PathLike[str]) -> Memory:
    from fairlead.client.memory import ModeMemory  # noqa: PLC0415 - with all that reads and writes JSON

    return ModeMemory(path)


def _known_in_file(path: str | PathLike[str]) -> KnownCertificates:
    from fairlead.client.known_hosts import KnownHosts  # noqa: PLC0415 - few clients trust that way

    return KnownHosts(path)


def session_of(client: Face) -> Session:
    """The session behind ``client``, for what two clients do together."""
    return client._session  # noqa: SLF001 - of the same family


def hand_over(giver: Face, taker: Face) -> None:
    """Give the session of ``giver`` to ``taker``, a client of the same server and user that has none yet.

    Raises RuntimeError in the midst of an operation, SessionLost where there is no session.
    """
    session = session_of(giver)
    session.claim()
    try:
        session.move_to(session_of(taker).wire)
    finally:
        session.busy = False
    giver._session, taker._session = taker._session, giver._session  # noqa: SLF001 - of the same family


def likewise(client: Face) -> dict[str, Any]:
    """The arguments of a :class:`fairlead.client.pool.Pool` of sessions like that of ``client``."""
    return client._likewise()  # noqa: SLF001 - of the same family


async def exclusively(session: Session, operation: Coroutine[Any, Any, T], holder: Holder | None = None) -> T:
    """Run ``operation`` while no other runs. Raises RuntimeError when one does: a session has one dialogue."""
    try:
        session.claim(holder)
    except RuntimeError:
        operation.close()
        raise
    try:
        return await operation
    finally:
        session.busy = False
