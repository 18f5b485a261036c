"""Trying again, by the class of what failed: with a back-off, in a new session where the old one is lost."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from fairlead.client._core import Session
from fairlead.client.trace import TryingAgain
from fairlead.errors import (
    ConnectError,
    DataConnectionError,
    DeadlineError,
    FairleadError,
    LoginError,
    SessionLost,
    SessionRefused,
    TransferError,
    TransientError,
)
from fairlead.proto.reply import Reply
from fairlead.reach.cause import Cause

P = ParamSpec("P")
T = TypeVar("T")
_LONGEST = 60.0
"""Seconds between two attempts, at most."""
_CUT = {Cause.DATA_CUT, Cause.DATA_STALLED}


class NoWayBack(OSError):
    """A stream can't go back to where a transfer has to go on from, so that it is not tried again."""


def passing(error: Exception) -> bool:
    """Whether another attempt may not meet ``error`` again: 4yz, a lost session, a data connection cut or stalled."""
    if isinstance(error, TransferError):
        reply = error.evidence.get("reply")
        return error.evidence.get("cause") in _CUT or (reply is not None and reply.transient)
    if isinstance(error, DataConnectionError):
        return error.cause is Cause.PASSIVE_EXHAUSTED
    return isinstance(error, TransientError | SessionLost | DeadlineError)


def put_off(error: Exception) -> bool:
    """Whether the server did nothing and says that it may do it later: what is done once only is asked for again."""
    return isinstance(error, TransientError)


async def persist(
    session: Session,
    attempt: Callable[[], Awaitable[T]],
    *,
    worth: Callable[[Exception], bool] = passing,
    reached: Callable[[], int] = lambda: 0,
    begins: bool = False,
) -> T:
    """Run ``attempt`` until it succeeds, fails for good, or ``retries`` attempts in a row failed to get on.

    A lost session is begun anew before an attempt, unless the attempt itself ``begins`` one. ``reached`` tells how far
    they came: where the next one goes on from there, only those that brought nothing count. What runs within another's
    attempt is left to that one. Raises what the last attempt raised.
    """
    if session.persisting or not session.settings.retries:
        return await attempt()
    session.persisting, session.returning = True, False
    failures, furthest = 0, 0
    failure: Exception | None = None
    lost: Exception | None = None
    try:
        while True:
            try:
                if not begins and session.may_return and not session.stands():
                    await _return(session)
                return await attempt()
            except NoWayBack as error:
                raise failure or error from error
            except FairleadError as error:
                coming_back = isinstance(error, ConnectError | LoginError) and session.returning
                if not (worth(error) or coming_back) or (_ended(error) and not session.may_return):
                    raise
                failure, lost = error, lost if coming_back else error
            if reached() > furthest:
                furthest, failures = reached(), 0
            failures += 1
            if failures > session.settings.retries:
                raise _never_back(failure, lost)
            await _pause(session, failures, failure)
    finally:
        session.persisting = False


async def connect(session: Session) -> Reply:
    """Connect; a server that takes no session for now is called again."""
    return await persist(session, session.connect, worth=lambda error: isinstance(error, SessionRefused), begins=True)


def repeatable(
    operation: Callable[Concatenate[Session, P], Coroutine[Any, Any, T]],
) -> Callable[Concatenate[Session, P], Coroutine[Any, Any, T]]:
    """Make ``operation``, which changes nothing when it is done twice, one that is tried again."""
    return _persistent(operation, passing)


def once(
    operation: Callable[Concatenate[Session, P], Coroutine[Any, Any, T]],
) -> Callable[Concatenate[Session, P], Coroutine[Any, Any, T]]:
    """Make ``operation``, which must not be done twice, one that is tried again where the server put it off."""
    return _persistent(operation, put_off)


def _persistent(
    operation: Callable[Concatenate[Session, P], Coroutine[Any, Any, T]], worth: Callable[[Exception], bool]
) -> Callable[Concatenate[Session, P], Coroutine[Any, Any, T]]:
    @wraps(operation)
    async def persistent(session: Session, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await persist(session, lambda: operation(session, *args, **kwargs), worth=worth)

    return persistent


def _never_back(failure: Exception, lost: Exception | None) -> Exception:
    """``failure``; where it is that nobody answers any more, what was ``lost`` before is told with it."""
    if lost is None or type(failure) is not ConnectError:
        return failure
    return ConnectError(f"{_happened(lost)}, and no new session began: {_happened(failure)}; try again later")


def _happened(error: Exception) -> str:
    """What ``error`` says, without what to do."""
    return (str(error).rpartition("; ")[0] or str(error)).rstrip(".")


def _ended(error: Exception) -> bool:
    return isinstance(error, SessionLost | DeadlineError)


async def _return(session: Session) -> None:
    session.returning = True
    await session.reopen()
    session.returning = False


async def _pause(session: Session, failures: int, error: Exception) -> None:
    """Wait, twice as long after each failure, half of that left to chance so that clients do not come all at once."""
    settings, wire = session.settings, session.wire
    seconds = min(settings.retry_delay * 2 ** (failures - 1), _LONGEST) * (0.5 + wire.chance() / 2)
    session.control.tell(TryingAgain(str(error), seconds, failures, settings.retries))
    await wire.wait_any(timeout=seconds)
