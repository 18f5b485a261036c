"""A file from one server to another through here: received and sent on, piece by piece, kept nowhere."""

from __future__ import annotations

from fairlead.client._core import Session
from fairlead.client._flow import Exchange, Handed, Mark, Progress
from fairlead.errors import TransferError


async def relay(
    source: Session, path: str, target: Session, target_path: str, *, total: int | None, progress: Progress | None
) -> int:
    """RETR from one session and STOR to the other at once, both under TYPE I; returns the octets that went over.

    Raises what either transfer does; the target then sees a reset and never a shorter file that looks whole, unless
    the source ended its data early in good order and told no size.
    """
    flow = _Relay(target, target_path, total, progress)
    await source.transfer("RETR", path, flow)
    return flow.moved


class _Relay:
    """The flow of the RETR, within which the STOR runs. See :class:`fairlead.client._flow.Flow`."""

    def __init__(self, target: Session, path: str, total: int | None, progress: Progress | None) -> None:
        self.moved = 0
        self.whole = self.enough = False
        self.total = total
        self.identity, self.marks_its_end, self.marked = True, False, False
        self.marks: list[Mark] = []
        self._target = target
        self._path = path
        self._progress = progress

    def begin(self, offset: int) -> None:
        """See :class:`fairlead.client._flow.Flow`."""
        self.moved = offset
        self.whole = False

    async def run(self, exchange: Exchange) -> OSError | None:
        """See :class:`fairlead.client._flow.Flow`."""
        outlet = _Outlet(exchange, self.total, self._progress)
        await self._target.transfer("STOR", self._path, outlet)
        self.moved = outlet.moved
        self.whole = outlet.whole
        return None


class _Outlet(Handed):
    """Sends what another exchange receives."""

    def __init__(self, inlet: Exchange, total: int | None, progress: Progress | None) -> None:
        super().__init__(size=total, progress=progress)
        self._inlet = inlet

    async def next(self) -> memoryview:
        """The next octets, empty at the end. Raises TransferError where that comes too early."""
        inlet = self._inlet
        while True:
            try:
                count = inlet.stream.receive_into(inlet.buffer)
            except OSError as error:
                raise self._cut(error.strerror or str(error)) from error
            if count or (count == 0 and self.total in {None, self.moved}):
                return inlet.buffer[:count]
            if count == 0 or inlet.failed:
                raise self._cut("the source ended it early")
            await inlet.wait(sending=False)

    def _cut(self, why: str) -> TransferError:
        message = (
            f"the copy is not whole, the source's data connection ended after {self.moved} bytes ({why}); try again"
        )
        return TransferError(message, transferred=self.moved)
