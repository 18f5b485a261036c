"""Choosing a virtual host: HOST (RFC 7151)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fairlead.errors import UnsupportedError
from fairlead.proto.reply import Reply
from fairlead.server.hosts import UNAVAILABLE
from fairlead.server.registry import Argument, command

if TYPE_CHECKING:
    from fairlead.server.session import Session


@command("HOST", syntax="name", argument=Argument.REQUIRED, login=False, feature="HOST")
def choose_host(session: Session, argument: str) -> Reply:
    """Name the host that the session is with; of several before login, the last one counts."""
    if session.account is not None:
        return Reply(503, "HOST comes before USER; send REIN to begin anew.")
    from fairlead.proto.host import parse_host

    name, is_address = parse_host(argument)
    called = session.protection.server_name.lower()
    if called and name != called:
        raise UnsupportedError("TLS began with another host's name")
    host = session.server.hosts.find(name, session, is_address=is_address)
    if host is not None and not host.available:
        session.reply_to.close("the host is not available")
        return UNAVAILABLE
    session.enter_host(host)
    return session.greeting
