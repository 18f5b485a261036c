"""From the greeting to the session that can transfer: USER, PASS, ACCT, FEAT (RFC 959 section 6, RFC 2389)."""

from __future__ import annotations

from fairlead.client._control import Control, refused
from fairlead.client.settings import Password
from fairlead.client.trace import show_reply
from fairlead.errors import ConnectError, LoginError, ProtocolError, SessionLost, SessionRefused
from fairlead.proto.features import parse_features
from fairlead.proto.host import format_host
from fairlead.proto.reply import Reply

ANONYMOUS = "anonymous"
ANONYMOUS_PASSWORD = "anonymous@example.com"
"""What stands for an e-mail address (RFC 1635 section 3); it says nothing about the user."""
_NEED_ACCOUNT = 332
_UNKNOWN_COMMAND = {500, 502}
_FEATURES = 211


async def greet(control: Control) -> Reply:
    """The server's 220; a 120 before it means that it takes a while.

    Raises SessionRefused, ConnectError for what is no FTP server, DeadlineError.
    """
    try:
        reply = await control.receive()
        if reply.preliminary:
            reply = await control.receive_final()
    except SessionLost as error:
        message = f"the server does not take the session ({error}); try again later"
        raise SessionRefused(message) from error
    except ProtocolError as error:
        message = f"what answers is no FTP server ({error}); check the port"
        raise ConnectError(message) from error
    if not reply.completed:
        control.lose(f"it greeted with {reply.code}")
        message = f"the server does not take the session: {reply.code} {reply.text}"
        raise SessionRefused(message)
    return reply


async def log_in(control: Control, user: str | None, password: Password, account: str | None) -> Reply:
    """USER, then PASS and ACCT where the server asks for them; returns the last reply.

    ``user`` None is anonymous. ``password`` may be a function, called only when a password is asked for. Raises
    LoginError, TransientError.
    """
    if user is None:
        user, password = ANONYMOUS, ANONYMOUS_PASSWORD if password is None else password
    step, reply = "USER", await control.command("USER", user)
    if reply.intermediate and reply.code != _NEED_ACCOUNT:
        secret = password() if callable(password) else password
        step, reply = "PASS", await control.command("PASS", secret or "")
    if reply.code == _NEED_ACCOUNT and account is not None:
        step, reply = "ACCT", await control.command("ACCT", account)
    if reply.transient:
        raise refused(reply, step)
    if not reply.completed:
        raise LoginError(reply, step)
    return reply


async def tell_host(control: Control, host: str) -> None:
    """HOST with the name as it was typed, without a port (RFC 7151 section 3.2.2), once in a session.

    Raises ConnectError, unless HOST is unknown to the server, which then has no virtual hosts.
    """
    if control.host_told:
        return
    reply = await control.command("HOST", format_host(host))
    if not reply.completed and reply.code not in _UNKNOWN_COMMAND:
        message = f"the server has no virtual host {host}: {show_reply(reply)}; check the name, or leave HOST out"
        raise ConnectError(message)
    control.host_told = True


async def ask_features(control: Control) -> dict[str, str] | None:
    """The server's features, None when it does not tell; UTF-8 is switched on where it is offered (RFC 2640)."""
    reply = await control.command("FEAT")
    if reply.code != _FEATURES:
        return None
    features = parse_features(reply)
    if "UTF8" in features:
        await control.command("OPTS", "UTF8 ON")
    if control.settings.language is not None and "LANG" in features:
        await control.command("LANG", control.settings.language)
    return features
