"""A whole server program: one process, or a parent and its workers that share the listening ports.

With several workers each binds the same addresses with SO_REUSEPORT and the kernel spreads the connections. The
parent keeps no connection: it starts workers, passes signals on and replaces a worker that dies.

SIGTERM and SIGINT stop gracefully, a second one at once; SIGHUP loads accounts and settings anew.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from fairlead.errors import FairleadError
from fairlead.limits.connections import Connections
from fairlead.limits.guard import LoginGuard
from fairlead.record import Record
from fairlead.server import commands
from fairlead.server.listener import bind, close, listening_address
from fairlead.server.server import Server

if TYPE_CHECKING:
    from types import FrameType

    from fairlead.accounts.base import Accounts
    from fairlead.server.hosts import Host
    from fairlead.server.listener import Listener
    from fairlead.server.settings import Settings
    from fairlead.storage.base import Storage

STOPS = (signal.SIGTERM, signal.SIGINT)
HEEDED = (*STOPS, signal.SIGHUP)
SHORTEST_LIFE = 2.0
"""A worker that lives for fewer seconds is not replaced: the server stops instead of starting workers for ever."""
READY = b"\n"
GREETING_FIRST = 0.02
"""Seconds from the start in which only greetings and early commands are seen to."""


class Program(Record):
    """What is served, and what is done at its turns.

    ``subscribe`` is called in each worker's event loop with its server, before it listens, to attach logs and the
    like; ``ready`` once with all addresses when every worker accepts connections; ``reload`` gives settings, accounts
    and virtual hosts anew for SIGHUP and raises ConfigError to keep the old ones.
    """

    settings: Settings
    storage: Storage
    accounts: Accounts
    ready: Callable[[list[tuple[str, int]]], None]
    subscribe: Callable[[Server], None]
    reload: Callable[[], tuple[Settings, Accounts, Sequence[Host]]] | None = None
    hosts: Sequence[Host] = ()

    def run(self) -> int:
        """Serve until a signal ends it; the exit status. Raises ConfigError when an address cannot be had."""
        sockets = bind(self.settings.everywhere)
        if self.settings.workers == 1:
            return self._work(0, sockets, lambda: self.ready([listening_address(listener) for listener in sockets]))
        addresses = [listener.getsockname()[:2] for listener in sockets]
        shown = [listening_address(listener) for listener in sockets]
        close(sockets)
        clear = len(self.settings.listen)
        tls = self.settings.tls.replace(implicit=addresses[clear:])
        settings = self.settings.replace(listen=addresses[:clear], tls=tls)
        return _Parent(self.replace(settings=settings), shown).run()

    def work(self, index: int, sockets: Sequence[Listener], limits: Limits, ready: Callable[[], None]) -> int:
        """Be one worker, with what all workers count together."""
        limits.connections.attach(index)
        limits.guard.attach(index)
        keep_what_is_there()
        _run(self._serve(index, sockets, limits, ready))
        return 0

    def _work(self, index: int, sockets: Sequence[Listener], ready: Callable[[], None]) -> int:
        return self.work(index, sockets, Limits.of(self.settings), ready)

    async def _serve(self, index: int, sockets: Sequence[Listener], limits: Limits, ready: Callable[[], None]) -> None:
        server = Server(
            storage=self.storage,
            accounts=self.accounts,
            hosts=self.hosts,
            settings=self.settings,
            connections=limits.connections,
            guard=limits.guard,
        )
        server.worker = index
        loop = asyncio.get_running_loop()
        stopped = asyncio.Event()
        hurried = asyncio.Event()

        def stop() -> None:
            (hurried if stopped.is_set() else stopped).set()

        for number in STOPS:
            loop.add_signal_handler(number, stop)
        loop.add_signal_handler(signal.SIGHUP, self._reload, server)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, HEEDED)
        self.subscribe(server)
        await server.start(sockets)
        ready()
        loop.call_later(GREETING_FIRST, _load_what_is_left)
        await stopped.wait()
        stopping = asyncio.ensure_future(server.stop())
        hurry = asyncio.ensure_future(hurried.wait())
        await asyncio.wait((stopping, hurry), return_when=asyncio.FIRST_COMPLETED)
        if not stopping.done():
            server.hurry()
        await stopping
        hurry.cancel()
        for number in HEEDED:
            # The loop would put the default back as it closes: one more signal then looked like a failure.
            loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_IGN)

    def _reload(self, server: Server) -> None:
        if self.reload is None:
            server.notice(None, "reload", "nothing to load anew: the server was started without a configuration file")
            return
        try:
            server.reconfigure(*self.reload())
        except FairleadError as error:
            server.notice(None, "reload", f"the old settings stay: {error}")
        else:
            server.notice(None, "reload", "settings and accounts are loaded anew, for sessions to come")


class Limits(Record):
    """What is counted for all workers together; made before they are forked."""

    connections: Connections
    guard: LoginGuard

    @classmethod
    def of(cls, settings: Settings) -> Limits:
        """The limits that ``settings`` ask for."""
        return cls(
            Connections(settings.max_sessions, settings.max_sessions_per_address, settings.workers),
            LoginGuard(settings.login_delay, settings.workers),
        )


class _Parent:
    """The process that starts the workers and looks after them."""

    def __init__(self, program: Program, shown: list[tuple[str, int]]) -> None:
        self._program = program
        self._shown = shown
        self._limits = Limits.of(program.settings)
        self._workers: dict[int, tuple[int, float]] = {}
        self._stopping = False
        self._status = 0
        self._ready_read, self._ready_write = os.pipe()
        self._life_read, self._life_write = os.pipe()
        """Held open by the parent alone: its end tells a worker that the parent is gone."""

    def run(self) -> int:
        # These sockets hold the ports for the workers to come; nobody listens on them.
        held = bind(self._program.settings.everywhere, share=True)
        commands.load()  # once for all workers
        keep_what_is_there()
        for index in range(self._program.settings.workers):
            self._start(index)
        for number in HEEDED:
            signal.signal(number, self._pass_on)
        self._await_ready()
        while self._workers:
            self._bury(*os.wait())
        close(held)
        return self._status

    def _await_ready(self) -> None:
        told = 0
        waiting = self._program.settings.workers
        os.close(self._ready_write)
        self._ready_write = -1
        while told < waiting:
            data = os.read(self._ready_read, waiting)
            if not data:
                return
            told += len(data)
        if not self._stopping:
            self._program.ready(self._shown)

    def _start(self, index: int) -> None:
        # A signal waits until the new worker is on the list, and in the worker until it has handlers of its own.
        signal.pthread_sigmask(signal.SIG_BLOCK, HEEDED)
        if not self._stopping:
            pid = os.fork()
            if pid == 0:
                self._be_worker(index)
            self._workers[pid] = (index, time.monotonic())
        signal.pthread_sigmask(signal.SIG_UNBLOCK, HEEDED)

    def _be_worker(self, index: int) -> NoReturn:
        status = 1
        try:
            os.close(self._life_write)
            os.setsid()  # what a terminal sends comes from the parent, and once; each worker is scheduled as its equal
            sockets = bind(self._program.settings.everywhere, share=True)
            status = self._program.work(index, sockets, self._limits, self._tell_ready)
        except (FairleadError, OSError) as error:
            os.write(2, f"fairlead: a worker ended: {error}\n".encode(errors="replace"))
        finally:
            os._exit(status)

    def _tell_ready(self) -> None:
        loop = asyncio.get_running_loop()
        loop.add_reader(self._life_read, self._orphaned)
        if self._ready_write >= 0:  # else it replaces another, and nobody waits for it
            os.write(self._ready_write, READY)
            os.close(self._ready_write)

    def _orphaned(self) -> None:
        asyncio.get_running_loop().remove_reader(self._life_read)
        os.kill(os.getpid(), signal.SIGTERM)

    def _pass_on(self, number: int, _: FrameType | None) -> None:
        self._stopping = self._stopping or number in STOPS
        for pid in self._workers:
            os.kill(pid, number)

    def _bury(self, pid: int, status: int) -> None:
        index, born = self._workers.pop(pid)
        if self._stopping:
            self._status = self._status or int(os.waitstatus_to_exitcode(status) != 0)
            return
        os.write(2, f"fairlead: worker {index} ended unexpectedly (status {status}), starting another\n".encode())
        if time.monotonic() - born < SHORTEST_LIFE:
            self._status = 1
            self._pass_on(signal.SIGTERM, None)
            return
        self._limits.connections.attach(index)
        self._start(index)


def _load_what_is_left() -> None:
    """Load what the greeting of the first clients did not have to wait for."""
    gc.disable()
    commands.load()
    keep_what_is_there()


def keep_what_is_there() -> None:
    """Let the garbage collector, switched off by who loaded the program or not, look only at what is made from now on.

    Hardly anything of what a start leaves is garbage, and pages that the collector does not touch stay shared.
    """
    gc.freeze()
    gc.enable()


def _run(main: Coroutine[Any, Any, None]) -> None:
    """Run on uvloop where it is installed, else on asyncio's own loop."""
    try:
        import uvloop  # noqa: PLC0415 - the server works without it
    except ImportError:
        asyncio.run(main)
    else:
        uvloop.run(main)
