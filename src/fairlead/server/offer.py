"""What the commands of protection have in common: that they are there only where there is TLS."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING

from fairlead.proto.reply import Reply
from fairlead.server.dispatch import NOT_HERE

if TYPE_CHECKING:
    from fairlead.server.registry import Feature
    from fairlead.server.session import Session


def offered(line: str) -> Feature:
    """A line in FEAT, where there is a certificate."""
    return lambda session: line if session.server.certificates is not None else ""


def with_tls(handler: Callable[[Session, str], Reply]) -> Callable[[Session, str], Reply]:
    """502 where there is none."""

    @wraps(handler)
    def checked(session: Session, argument: str) -> Reply:
        return NOT_HERE if session.server.certificates is None else handler(session, argument)

    return checked


def third_party_refused(session: Session) -> Reply | None:
    """Why this end is not to be the client of TLS for another server, if it is not: nothing proves who that is."""
    settings = session.server.settings
    if not (settings.allow_fxp or session.logged_in.allow_fxp):
        return Reply(504, "Data connections of other servers are not served.")
    if settings.tls.resumption == "require":
        return Reply(504, "Another server cannot resume your TLS session, as data connections must here.")
    return None
