"""The server: what all sessions of a process share, its start and its stop."""

from __future__ import annotations

import asyncio
import itertools
import os
import resource
import sys
import threading
import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, ParamSpec, Self, TypeVar

from fairlead.accounts.base import Account
from fairlead.accounts.memory import MemoryAccounts
from fairlead.errors import DataConnectionError, FairleadError, StorageError
from fairlead.events import Bus, Changed, Noticed, Refused
from fairlead.limits.connections import Connections
from fairlead.limits.guard import LoginGuard
from fairlead.limits.networks import Networks
from fairlead.proto.reply import Reply
from fairlead.server.announce import Announcer
from fairlead.server.commits import Commits
from fairlead.server.control import Control
from fairlead.server.deadlines import Deadlines
from fairlead.server.failures import cause_of, reply_for
from fairlead.server.hosts import Host, Hosts, greeting
from fairlead.server.listener import bind, listening_address
from fairlead.server.ports import PortPool
from fairlead.server.pump import Pipes
from fairlead.server.readiness import LoopReadiness, Readiness, readiness
from fairlead.server.settings import Settings

if TYPE_CHECKING:
    from types import TracebackType

    from fairlead.accounts.base import Accounts
    from fairlead.server.arrival import Arrival
    from fairlead.server.certificates import Certificates
    from fairlead.server.hashing import HashMemory
    from fairlead.server.listener import Listener
    from fairlead.server.session import Session
    from fairlead.storage.base import Source, Storage

P = ParamSpec("P")
R = TypeVar("R")

THREADS = 32
"""Threads that move bulk data and wait for disks; a slow peer holds none of them, see :mod:`fairlead.server.pump`."""
BACKGROUND = 4
"""Threads for long work, see :mod:`fairlead.server.work`."""
NICENESS = 10
"""By how much those threads are nicer than the event loop: one that moves data leaves it a core nine times as long."""
BACKLOG = 1024
LAST_WORDS = 1.0
"""Seconds that stopped sessions have to take their last reply."""

FOR_TRANSFERS = 1024
"""Descriptors that sessions leave to transfers, or a quarter of all where that is less."""
PROBES = frozenset({"CWD", "CDUP", "XCWD", "XCUP", "SIZE", "MDTM", "MLST", "STAT"})
"""Commands by which clients only look whether something is there; that it is not is no failure to record."""


def _descriptors_for_sessions() -> int:
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limit == resource.RLIM_INFINITY:
        return sys.maxsize
    return limit - min(limit // 4, FOR_TRANSFERS)


def _give_way() -> None:
    """Let the event loop, which answers everybody, go before the thread that calls this, where cores are short."""
    if sys.platform == "linux":  # elsewhere it is the whole process that is nice
        thread = threading.get_native_id()
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, thread, os.getpriority(os.PRIO_PROCESS, thread) + NICENESS)


def _networks_of(proxies: Sequence[str]) -> Networks | None:
    return Networks(proxies) if proxies else None


class Server:
    """An FTP server in this process's running event loop.

    Used as an asynchronous context manager it listens inside the block; every accepted session lives in the same
    loop. Events go to ``events``; logging is a subscriber like any other.
    """

    def __init__(
        self,
        *,
        storage: Storage,
        accounts: Accounts | None = None,
        settings: Settings | None = None,
        events: Bus | None = None,
        connections: Connections | None = None,
        guard: LoginGuard | None = None,
        hosts: Sequence[Host] = (),
        **changes: Any,
    ) -> None:
        """Put a server together from its parts.

        ``storage`` is what every account sees that has no storage of its own; without ``accounts`` it is served to
        anonymous users, read-only. ``hosts`` are further ones that clients reach by name (RFC 7151). ``changes`` are
        fields of ``settings``, such as ``passive_ports``. Raises TypeError for a setting that does not exist,
        ConfigError where two hosts have one name.
        """
        self.settings = (settings or Settings()).replace(**changes)
        self.storage = storage
        self.accounts = accounts or MemoryAccounts(anonymous=Account("anonymous", anonymous=True))
        self.events = events or Bus()
        self.guard = guard or LoginGuard(self.settings.login_delay)
        self.connections = connections or Connections(
            max_total=self.settings.max_sessions, max_per_address=self.settings.max_sessions_per_address
        )
        self.pipes = Pipes()
        self.commits = Commits(self._run_in_thread)
        self.pool = PortPool(self.settings.passive_ports)
        self.networks = Networks(self.settings.allow, self.settings.deny)
        self._proxies = _networks_of(self.settings.proxy_from)
        self.behind_proxies = self._proxies is not None
        """Whether connections may come from proxies that are trusted."""
        self.arrivals: set[Arrival] = set()
        """Connections of proxies that have not said for whom they call."""
        self.greeting = greeting(self.settings.banner)
        self.hosts = Hosts(hosts, self.settings)
        self.certificates: Certificates | None = None
        """What TLS is served with, once started; None where there is none."""
        self.loop: asyncio.AbstractEventLoop
        self.announcer = Announcer(
            self.settings.announce,
            lambda message: self.notice(None, "announce", message),
            self.settings.passive_ports,
        )
        self.readiness: Readiness | LoopReadiness
        self.deadlines: Deadlines
        self.addresses: list[tuple[str, int]] = []
        """What it listens on, once started: host and port of each listener; those of implicit TLS come last."""
        self.worker = 0
        """The number of this process among those that serve together."""
        self._numbers = itertools.count(1)
        self._controls: set[Control] = set()
        self._listeners: list[asyncio.Server] = []
        self._threads: ThreadPoolExecutor
        self._background: ThreadPoolExecutor
        self._emptied: asyncio.Event
        self.stopping = False
        """Whether the server is shutting down."""
        self._descriptors = 0
        """The first descriptor that is kept free of sessions."""

    # Start and stop

    async def __aenter__(self) -> Self:
        """Start."""
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop at once."""
        await self.stop(grace=0)

    async def start(self, sockets: Sequence[Listener] | None = None) -> None:
        """Listen where the settings say, or on ``sockets`` that are bound already. Raises ConfigError."""
        self.loop = asyncio.get_running_loop()
        self._descriptors = _descriptors_for_sessions()
        self._threads = ThreadPoolExecutor(THREADS, "fairlead", _give_way)
        self._background = ThreadPoolExecutor(BACKGROUND, "fairlead-background", _give_way)
        self.readiness = readiness(self.loop)
        self.deadlines = Deadlines(self.loop)
        self._emptied = asyncio.Event()
        await self.announcer.start()
        self._use_certificates(self.settings)
        if self.certificates is not None:
            self.certificates.prepare()
        listeners = bind(self.settings.everywhere) if sockets is None else sockets
        for index, listener in enumerate(listeners):
            accept = partial(self._accept, implicit=index >= len(self.settings.listen))
            self.addresses.append(listening_address(listener))
            self._listeners.append(await self.loop.create_server(accept, sock=listener, backlog=BACKLOG))

    def _accept(self, *, implicit: bool) -> Control | Arrival:
        """What begins with a new connection."""
        if self._proxies is None:
            return Control(self, implicit=implicit)
        from fairlead.server.arrival import Arrival  # noqa: PLC0415 - few servers stand behind a proxy

        return Arrival(self, implicit=implicit)

    def is_proxy(self, address: str) -> bool:
        """Whether a connection from ``address`` begins with a PROXY header."""
        return self._proxies is not None and self._proxies.admits(address)

    def _use_certificates(self, settings: Settings) -> None:
        """Load the certificates of ``settings``. Raises ConfigError, and leaves all as it was."""
        if not settings.tls.certificates:
            self.certificates = None
        elif self.certificates is None:
            from fairlead.server.certificates import Certificates  # noqa: PLC0415 - many servers have none

            self.certificates = Certificates(
                settings.tls,
                notice=lambda message: self.notice(None, "certificate", message),
                schedule=self.loop.call_later,
            )
        else:
            self.certificates.configure(settings.tls)

    async def serve_forever(self) -> None:
        """Serve until cancelled."""
        await asyncio.get_running_loop().create_future()

    async def stop(self, grace: float | None = None) -> None:
        """Stop listening, end idle sessions with 421, and let transfers go on for at most ``grace`` seconds."""
        self.stopping = True
        for listener in self._listeners:
            listener.close()
        for arrival in list(self.arrivals):
            arrival.cut()
        self.stop_idle()
        await self._empty(self.settings.grace if grace is None else grace)
        for control in list(self._controls):
            if control.session.transfer is not None:
                control.session.transfer.abort()
            control.say_goodbye()
        await self._empty(LAST_WORDS)
        for control in list(self._controls):
            control.cut()
        await self._empty(LAST_WORDS)
        await self.announcer.stop()
        self._threads.shutdown(wait=True)
        self._background.shutdown(wait=True)
        self.pipes.close()
        self.readiness.close()
        self.deadlines.close()

    async def _empty(self, seconds: float) -> None:
        """Wait until the last session has ended, or :meth:`hurry` was called, or ``seconds`` have passed."""
        if not self._controls:
            return
        self._emptied.clear()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._emptied.wait(), seconds)

    def hurry(self) -> None:
        """While stopping: wait no longer for transfers."""
        self._emptied.set()

    def stop_idle(self) -> None:
        """While stopping: end the sessions in which no transfer runs."""
        for control in list(self._controls):
            if control.idle:
                control.say_goodbye()

    def reconfigure(self, settings: Settings, accounts: Accounts, hosts: Sequence[Host] = ()) -> None:
        """Take new settings, accounts and virtual hosts for sessions to come; listeners stay as they are.

        Raises ConfigError, and leaves all as it was.
        """
        known = Hosts(hosts, settings)
        self._use_certificates(settings)
        if (settings.announce, settings.passive_ports) != (self.settings.announce, self.settings.passive_ports):
            self.announcer.change(settings.announce, settings.passive_ports)
        self.hosts = known
        self.networks = Networks(settings.allow, settings.deny)
        self._proxies = _networks_of(settings.proxy_from)
        self.behind_proxies = self._proxies is not None
        if settings.passive_ports != self.settings.passive_ports:
            self.pool = PortPool(settings.passive_ports)
        self.settings = settings
        self.accounts = accounts
        self.greeting = greeting(settings.banner)

    # Sessions

    def next_number(self) -> int:
        """A number for a session, unique in this process."""
        return next(self._numbers)

    def admit(self, control: Control, descriptor: int) -> str | None:
        """Count a new session in, whose connection is ``descriptor``; why it is refused, if it is.

        A descriptor is the lowest number that is free: a high one shows that few are left, and those are for the
        transfers of the sessions that are there.
        """
        if self.stopping:
            return "The server is shutting down."
        if not self.networks.admits(control.session.peer[0]):
            return "Your address may not use this server."
        if descriptor >= self._descriptors:
            return "The server has no room for another session, try again later."
        refusal = self.connections.enter(control.session.peer[0])
        if refusal is None:
            self._controls.add(control)
        return refusal

    def dismiss(self, control: Control) -> bool:
        """Count a session out; False for one that was never admitted."""
        if control not in self._controls:
            return False
        self._controls.discard(control)
        self.connections.leave(control.session.peer[0])
        if not self._controls:
            self._emptied.set()
        return True

    def sessions(self) -> list[Session]:
        """The sessions of this process."""
        return [control.session for control in self._controls]

    # What handlers need of the process

    @cached_property
    def hashes(self) -> HashMemory:
        """Hashes of files computed so far."""
        from fairlead.server.hashing import HashMemory  # noqa: PLC0415 - few clients ask for hashes

        return HashMemory()

    async def in_thread(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run a blocking ``function`` in a thread."""
        return await self._run_in_thread(partial(function, **kwargs) if kwargs else function, *args)

    def _run_in_thread(self, function: Callable[..., R], *args: Any) -> asyncio.Future[R]:
        return self.loop.run_in_executor(self._threads, function, *args)

    async def in_background(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run a piece of long work in a thread that no transfer needs."""
        return await self.loop.run_in_executor(self._background, lambda: function(*args, **kwargs))

    async def call(self, storage: Storage, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Call a method of ``storage``: at once where the store is quick enough, else in a thread."""
        if storage.inline:
            return function(*args, **kwargs)
        return await self.in_thread(function, *args, **kwargs)

    def release(self, storage: Storage, source: Source) -> None:
        """Close ``source``, which a store that is not quick may take long for: then nobody waits for it."""
        if storage.inline:
            source.close()
        else:
            self._threads.submit(source.close)

    def answer(self, session: Session, error: Exception, verb: str) -> Reply:
        """The reply to a command that failed; a fault of the server itself is recorded."""
        reply = reply_for(error, verb)
        if not isinstance(error, FairleadError):
            self.record_fault(session, error, verb)
        elif isinstance(error, StorageError | DataConnectionError) and verb not in PROBES:
            self.events.emit(
                Refused(
                    session=session.number,
                    peer=session.peer[0],
                    user=session.user,
                    verb=verb,
                    path=getattr(error, "path", ""),
                    code=reply.code,
                    cause=cause_of(error),
                    reason=str(error),
                )
            )
        return reply

    def record_fault(self, session: Session, error: Exception, verb: str) -> None:
        """Record an exception that nobody foresaw; the client is told only that the server failed."""
        trace = "".join(traceback.format_exception(error))
        self.notice(session, "fault", f"{verb} failed: {error!r}: {trace}")

    def record_change(self, session: Session, verb: str, path: str, detail: str = "") -> None:
        """Record that a command other than a transfer changed the tree."""
        if self.events.wanted(Changed):
            self.events.emit(
                Changed(
                    session=session.number, peer=session.peer[0], user=session.user, verb=verb, path=path, detail=detail
                )
            )

    def notice(self, session: Session | None, topic: str, message: str) -> None:
        """Tell the operator."""
        number, peer = (session.number, session.peer[0]) if session is not None else (0, "")
        self.events.emit(Noticed(session=number, peer=peer, topic=topic, message=message))
