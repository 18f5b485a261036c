"""A pool of sessions with one server, for work that is done side by side."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from math import inf
from types import TracebackType
from typing import Any, Self, TypeAlias

from fairlead.client._core import Session
from fairlead.client._face import Face, hand_over, session_of
from fairlead.client._lending import Lending, Loan, Waiter
from fairlead.client._memory import Recollection
from fairlead.client.aio import AsyncClient
from fairlead.client.trace import Record
from fairlead.errors import (
    ConnectError,
    DeadlineError,
    FairleadError,
    LoginError,
    ProtocolError,
    ReplyError,
    SessionLost,
    SessionRefused,
    TransientError,
)
from fairlead.proto.url import FtpUrl

SIZE = 4
KEEP_ALIVE = 60.0
PoolTrace: TypeAlias = Callable[[int, Record], None]
"""Called with the number of a session, from 1 on, and what happens in it."""

_NO_MORE = (SessionRefused, LoginError, TransientError, SessionLost)
"""What a server answers to one session too many, if others stand: 421 in place of 220, 530 or 421 at the login."""
_NOBODY_ANSWERS = (ConnectError, DeadlineError)
_GONE = 0.25
"""Seconds that a server may take to forget those that it refused: until then they count as well."""
_PAUSE = 30.0
"""Seconds for which a server that did not answer another call is not called again while other sessions stand."""


class Pool:
    """Sessions of one user with one server, at most ``size`` at a time, made as they are needed.

    ``url`` and ``settings`` are those of :class:`fairlead.client.aio.AsyncClient`; ``trace`` gets the number of the
    session before each record. A ``password`` that is a function is called once::

        async with Pool("ftp://me@host", size=8) as pool, asyncio.TaskGroup() as group:
            for name in names:
                group.create_task(fetch(pool, name))

        async def fetch(pool, name):
            async with pool.client() as ftp:
                await ftp.download(name, name)

    Every session is of the same user, and under TLS if the first one is. A server that takes no further one tells so by
    421 or 530: the pool stays within that from then on (:attr:`limit`). Sessions that were lost are replaced when they
    are needed, idle ones are kept alive by NOOP every ``keep_alive`` seconds (None for never). A session comes into
    other hands in the directory where the login led; what else commands by hand have changed stays.

    Whoever holds a session and asks for another one while there is none is lent his own once more, so that nobody waits
    for himself; that also holds for tasks that he started meanwhile, which take turns.
    """

    def __init__(
        self,
        url: str | FtpUrl,
        *,
        size: int = SIZE,
        keep_alive: float | None = KEEP_ALIVE,
        trace: PoolTrace | None = None,
        **settings: Any,
    ) -> None:
        if size < 1:
            message = f"a pool of {size} sessions serves nobody; it takes 1 or more"
            raise ValueError(message)
        password = settings.get("password")
        self._secret = _Secret(password) if callable(password) else None
        self._settings = {"memory": Recollection(), **settings} | ({"password": self._secret} if self._secret else {})
        self._url = url
        self._trace = trace
        self._keep_alive = keep_alive
        self._limit = size
        self._number = 0
        self._home: str | None = None
        self._sessions: set[AsyncClient] = set()
        self._idle: dict[AsyncClient, float] = {}
        """Those in nobody's hands, and since when; the one that was used last at the end."""
        self._apart: AsyncClient | None = None
        """The one that is kept for metadata."""
        self._waiting: deque[Waiter] = deque()
        self._opening: set[asyncio.Task[None]] = set()
        self._one_by_one = False
        """Whether a session was refused: several at once may have been in each other's way."""
        self._not_before = -inf
        self._keeper: asyncio.Task[None] | None = None
        self._closed = False

    @property
    def limit(self) -> int:
        """How many sessions there may be: ``size``, or what the server takes as far as it has told."""
        return self._limit

    @property
    def sessions(self) -> int:
        """How many sessions there are."""
        return len(self._sessions)

    def client(self) -> Lending:
        """``async with pool.client() as ftp:`` has a client that has logged in, for the while of the block.

        Raises what :meth:`AsyncClient.connect` and :meth:`AsyncClient.login` raise, and SessionLost after
        :meth:`close`.
        """
        return Lending(self, metadata=False)

    def metadata(self) -> Lending:
        """As :meth:`client`, of one session that is kept apart for listings and the like once it was asked for.

        So nobody has to wait for a transfer to end. Where the server takes one session only, it serves for both.
        """
        return Lending(self, metadata=True)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """End all sessions; whoever still uses one, or waits for one, raises SessionLost."""
        self._closed = True
        tasks = [*self._opening, *([self._keeper] if self._keeper else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._fail(SessionLost("the pool was closed"))
        sessions = list(self._sessions)
        self._sessions.clear()
        self._idle.clear()
        await asyncio.gather(*(client.close() for client in sessions))

    def take_in(self, client: Face) -> None:
        """Make the session of ``client`` one of these; it has logged in to the same server as the same user.

        ``client`` may be a blocking one, and has no session afterwards. Raises RuntimeError in the midst of an
        operation, SessionLost where there is no session.
        """
        mine = AsyncClient(self._url, **self._settings)
        hand_over(client, mine)
        session = session_of(mine)
        if self._secret is not None:
            self._secret.learn(session.secret)
        self._number += 1
        self._keep_protected(session)
        self._sessions.add(mine)
        self._take_back(mine)

    async def borrow(self, *, metadata: bool) -> Loan:
        """What :class:`Lending` does at the beginning of its block."""
        held = Loan.of(self)
        while True:
            client = await self._obtain(held, metadata=metadata)
            if client is None:
                assert held is not None
                return await self._share(held)
            try:
                if await self._ready(client):
                    return Loan(self, client, beneath=None)
            except BaseException:
                self._take_back(client)
                raise
            self._drop(client)
            self._serve()

    async def give_back(self, loan: Loan) -> None:
        """What :class:`Lending` does at the end of its block."""
        loan.over = True
        try:
            if loan.beneath is not None and not loan.beneath.over:
                await self._lead_back(loan)
        finally:
            self._leave(loan.owner, loan.beneath)

    async def _obtain(self, held: Loan | None, *, metadata: bool) -> AsyncClient | None:
        """A session that nobody has; None where ``held`` has to do."""
        if self._closed:
            raise SessionLost("the pool was closed")
        waiter = Waiter(asyncio.get_running_loop().create_future(), held is not None, metadata)
        self._waiting.append(waiter)
        self._serve()
        try:
            return await waiter.answer
        except asyncio.CancelledError:
            if not waiter.answer.cancelled() and waiter.answer.exception() is None:
                client = waiter.answer.result()
                if client is not None:
                    self._take_back(client)
            raise

    async def _ready(self, client: AsyncClient) -> bool:
        """Whether ``client`` still stands; then it is in the directory where the login led."""
        session = session_of(client)
        try:
            if not session.stands():
                return False
            if session.strayed:
                await self._lead_home(session)
        except (FairleadError, OSError):
            return False
        return True

    async def _lead_home(self, session: Session) -> None:
        if self._home:
            await session.go_home(self._home)
        else:
            await session.connect()
            await session.login(session.secret)

    async def _share(self, held: Loan) -> Loan:
        """Lend what ``held`` has once more, in the directory of the login."""
        held.owner.users += 1
        try:
            await held.turn.acquire()
        except BaseException:
            self._leave(held.owner, None)
            raise
        loan = Loan(self, held.client, beneath=held)
        try:
            session = session_of(held.client)
            if session.engaged:
                message = (
                    "the pool has no further session, and the one held is in the middle of something; end that first"
                )
                raise RuntimeError(message)
            if session.connected and session.strayed:
                loan.walked = list(session.control.walked)
                await self._lead_home(session)
        except BaseException:
            self._leave(held.owner, held)
            raise
        return loan

    async def _lead_back(self, loan: Loan) -> None:
        """Return to the directory where a session was when it was lent once more."""
        session = session_of(loan.client)
        try:
            if session.connected and not session.engaged and (loan.walked is not None or session.strayed):
                await self._lead_home(session)
                for step in loan.walked or ():
                    await session.ask(*step)
        except (FairleadError, OSError):
            session.control.lose("it was left in another directory")

    def _leave(self, owner: Loan, beneath: Loan | None) -> None:
        """One user of the session less; ``beneath`` may be lent again."""
        if beneath is not None:
            beneath.turn.release()
        owner.users -= 1
        if not owner.users:
            self._take_back(owner.client)

    def _take_back(self, client: AsyncClient) -> None:
        session = session_of(client)
        if self._closed or session.foreign or session.engaged or not session.stands():
            self._drop(client)
        else:
            self._idle[client] = asyncio.get_running_loop().time()
        self._serve()

    def _drop(self, client: AsyncClient) -> None:
        """Leave a session behind without waiting for a farewell."""
        self._sessions.discard(client)
        self._idle.pop(client, None)
        if self._apart is client:
            self._apart = None
        session = session_of(client)
        if session.connected:
            session.control.lose("it was closed")

    def _serve(self) -> None:
        """Give what is free to those who wait, open what is missing, and let nobody wait for himself."""
        if self._closed:
            return
        for waiter in sorted(self._waiting, key=lambda waiter: not waiter.metadata and not self._single):
            if not waiter.answer.done() and (client := self._take(metadata=waiter.metadata)) is not None:
                waiter.answer.set_result(client)
        self._forget_served()
        for _ in range(self._missing()):
            task = asyncio.get_running_loop().create_task(self._open(alone=self._one_by_one))
            self._opening.add(task)
            task.add_done_callback(self._opening.discard)
        if not self._opening:
            for waiter in self._waiting:
                if waiter.holder:
                    waiter.answer.set_result(None)
            self._forget_served()
        if self._keeper is None and self._keep_alive is not None and self._sessions:
            self._keeper = asyncio.get_running_loop().create_task(self._keep(self._keep_alive))

    @property
    def _single(self) -> bool:
        """Whether metadata has no session of its own, since there is one only or it is hard to have another."""
        return self._limit == 1 or self._paused

    @property
    def _paused(self) -> bool:
        return bool(self._sessions) and asyncio.get_running_loop().time() < self._not_before

    def _take(self, *, metadata: bool) -> AsyncClient | None:
        """An idle session for either purpose."""
        last_used_first = list(reversed(self._idle))
        for client in sorted(last_used_first, key=_has_work_left):
            if self._single or (client is self._apart) == metadata or (metadata and self._apart is None):
                del self._idle[client]
                if metadata and not self._single:
                    self._apart = client
                return client
        return None

    def _missing(self) -> int:
        """How many sessions are to be opened now; more than one at a time only where one stands already."""
        wanted = sum(not waiter.metadata for waiter in self._waiting)
        if self._apart is None:
            wanted += any(waiter.metadata for waiter in self._waiting)
        if self._paused:
            return 0
        room = self._limit - len(self._sessions) if self._sessions else 1
        if self._one_by_one:
            room = min(room, 1)
        return max(0, min(wanted, room) - len(self._opening))

    async def _open(self, *, alone: bool) -> None:
        this = asyncio.current_task()
        assert this is not None
        try:
            if alone:
                await asyncio.sleep(_GONE)
            client = await self._connect()
        except Exception as error:  # noqa: BLE001 - it is raised where the session was asked for
            self._opening.discard(this)
            self._not_opened(error, alone=alone)
            self._serve()
        else:
            self._opening.discard(this)
            self._sessions.add(client)
            self._limit = max(self._limit, len(self._sessions))
            self._take_back(client)

    def _not_opened(self, error: Exception, *, alone: bool) -> None:
        for client in [client for client in self._sessions if not session_of(client).connected]:
            self._drop(client)
        self._forget_served()
        if self._sessions and isinstance(error, _NO_MORE) and not alone:
            self._one_by_one = True
        elif self._sessions and isinstance(error, _NO_MORE):
            self._limit = len(self._sessions)
            if self._limit == 1:
                self._apart = None
        elif self._sessions and isinstance(error, _NOBODY_ANSWERS):
            self._not_before = asyncio.get_running_loop().time() + _PAUSE
        elif self._sessions and self._waiting:
            self._waiting.popleft().answer.set_exception(error)
        elif not self._opening:
            if self._secret is not None and not self._home:
                self._secret.forget()
            self._fail(error)

    async def _connect(self) -> AsyncClient:
        self._number += 1
        trace = None if self._trace is None else partial(self._trace, self._number)
        client = AsyncClient(self._url, **self._settings, trace=trace)
        try:
            await client.__aenter__()
            if self._home is None:
                self._home = await _directory(client)
        except BaseException:
            await client.close()
            raise
        self._keep_protected(session_of(client))
        return client

    def _keep_protected(self, session: Session) -> None:
        """What was protected once is never in clear."""
        if session.target.tls == "auto" and session.control.data_protection is not None:
            self._settings["tls"] = "require"

    def _fail(self, error: Exception) -> None:
        for waiter in self._waiting:
            if not waiter.answer.done():
                waiter.answer.set_exception(error)
        self._waiting.clear()

    def _forget_served(self) -> None:
        self._waiting = deque(waiter for waiter in self._waiting if not waiter.answer.done())

    async def _keep(self, period: float) -> None:
        """Say NOOP in each session that nobody has used for ``period`` seconds, so that nothing forgets it."""
        loop = asyncio.get_running_loop()
        while True:
            due = min(self._idle.values(), default=loop.time()) + period
            await asyncio.sleep(due - loop.time())
            for client in [client for client, since in self._idle.items() if loop.time() - since >= period]:
                if self._idle.pop(client, None) is not None:
                    with suppress(SessionLost, DeadlineError, ProtocolError):
                        await client.command("NOOP")
                    self._take_back(client)


class _Secret:
    """A password that is asked for once."""

    def __init__(self, ask: Callable[[], str]) -> None:
        self._ask = ask
        self._told: str | None = None

    def __call__(self) -> str:
        if self._told is None:
            self._told = self._ask()
        return self._told

    def learn(self, secret: str | None) -> None:
        """It let us in elsewhere."""
        self._told = secret

    def forget(self) -> None:
        """It did not let us in."""
        self._told = None


def _has_work_left(client: AsyncClient) -> bool:
    """Whether a transfer has to be brought to its end before anything else."""
    return session_of(client).control.interrupted


async def _directory(client: AsyncClient) -> str:
    """The working directory, empty where the server does not tell."""
    try:
        return await client.pwd()
    except ReplyError:
        return ""
