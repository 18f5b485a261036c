"""A session by way of an FTP proxy, which is logged in to and told where to go on to."""

from __future__ import annotations

from fairlead.client import _login
from fairlead.client._control import Control, refused
from fairlead.client.proxy import FtpProxy
from fairlead.client.settings import Password, TlsSetting
from fairlead.client.trace import TlsNotOffered
from fairlead.errors import ConfigError, LoginError
from fairlead.proto.reply import Reply

_NEED_ACCOUNT = 332


def refuse_tls(proxy: FtpProxy, tls: TlsSetting) -> None:
    """Raises ConfigError where nothing may go in clear: the proxy would read along, whatever it shows."""
    if tls in {"require", "implicit"}:
        message = (
            f"TLS cannot be had through the FTP proxy {proxy}, which reads along; take a SOCKS or HTTP proxy, "
            "or let everything go in clear"
        )
        raise ConfigError(message)


async def greet(control: Control) -> Reply:
    """The proxy's greeting; everything goes in clear, which the trace tells. Raises as the greeting of a server."""
    reply = await _login.greet(control)
    control.tell(TlsNotOffered())
    return reply


async def log_in(
    control: Control, proxy: FtpProxy, place: tuple[str, int], user: str | None, password: Password, account: str | None
) -> Reply:
    """Log in to ``proxy``, and through it as ``user`` to the server at ``place``; returns the last reply.

    Raises LoginError, TransientError.
    """
    if user is None:
        user, password = _login.ANONYMOUS, _login.ANONYMOUS_PASSWORD if password is None else password
    reply = None
    for verb, template in proxy.steps:
        if verb in {"PASS", "ACCT"} and reply is not None and reply.completed:
            continue  # whoever was named needs none
        if callable(password) and "{password}" in template:
            password = password()
        known = "" if callable(password) else password or ""
        reply = await control.command(verb, proxy.filled(template, place, user, known))
        if reply.transient:
            raise refused(reply, verb)
        if reply.permanent:
            raise LoginError(reply, f"{verb}, by way of the proxy {proxy}")
    assert reply is not None
    if reply.code == _NEED_ACCOUNT and account is not None:
        reply = await control.ask("ACCT", account)
    if not reply.completed:
        raise LoginError(reply, f"the login by way of the proxy {proxy}")
    return reply
