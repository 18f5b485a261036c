"""Transfers whose final reply never came: SIZE and HASH, in a new session, tell what became of them.

The same facts tell where another attempt goes on, and that nobody mistakes an older file for what was sent.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from fairlead.client._checksum import checksum, same
from fairlead.client._core import Session
from fairlead.client._data import Question
from fairlead.client._exchange import Outcome
from fairlead.client._facts import mtime, size
from fairlead.client._flow import Inflow, Outflow
from fairlead.client._local import SourceFile
from fairlead.client.trace import Settled
from fairlead.errors import DeadlineError, FairleadError, SessionLost

WORTH_ASKING = 1 << 20
"""Octets from which on it pays to ask what is there before an upload: a smaller one is sent again as a whole."""


async def received(
    session: Session, remote: str, flow: Inflow, *, restart: int, question: Question | None = None
) -> Outcome:
    """RETR; all that SIZE promises will do where the final reply does not come. Raises as a transfer does."""
    try:
        return await session.transfer("RETR", remote, flow, restart=restart, question=question)
    except (SessionLost, DeadlineError):
        outcome = session.unconfirmed
        if outcome is None or not flow.identity:
            raise
        total = await _size_in_new_session(session, remote, flow.total)
        if total != outcome.offset + outcome.size:
            raise
        session.control.tell(Settled(remote, "SIZE"))
        return outcome


async def _size_in_new_session(session: Session, remote: str, known: int | None) -> int | None:
    try:
        if session.may_return:
            await session.reopen()
            return known if known is not None else await size(session, remote)
    except FairleadError:
        pass  # what is known already has to do
    return known


class _Facts(NamedTuple):
    """What a server tells of a file; None each where it tells nothing."""

    size: int | None
    modified: datetime | None


class Storing:
    """STOR of ``source`` through ``flow``, in one attempt or several."""

    def __init__(self, session: Session, remote: str, source: SourceFile, flow: Outflow) -> None:
        self._session = session
        self._remote = remote
        self._source = source
        self._flow = flow
        self._before: _Facts | None = None
        """What was there before the first attempt; None where it was not asked for."""
        self._furthest = 0

    def reached(self) -> int:
        """How far the attempts came: where a further one goes on."""
        return self._furthest if self._before is not None else 0

    async def offset(self) -> int:
        """Where the next attempt begins: with the first octet, unless an earlier one left a part."""
        if not self._flow.identity:
            return 0
        if not self._furthest:
            if self._before is None and (self._source.size is None or self._source.size >= WORTH_ASKING):
                self._before = await self._facts()
            return 0
        if self._before is None:
            return 0
        there = await self._facts()
        if there.size is None or there.size > self._furthest or there == self._before:
            return 0
        return there.size

    async def store(self, offset: int) -> Outcome:
        """Send from ``offset`` on. Raises as a transfer does, unless the final reply alone is missing."""
        if offset and self._before is None:
            self._before = _Facts(offset, None)
        try:
            return await self._session.transfer("STOR", self._remote, self._flow, restart=offset)
        except (SessionLost, DeadlineError):
            outcome = self._session.unconfirmed
            if outcome is None or not await self._arrived(outcome.offset + outcome.size):
                raise
            return outcome
        finally:
            self._furthest = max(self._furthest, self._flow.offset + self._flow.moved)

    async def _arrived(self, octets: int) -> bool:
        """Whether the server has all of them, by what it says in a new session."""
        session = self._session
        if not self._flow.identity or not session.may_return:
            return False
        try:
            await session.reopen()
            there = await size(session, self._remote)
            if there != octets:
                return False
            how = "SIZE" if await self._changed_to(octets) else await self._same()
        except FairleadError:
            return False
        if how:
            session.control.tell(Settled(self._remote, how))
        return bool(how)

    async def _changed_to(self, octets: int) -> bool:
        """Whether the file, which has as many ``octets`` now, cannot be the one that was there before."""
        before = self._before
        if before is None or before.size != octets:
            return before is not None
        return before.modified is not None and before.modified != await mtime(self._session, self._remote)

    async def _same(self) -> str:
        """By what the server's digest is that of our file; empty where it is not, or where there is none."""
        read = self._source.reread()
        theirs = await checksum(self._session, self._remote) if read is not None else None
        if read is None or theirs is None or not await same(self._session, theirs, read):
            return ""
        return theirs.command

    async def _facts(self) -> _Facts:
        there = await size(self._session, self._remote)
        return _Facts(there, None if there is None else await mtime(self._session, self._remote))
