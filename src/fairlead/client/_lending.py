"""Sessions in somebody's hands: the block that has one, and who lent it from whom."""

from __future__ import annotations

import asyncio
from contextvars import ContextVar
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol

from fairlead.client.aio import AsyncClient


class Lender(Protocol):
    """What lends sessions."""

    async def borrow(self, *, metadata: bool) -> Loan:
        """A session, for as long as it is needed."""

    async def give_back(self, loan: Loan) -> None:
        """It is not needed any more."""


class Lending:
    """The block of ``async with``."""

    def __init__(self, pool: Lender, *, metadata: bool) -> None:
        self._pool = pool
        self._metadata = metadata
        self._loan: Loan | None = None

    async def __aenter__(self) -> AsyncClient:
        self._loan = loan = await self._pool.borrow(metadata=self._metadata)
        loan.outer = _held.get()
        _held.set(loan)
        return loan.client

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._loan is not None
        if _held.get() is self._loan:
            _held.set(self._loan.outer)
        await self._pool.give_back(self._loan)


class Loan:
    """A session in somebody's hands; ``beneath`` is the loan that it was lent again from."""

    def __init__(self, pool: Lender, client: AsyncClient, *, beneath: Loan | None) -> None:
        self.pool = pool
        self.client = client
        self.beneath = beneath
        self.outer: Loan | None = None
        """What the same task, or the one that started it, had in hand before."""
        self.owner: Loan = self if beneath is None else beneath.owner
        self.users = 1
        """Of an owner: the loans of its session that are not over."""
        self.turn = asyncio.Lock()
        self.walked: list[tuple[str, str]] | None = None
        self.over = False

    @staticmethod
    def of(pool: Lender) -> Loan | None:
        """What the running task has of ``pool``."""
        loan = _held.get()
        while loan is not None and (loan.over or loan.pool is not pool):
            loan = loan.outer
        return loan


_held: ContextVar[Loan | None] = ContextVar("_held", default=None)


@dataclass(eq=False, slots=True)
class Waiter:
    """Somebody who asked for a session; the answer None says that the one he holds has to do."""

    answer: asyncio.Future[AsyncClient | None]
    holder: bool
    metadata: bool
