"""A session: connect, log in, send commands, make transfers. The dialogue of each operation is built on it."""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from fairlead.client import _gateway, _login, _security
from fairlead.client._connect import connect_any, is_ipv6
from fairlead.client._control import Control
from fairlead.client._data import DataPorts, Question
from fairlead.client._exchange import Outcome
from fairlead.client._flow import Flow
from fairlead.client._memory import Memory
from fairlead.client._target import Target
from fairlead.client._transfer import Transfers
from fairlead.client._wire import Address, Wire
from fairlead.client.proxy import FtpProxy
from fairlead.client.settings import ModeSetting, Password, Settings
from fairlead.client.trace import ProxyBetween, Trace
from fairlead.errors import FairleadError, ProtocolError, SessionLost
from fairlead.proto.codec import Representation
from fairlead.proto.command import encode_command
from fairlead.proto.reply import Reply

if TYPE_CHECKING:
    from datetime import timedelta

_UNKNOWN_COMMAND = {500, 502}
_SECOND_SESSION = 2.0
"""Seconds that each step of a second session may take."""


class Holder(Protocol):
    """An open file, whose transfer stands still between the operations on it."""

    path: str

    def abandon(self) -> None:
        """Break the transfer off; it is to let go of the session."""


class Session:
    """One session; its operations run one at a time."""

    def __init__(
        self, wire: Wire, target: Target, settings: Settings, trace: Trace | None, memory: Memory | None = None
    ) -> None:
        self.wire = wire
        self.target = target
        self.settings = settings
        self.features: dict[str, str] | None = None
        """What FEAT told: label to parameters. None when the server does not say."""
        self.machine_listings = False
        """Whether the server has MLSD."""
        self.lists_hidden = True
        """Whether the server may take ``LIST -a`` for a wish to see names that begin with a dot."""
        self.announces_sizes = False
        """Whether the reply that began the last download told its size, so that the next one can do without SIZE."""
        self.swallows = False
        """Whether the server did not answer a command that came with another one."""
        self.hash_algorithm: str | None = None
        """What was chosen by OPTS HASH."""
        self.ahead: timedelta | None = None
        """By how much the times that LIST shows are ahead of UTC. None until the server told."""
        self.may_set_times = True
        """Whether the server may have ways to set a file's time of which FEAT says nothing."""
        self.dates_by: str | None = None
        """The one of them that served."""
        self.greeting: Reply | None = None
        self.busy = False
        """Whether an operation runs."""
        self.holder: Holder | None = None
        """The open file whose transfer no other operation may come between."""
        self.foreign = False
        """Whether commands by hand may have made it the session of somebody else."""
        self.persisting = False
        """Whether an operation is under way that is tried again as a whole."""
        self.returning = False
        """Whether a lost session is being begun anew."""
        self._trace = trace
        self._memory = memory
        self.secret: str | None = None
        """The password that let us in, so that nobody is asked for it twice."""
        self._control: Control | None = None
        self._transfers: Transfers | None = None
        self._hosts: dict[int, str] = {}
        self._type: str | None = "A"
        self._structure: str | None = "F"
        self._transmission: str | None = "S"
        self._unknown: set[str] = set()
        self._logged_in = False
        self.was_protected = False
        """Whether the server was talked to under TLS: then it is no more in clear."""
        self._entered: list[tuple[str, str]] = []
        self._left: list[tuple[str, str]] | None = None
        """The way to the directory where a lost session was, until one stands there again."""

    @property
    def control(self) -> Control:
        """The control connection. Raises SessionLost before :meth:`connect`."""
        if self._control is None:
            raise SessionLost("there is no session yet; connect first")
        return self._control

    @property
    def connected(self) -> bool:
        """Whether the control connection stands, as far as is known."""
        return self._control is not None and not self._control.lost

    @property
    def engaged(self) -> bool:
        """Whether an operation runs, or a file is open whose transfer is not at its end."""
        return self.busy or self.holder is not None

    def claim(self, holder: Holder | None = None) -> None:
        """Begin an operation, of ``holder`` where that is given. Raises RuntimeError when it may not run.

        At its end :attr:`busy` is to be cleared.
        """
        if self.busy:
            raise RuntimeError("the session is in the middle of another operation; wait for it, or use another client")
        if self.holder is not None and self.holder is not holder:
            raise RuntimeError(
                f"{self.holder.path} is open in this session and not at its end; close it, or use another client"
            )
        self.busy = True

    async def connect(self) -> Reply:
        """Make the control connection, under TLS as the target says; returns the greeting.

        Raises ConnectError, DeadlineError, TlsError, CertificateError.
        """
        target, settings, wire = self.target, self.settings, self.wire
        if self._control is not None:
            await self._control.quit()
        timeout, door = settings.connect_timeout, settings.proxy
        if door is not None and self._trace is not None:
            self._trace(ProxyBetween(str(door)))
        host, port = target.host, target.port
        if isinstance(door, FtpProxy):
            _gateway.refuse_tls(door, target.tls)
            host, port = door.host, door.port
        addresses = await wire.resolve(host, port, family=settings.family, timeout=timeout)
        stream, round_trip = await connect_any(wire, addresses, timeout=timeout, trace=self._trace)
        control = Control(wire, stream, settings, self._trace, round_trip=round_trip)
        self._control = control
        self._hosts = _by_family(addresses)
        self._prepare_transfers()
        self._type, self._structure, self._transmission = "A", "F", "S"
        self._unknown.clear()
        self.hash_algorithm, self.may_set_times, self.dates_by = None, True, None
        self.features, self.ahead, self.announces_sizes = None, None, False
        try:
            self.greeting = await self._open(control)
        except BaseException:
            control.lose("it never began")
            raise
        return self.greeting

    def set_mode(self, mode: ModeSetting) -> None:
        """Make data connections in ``mode`` from now on; what was learned of the others is forgotten."""
        self.settings = self.settings.replace(mode=mode)
        if self._control is not None:
            self._prepare_transfers()

    def _prepare_transfers(self) -> None:
        if self._transfers is not None:
            self._transfers.drop()
        self._transfers = Transfers(
            self.control,
            DataPorts(self.control, self.settings, self._hosts),
            self.settings,
            server=self.target.url,
            another=self._another,
            renew=self._renew,
            memory=self._memory,
        )

    async def _open(self, control: Control) -> Reply:
        tls = self.target.tls
        if isinstance(self.settings.proxy, FtpProxy):
            return await _gateway.greet(control)
        if tls == "implicit":
            await control.start_tls(self.wire.protection(self.target.host, self.settings))
        greeting = await _login.greet(control)
        if self.settings.virtual_host and not self.target.named:
            await _login.tell_host(control, self.target.host)  # SNI has no words for an address
        required = tls == "require" or self.was_protected
        if tls in {"auto", "require"} and await _security.ask_for_tls(control, required=required):
            await control.start_tls(self.wire.protection(self.target.host, self.settings))
            self.was_protected = True
        return greeting

    async def _another(self) -> Control:
        """A second session of the same user, under TLS where the first one is. Raises FairleadError."""
        first = self.control
        patience = min(self.settings.reply_timeout, _SECOND_SESSION)
        settings = self.settings.replace(reply_timeout=patience)
        # A SYN that is lost would be repeated after a second; a second call is made after a quarter of one.
        stream, _ = await connect_any(self.wire, [first.peer] * 3, timeout=min(settings.connect_timeout, patience))
        control = Control(self.wire, stream, settings, None)
        try:
            await self._open(control)
            await self._log_in(control, self.secret)
            if control.protection is not None:
                await _security.protect_data(control)  # or some servers refuse to list anything
        except BaseException:
            control.lose("it never began")
            raise
        return control

    async def _renew(self) -> bool:
        """Put a new session in the place of this one, which is lost; whether that could be done.

        It is not where the user may have changed anything but directory and representation type since the login.
        """
        if not self.control.traceless or self._type is None:
            return False
        try:
            fresh = await self._another()
        except FairleadError:
            return False
        try:
            if self.settings.clear_control and fresh.protection is not None:
                await fresh.end_tls()
            await _login.ask_features(fresh)
            for step in self.control.walked:
                await fresh.ask(*step)
            await fresh.ask("TYPE", self._type)
        except FairleadError:
            fresh.lose("it never began")
            return False
        self.control.adopt(fresh)
        self.hash_algorithm = None
        return True

    async def login(self, secret: str | None = None) -> Reply:
        """Log in, ask for the features, go to the directory of the URL; returns the reply that let us in.

        Raises LoginError, PermanentError when the directory does not exist or CCC is refused, ConnectError when HOST
        is, and TlsError when the data connections cannot be protected although the control connection is.
        """
        reply = await self._enter(secret)
        for segment in self.target.segments:
            await self.ask("CWD", segment)
        self._entered, self._left, self._logged_in = list(self.control.walked), None, True
        return reply

    async def _enter(self, secret: str | None) -> Reply:
        """Log in and ask for the features, in whatever directory the login leads to."""
        target = self.target
        password = self._ask_password if callable(target.password) and secret is None else secret or target.password
        self.secret = None if callable(password) else password
        reply = await self._log_in(self.control, password)
        if self.control.protection is not None:
            await _security.protect_data(self.control)
        self.features = await _login.ask_features(self.control)
        self.machine_listings = not {"MLST", "MLSD"}.isdisjoint(self.features or ())
        if self.settings.clear_control and self.control.protection is not None:
            await self.control.end_tls()
        self.control.traceless = True
        self.control.walked.clear()
        self.foreign = False
        return reply

    async def _log_in(self, control: Control, password: Password) -> Reply:
        who = self.target.user, password, self.target.account
        if self.settings.virtual_host:
            await _login.tell_host(control, self.target.host)
        if isinstance(self.settings.proxy, FtpProxy):
            place = self.target.host, self.target.port
            return await _gateway.log_in(control, self.settings.proxy, place, *who)
        return await _login.log_in(control, *who)

    def log_in_as(self, user: str | None, secret: str | None, account: str | None) -> None:
        """A login by hand was that of ``user``: so are those of further sessions."""
        self.target = self.target.replace(user=user, password=secret, account=account)
        self.secret = secret

    def _ask_password(self) -> str:
        assert callable(self.target.password)
        self.secret = self.target.password()
        return self.secret

    async def reopen(self) -> None:
        """Begin a lost session anew, in the directory where it was. Raises as :meth:`connect` and :meth:`login` do."""
        if self._left is None:
            self._left = list(self.control.walked)
        await self.connect()
        try:
            await self._enter(self.secret)
            for step in self._left:
                await self.ask(*step)
        except BaseException:
            self.control.lose("it was not led back to where it had been")
            raise
        self._left = None

    def move_to(self, wire: Wire) -> None:
        """Wait by ``wire`` from now on; nothing may be under way."""
        self.wire = self.control.wire = wire

    @property
    def strayed(self) -> bool:
        """Whether the working directory was changed since the login."""
        return self.control.walked != self._entered

    async def go_home(self, home: str) -> None:
        """Make ``home``, which PWD told after the login, the working directory again. Raises ReplyError."""
        await self.ask("CWD", home)
        self.control.walked[:] = self._entered

    def stands(self) -> bool:
        """Whether the session still stands, by what has come from the server meanwhile: 421, or an end."""
        control = self._control
        if control is None or control.lost:
            return False
        try:
            if not control.interrupted:
                control.forget_unasked()
        except (SessionLost, ProtocolError):
            return False
        return True

    @property
    def may_return(self) -> bool:
        """Whether :meth:`reopen` leads back to where the session was: it had logged in, and nobody ended it."""
        return self._logged_in and not self.foreign

    async def close(self) -> None:
        """QUIT and close; harmless when there is no session. An operation that is under way raises SessionLost."""
        self._logged_in = False
        if self._control is None:
            return
        if self._transfers is not None:
            self._transfers.drop()
        if self.busy:
            self._control.hang_up()
            return
        if self.holder is not None:
            self.holder.abandon()
        await self._control.quit()

    async def ask(self, verb: str, argument: str = "") -> Reply:
        """Send a command and return its 2yz or 3yz reply. Raises ReplyError otherwise."""
        return await self.control.ask(verb, argument)

    async def try_command(self, verb: str, argument: str) -> Reply | None:
        """The reply to a command that a server need not have, None where it is known not to have it."""
        return self.heed(verb, await self.control.command(verb, argument)) if self.may_have(verb) else None

    def may_have(self, verb: str) -> bool:
        """Whether the server is not known to have no such command."""
        return verb not in self._unknown

    def heed(self, verb: str, reply: Reply) -> Reply | None:
        """``reply``, which ``verb`` was answered with; None where it shows that the server has no such command."""
        if reply.code in _UNKNOWN_COMMAND:
            self._unknown.add(verb)
            return None
        return reply

    async def set_type(self, letter: str) -> None:
        """Set the representation type ``A`` or ``I``, for files as a stream, by commands only for what changes."""
        await self.represent(Representation(letter))

    async def represent(self, wanted: Representation) -> None:
        """Set type, structure and mode (RFC 959 section 3), by commands only for what changes."""
        if self._type != wanted.type:
            await self.ask("TYPE", wanted.type)
            self._type = wanted.type
        if self._structure != wanted.structure or self._transmission != wanted.mode:
            await self.frame(wanted.structure, wanted.mode)

    async def frame(self, structure: str = "F", mode: str = "S") -> None:
        """Set structure and mode, by commands only for what changes; by default files as a stream."""
        if self._structure != structure:
            await self.ask("STRU", structure)
            self._structure = structure
        if self._transmission != mode:
            await self.ask("MODE", mode)
            self._transmission = mode

    def forget_type(self) -> None:
        """The representation type was changed by hand: the next transfer sets its own."""
        self._type = None

    def forget_framing(self) -> None:
        """Structure or mode were changed by hand: the next transfer sets its own."""
        self._structure = self._transmission = None

    def transfer(
        self, verb: str, argument: str, flow: Flow, *, restart: int = 0, question: Question | None = None
    ) -> Coroutine[Any, Any, Outcome]:
        """See :meth:`fairlead.client._transfer.Transfers.perform`."""
        if self._transfers is None:
            raise SessionLost("there is no session yet; connect first")
        return self._transfers.perform(verb, argument, flow, restart=restart, question=question)

    @property
    def unconfirmed(self) -> Outcome | None:
        """See :class:`fairlead.client._transfer.Transfers`."""
        return None if self._transfers is None else self._transfers.unconfirmed


def check_paths(*paths: str) -> None:
    """Called before an operation sends its first command. Raises ArgumentError for what no command can carry."""
    for path in paths:
        encode_command("NOOP", path)


def _by_family(addresses: Sequence[Address]) -> dict[int, str]:
    """The first address of each family, by its number in RFC 2428."""
    hosts: dict[int, str] = {}
    for host, _ in addresses:
        hosts.setdefault(2 if is_ipv6(host) else 1, host)
    return hosts
