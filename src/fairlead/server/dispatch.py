"""From a command to its handler: the prechecks, in one fixed order.

Known, arity, TLS, login, order, data port, path and permission; what an earlier command left pending is forgotten on
the way, unless the command is one that may stand in between.
"""

from __future__ import annotations

from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from fairlead.errors import DataConnectionError, Denied
from fairlead.proto.path import resolve
from fairlead.proto.reply import Reply
from fairlead.reach.cause import Cause
from fairlead.server.protection import CLEAR
from fairlead.server.registry import NOT_IMPLEMENTED, Argument, Handler

if TYPE_CHECKING:
    from fairlead.server.registry import Spec
    from fairlead.server.session import Session

UNKNOWN = Reply(500, "Command not understood.")
NOT_HERE = Reply(502, "Command not implemented.")
PASSIVE_FIRST = DataConnectionError(
    Cause.REFUSED_BY_POLICY,
    f"Active mode is switched off here; send EPSV or PASV first ({Cause.REFUSED_BY_POLICY})",
)
EPSV_FIRST = Reply(503, "Send EPSV first, as EPSV ALL demands.")
TLS_FIRST = Reply(530, "Nobody logs in here in clear; send AUTH TLS first.")
PROTECT_FIRST = Reply(521, "No data move here in clear; send PROT P first.")
NOT_LOGGED_IN = Reply(530, "Please log in with USER and PASS.")


async def in_thread(session: Session, handler: Handler, argument: str) -> Reply:
    """Run a handler that calls the store in a thread, for a store that is not quick."""
    reply = await session.server.in_thread(handler, session, argument)
    return reply if isinstance(reply, Reply) else await reply


def _forget(session: Session, spec: Spec) -> None:
    if not spec.keeps_order:
        session.pending = ""
    if not spec.keeps_restart:
        session.restart = 0
        session.range = None


def _without_port(session: Session, verb: str) -> Reply | None:
    """Why a transfer cannot begin for which no data port was set, or whose kept data connection the client closed."""
    port = session.port
    if port is not None and port.ended():
        session.use_port(port.base)
    if session.port is not None or (session.server.settings.active and not session.epsv_all):
        return None
    return EPSV_FIRST if session.epsv_all else session.server.answer(session, PASSIVE_FIRST, verb)


def _wrong_arity(spec: Spec) -> Reply:
    if spec.argument is Argument.NONE:
        return Reply(501, f"{spec.verb} takes no argument.")
    return Reply(501, f"{spec.verb} needs an argument: {spec.verb} {spec.syntax}")


def _protected(session: Session, spec: Spec) -> bool:
    """Whether what ``spec`` carries is: a name or password by TLS on the control connection, data by PROT P."""
    if spec.private:
        return session.protection.tls is not None
    return session.protection.level != CLEAR or session.account is None  # who is not logged in is told that


def unknown(session: Session, verb: str) -> Reply:
    """The reply to a verb that is no command."""
    session.pending = ""
    return NOT_HERE if verb in NOT_IMPLEMENTED else UNKNOWN


def dispatch(session: Session, spec: Spec, argument: str) -> Reply | Coroutine[Any, Any, Reply]:
    """Check a command and run its handler: the reply, or a coroutine that ends with it."""
    pending, session.offset, session.window = session.pending, session.restart, session.range
    if pending or session.offset or session.window is not None:
        _forget(session, spec)
    if spec.argument is (Argument.NONE if argument else Argument.REQUIRED):
        return _wrong_arity(spec)
    if (spec.private or spec.data) and session.server.settings.tls.required and not _protected(session, spec):
        return TLS_FIRST if spec.private else PROTECT_FIRST
    account = session.account
    if account is None and spec.login:
        return NOT_LOGGED_IN
    if spec.after and pending != spec.after:
        return Reply(503, f"Send {spec.after} first.")
    no_port = spec.data and (session.port is None or session.port.kept)
    if no_port and (refusal := _without_port(session, spec.verb)) is not None:
        return refusal
    try:
        if spec.path:
            argument = resolve(session.cwd, argument)
            if account is None or not account.allows(argument, spec.right):
                raise Denied(argument)
        if spec.storage and not session.storage.inline:
            return in_thread(session, spec.handler, argument)
        return spec.handler(session, argument)
    except Exception as error:  # noqa: BLE001 - every failure is answered, in one place
        return session.server.answer(session, error, spec.verb)
