"""Calls to a port, so patient that losses on the way are not taken for a firewall."""

from __future__ import annotations

from contextlib import suppress

from fairlead.client._wire import Address, Call, Stream, Wire
from fairlead.doctor.patience import SECOND_CALL
from fairlead.reach.evidence import Answer, Called


async def call(wire: Wire, address: Address, patience: float) -> tuple[Called, Stream | None]:
    """Call ``address`` for ``patience`` seconds; the stream is there where it was answered.

    Where nothing comes for a while, a second call is made beside the first.
    """
    attempts: list[Call] = []
    source = 0
    began = wire.now()
    failure: OSError | None = None
    starts = [began, *([began + SECOND_CALL] if patience > SECOND_CALL else [])]
    try:
        while (now := wire.now()) < began + patience:
            if starts and now >= starts[0]:
                starts.pop(0)
                try:
                    attempts.append(wire.call(address))
                    source = source or attempts[0].local[1]
                except OSError as error:
                    failure = error
                    break
            until = min([began + patience, *starts])
            for ready in await wire.wait_any(writers=attempts, timeout=until - wire.now()):
                mine = next(attempt for attempt in attempts if attempt is ready)
                attempts.remove(mine)
                source = mine.local[1]
                try:
                    return _told(wire, address, Answer.CONNECTED, began, source), mine.complete()
                except OSError as error:
                    failure = error
            if failure is not None:
                break
    finally:
        for attempt in attempts:
            attempt.close()
    return _told(wire, address, _answer(failure), began, source), None


async def try_port(wire: Wire, address: Address, patience: float) -> Called:
    """As :func:`call`, and let go of the connection at once."""
    told, stream = await call(wire, address, patience)
    if stream is not None:
        with suppress(OSError):
            stream.close()
    return told


def _answer(failure: OSError | None) -> Answer:
    if failure is None or isinstance(failure, TimeoutError):
        return Answer.SILENT
    return Answer.REFUSED if isinstance(failure, ConnectionRefusedError) else Answer.UNREACHABLE


def _told(wire: Wire, address: Address, answer: Answer, began: float, source: int) -> Called:
    return Called(address[0], address[1], answer, round(wire.now() - began, 4), source)
