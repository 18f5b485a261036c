"""What a session knows: who, where, in which representation, and what the last command left pending."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fairlead.proto.codec import DEFAULT_LEVEL, Representation
from fairlead.proto.facts import DEFAULT_FACTS
from fairlead.server.data import without_zone
from fairlead.server.language import DEFAULT
from fairlead.server.protection import Protection

if TYPE_CHECKING:
    from fairlead.accounts.base import Account, Accounts
    from fairlead.proto.reply import Reply
    from fairlead.server.control import Control
    from fairlead.server.data import DataPort
    from fairlead.server.hosts import Host
    from fairlead.server.language import Language
    from fairlead.server.marks import Mark
    from fairlead.server.ranges import Range
    from fairlead.server.server import Server
    from fairlead.server.transfer import Transfer
    from fairlead.server.work import Work
    from fairlead.storage.base import Storage

INITIAL = Representation("A", "N", "F", "S")
"""The representation after connecting and after REIN (RFC 959 section 5.1)."""


class Session:
    """The state of one session; a plain record, its rules are in dispatch and in the commands."""

    __slots__ = (
        "account",
        "awaiting",
        "caller",
        "copy_from",
        "cwd",
        "deflate_level",
        "epsv_all",
        "facts",
        "failures",
        "hash_algorithm",
        "here",
        "idle_timeout",
        "language",
        "local",
        "logged_out",
        "may_store",
        "named_host",
        "number",
        "offset",
        "peer",
        "pending",
        "port",
        "protection",
        "range",
        "rename_from",
        "reply_to",
        "representation",
        "restart",
        "server",
        "started",
        "storage",
        "transfer",
        "user",
        "window",
    )

    def __init__(
        self, server: Server, control: Control, number: int, started: float, *, implicit: bool = False
    ) -> None:
        self.server = server
        self.reply_to = control
        self.number = number
        self.started = started
        self.peer: tuple[str, int] = ("", 0)
        """The client's address and port of the control connection; an IPv4-mapped address is shown as IPv4."""
        self.local: tuple[str, int] = ("", 0)
        """The address and port that the client called."""
        self.here = ""
        """The address of this machine that the control connection ends at; where a proxy calls, not the client's."""
        self.account: Account | None = None
        self.logged_out = started
        """The loop's time since which nobody is logged in; the login time-out counts from there."""
        self.failures = 0
        """Wrong passwords so far; outlives REIN."""
        self.protection = Protection(implicit=implicit)
        self.named_host: Host | None = None
        """The virtual host that HOST named; None for the server itself. Outlives AUTH, for it chooses a certificate."""
        self.reset()

    def reset(self) -> None:
        """Forget everything but the control connection and its protection (REIN, RFC 959 section 4.1.1)."""
        self.port: DataPort | None = None
        self.transfer: Transfer | Work | None = None
        self.epsv_all = False
        self.speak(DEFAULT, None)
        self.idle_timeout = self.server.settings.idle_timeout
        """Seconds without a command after which the session ends; SITE IDLE sets it."""
        self.facts: frozenset[str] = DEFAULT_FACTS
        self.hash_algorithm = "SHA-256"
        """What OPTS HASH chose."""
        self.representation = INITIAL
        self.deflate_level = DEFAULT_LEVEL
        """What OPTS MODE Z set."""
        self.log_out()

    def log_out(self) -> None:
        """Forget who is logged in; transfer parameters stay (USER, RFC 959 section 4.1.1)."""
        if self.account is not None:
            self.logged_out = self.server.loop.time()
            self.reply_to.check_at(self.logged_out + self.server.settings.login_timeout)
        self.user = ""
        self.account = None
        self.storage: Storage
        self.caller: str | None
        """The only address that may call this user's passive ports; None for any."""
        self.may_store = False
        """Whether ACCT gave what an account asks for before it stores."""
        self.awaiting: Account | None = None
        """The account that PASS proved and whose ACCT is still to come."""
        self.cwd = "/"
        self.pending = ""
        """The verb that succeeded last, where another must come right after it (RNFR, USER)."""
        self.rename_from = ""
        self.copy_from = ""
        """What SITE CPFR named."""
        self.restart: int | Mark = 0
        """The offset that REST set for the next transfer, or the place of its marker in block and compressed mode."""
        self.offset: int | Mark = 0
        """The offset for the command that begins; REST's is used up by then, unless another may stand in between."""
        self.range: Range | None = None
        """The octets that RANG chose for the next transfer."""
        self.window: Range | None = None
        """Those for the command that begins, as with ``offset``."""

    def log_in(self, account: Account) -> None:
        """Take on the identity of ``account``, in its home."""
        self.account = account
        self.awaiting = None
        self.storage = account.storage or (self.host or self.server).storage
        self.cwd = account.home
        third_parties = account.allow_fxp or self.server.settings.allow_fxp
        self.caller = None if third_parties else without_zone(self.peer[0])
        self.reply_to.check_at(self.server.loop.time() + self.idle_timeout)

    def speak(self, tag: str, language: Language | None) -> None:
        """Say replies from now on in the language ``tag``; ``language`` is None for English (LANG)."""
        self.language = tag
        self.reply_to.encode = None if language is None else language.encode

    def enter_host(self, host: Host | None) -> None:
        """Begin anew with the virtual host ``host``, None for the server itself (HOST, RFC 7151 section 3)."""
        self.log_out()
        self.speak(DEFAULT, None)
        self.named_host = host

    @property
    def host(self) -> Host | None:
        """The virtual host that TLS began with (SNI), else the one that HOST named; None for the server itself."""
        name = self.protection.server_name
        found = self.server.hosts.by_name.get(name.lower()) if name else None
        return found or self.named_host

    @property
    def accounts(self) -> Accounts:
        """Who may log in at the host that the session is with."""
        return (self.host or self.server).accounts

    @property
    def greeting(self) -> Reply:
        """The 220 of the host that the session is with."""
        return (self.host or self.server).greeting

    def allow_idle(self, seconds: float) -> None:
        """End the session after so many seconds without a command."""
        self.idle_timeout = seconds
        self.reply_to.check_at(self.server.loop.time() + seconds)

    @property
    def needs_account(self) -> bool:
        """Whether a store must be refused with 532 until ACCT is given."""
        return self.logged_in.account_at == "store" and not self.may_store

    def use_port(self, port: DataPort | None) -> None:
        """Make ``port`` the data port; an earlier one is closed (RFC 959 section 3.2)."""
        if self.port is not None:
            self.port.give_up(self)
        self.port = port

    def reply(self, reply: Reply) -> None:
        """Send a preliminary reply; the final one is what the handler returns."""
        self.reply_to.send_preliminary(reply)

    @property
    def logged_in(self) -> Account:
        """The account, in a handler that dispatch lets run only after login."""
        assert self.account is not None
        return self.account
