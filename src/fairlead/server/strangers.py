"""Who calls the control port and is no FTP client, told by the verbs that it sends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fairlead.proto.reply import Reply

if TYPE_CHECKING:
    from fairlead.server.session import Session

WEB_VERBS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "CONNECT", "TRACE", "PATCH"})
"""A web browser made to speak to this port (ALPACA); no FTP command has these names."""
PROXY_VERBS = {"PROXY": 1, "\0": 3}
"""What the header of the PROXY protocol, version 1 or 2, looks like to who expects commands: a verb, and how many
commands it makes with those before it."""


def turned_away(session: Session, verb: str) -> bool:
    """End the session where its newest command, by a ``verb`` that is no command, is none of an FTP client."""
    control = session.reply_to
    if verb in WEB_VERBS:
        control.close("a web client called", Reply(421, "This is an FTP server."))
    elif PROXY_VERBS.get(verb) == control.commands:
        # A header of the PROXY protocol from somebody who is not trusted with it: no client speaks so.
        session.server.notice(
            session,
            "proxy",
            f"a PROXY header came from {session.peer[0]}; where that is a load balancer of yours, name it in"
            " server.proxy_from",
        )
        control.close("a proxy called that is not trusted", Reply(421, "You are no proxy that I know."))
    else:
        return False
    return True
