"""From the call to the login: a session in which one thing is tried, or the cause that there is none."""

from __future__ import annotations

from collections.abc import Sequence

from fairlead.client import _security
from fairlead.client._control import Control
from fairlead.client._login import ANONYMOUS, ANONYMOUS_PASSWORD
from fairlead.client._wire import Address, Wire
from fairlead.client.settings import Settings
from fairlead.client.trace import ControlCalled, Trace, printable
from fairlead.doctor.calling import call
from fairlead.doctor.patience import LOGIN, Patience
from fairlead.doctor.plan import Plan
from fairlead.errors import (
    CertificateError,
    DeadlineError,
    FairleadError,
    ProtocolError,
    SessionLost,
    TlsError,
)
from fairlead.proto.reply import Reply
from fairlead.reach.cause import Cause
from fairlead.reach.evidence import Answer, Said

_CALL = 4.0
_NEED_PASSWORD = 331
_MENTIONS_TLS = ("tls", "ssl", "encrypt", "cleartext", "secur", "auth")
_MENTIONS_NUMBER = ("too many", "maximum", "limit", "connections", "sessions", "clients", "users", "busy", "try later")


class Stopped(Exception):
    """There is no session; ``cause`` names why, ``said`` is the server's word or what happened."""

    def __init__(self, cause: Cause, said: str, *, crowded: bool = False) -> None:
        super().__init__(said)
        self.cause = cause
        self.said = printable(said)
        self.crowded = crowded
        """Whether the server only has no room for one more session."""


def said(reply: Reply) -> Said:
    """A reply as evidence: the last line, which counts, of its text."""
    return Said(reply.code, printable(reply.lines[-1] if reply.lines else ""))


async def connect(wire: Wire, plan: Plan, address: Address, trace: Trace | None) -> tuple[Control, float]:
    """A control connection, and the seconds of its round trip. Raises Stopped."""
    told, stream = await call(wire, address, _CALL)
    if trace is not None:
        local = stream.local if stream is not None else ("", told.source)
        trace(ControlCalled(address, local, told.seconds, told.answer.value))
    if stream is None:
        refused = told.answer is Answer.REFUSED
        raise Stopped(Cause.CONTROL_REFUSED if refused else Cause.CONTROL_TIMEOUT, f"{told.answer}")
    patience = Patience(told.seconds)
    settings = plan.settings.replace(reply_timeout=patience.reply)
    return Control(wire, stream, settings, trace), told.seconds


async def begin_tls(control: Control, plan: Plan, settings: Settings) -> None:
    """Go on under TLS. Raises Stopped."""
    try:
        await control.start_tls(control.wire.protection(plan.host, settings))
    except CertificateError as error:
        control.lose("its certificate is not accepted")
        raise Stopped(Cause.CERTIFICATE_INVALID, str(error)) from error
    except (TlsError, SessionLost, DeadlineError) as error:
        control.lose("TLS failed")
        raise Stopped(Cause.TLS_FAILED, str(error)) from error


async def greet(control: Control) -> Reply:
    """The greeting. Raises Stopped."""
    try:
        reply = await control.receive()
        if reply.preliminary:
            reply = await control.receive_final()
    except ProtocolError as error:
        raise Stopped(Cause.NOT_FTP, str(error)) from error
    except DeadlineError as error:
        raise Stopped(Cause.NOT_FTP, "nothing was said in greeting") from error
    except SessionLost as error:
        raise Stopped(Cause.CONTROL_LOST, str(error), crowded="421" in str(error)) from error
    if not reply.completed:
        control.lose(f"it greeted with {reply.code}")
        raise Stopped(Cause.CONTROL_LOST, f"{said(reply)}", crowded=reply.transient or _crowded(reply))
    return reply


async def ask(control: Control, verb: str, argument: str = "") -> Reply:
    """The reply to a command. Raises Stopped when the control connection does not live through it."""
    try:
        return await control.command(verb, argument)
    except FairleadError as error:
        raise Stopped(Cause.CONTROL_LOST, str(error), crowded="421" in str(error)) from error


async def log_in(control: Control, plan: Plan, *, password: bool = True) -> Reply:
    """USER and, unless ``password`` is False, PASS; returns the last reply. Raises Stopped."""
    settings = control.settings
    control.settings = settings.replace(reply_timeout=LOGIN)
    try:
        reply = await ask(control, "USER", ANONYMOUS if plan.user is None else plan.user)
        if reply.code == _NEED_PASSWORD and password:
            secret = plan.password() if callable(plan.password) else plan.password
            fallback = ANONYMOUS_PASSWORD if plan.user is None else ""
            reply = await ask(control, "PASS", secret if secret is not None else fallback)
    except Stopped as stop:
        if control.protection is None and _about_tls(stop.said):
            raise Stopped(Cause.TLS_REQUIRED, stop.said) from stop
        raise
    finally:
        control.settings = settings
    if reply.completed or (reply.intermediate and not password):
        return reply
    clear = control.protection is None
    if clear and _about_tls(reply.text):
        raise Stopped(Cause.TLS_REQUIRED, f"{said(reply)}")
    raise Stopped(Cause.LOGIN_REFUSED, f"{said(reply)}", crowded=_crowded(reply))


async def protect(control: Control) -> None:
    """PBSZ and PROT P. Raises Stopped."""
    try:
        await _security.protect_data(control)
    except TlsError as error:
        raise Stopped(Cause.NOT_SUPPORTED, str(error)) from error
    except FairleadError as error:
        raise Stopped(Cause.CONTROL_LOST, str(error)) from error


async def go_to(control: Control, directories: Sequence[str]) -> None:
    """Change to where the listing is made; where that fails, the login's own directory will do."""
    for directory in directories:
        if not (await ask(control, "CWD", directory)).completed:
            return


def _about_tls(text: str) -> bool:
    return any(word in text.lower() for word in _MENTIONS_TLS)


def _crowded(reply: Reply) -> bool:
    return reply.code in {421, 530} and any(word in reply.text.lower() for word in _MENTIONS_NUMBER)
