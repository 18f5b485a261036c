"""Small files for clients that have called already: gone within one call, before anybody could ask about or stop them.

Replies and events are those of :mod:`fairlead.server.transfer`, which takes over what cannot go so.
"""

from __future__ import annotations

from collections.abc import Coroutine
from time import monotonic
from typing import TYPE_CHECKING, Any

from fairlead.events import DataConnected
from fairlead.proto.reply import Reply
from fairlead.server.dtp import DONE, NOBODY, adopt
from fairlead.server.passive import PassivePort
from fairlead.server.protection import PRIVATE
from fairlead.server.sending import send_octets
from fairlead.server.transfer import COMPLETE, Transfer, report_finished

if TYPE_CHECKING:
    from fairlead.server.session import Session


def send_whole(session: Session, verb: str, path: str, octets: bytes) -> Reply | Coroutine[Any, Any, Reply]:
    """RETR of a file that has these ``octets``, as they are."""
    opening = f"Sending {path.rpartition('/')[2]} ({len(octets)} bytes)."
    port = _called_port(session)
    if port is None:
        return send_octets(Transfer(session, verb, path, len(octets)), opening, octets)
    began = monotonic()
    try:
        delivery = port.deliver(session, octets)
    except OSError as error:
        session.reply(Reply(150, opening))
        return Transfer(session, verb, path, len(octets)).cut(port, error)
    if delivery is DONE:
        session.reply(Reply(150, opening))
        session.use_port(None)
        report_finished(session, verb, path, len(octets), monotonic() - began, port.mode)
        return COMPLETE
    transfer = Transfer(session, verb, path, len(octets))
    if delivery is not NOBODY:
        session.reply(Reply(150, opening))
        transfer.take_over(port, adopt(delivery.connection), delivery.sent)
    return send_octets(transfer, opening, octets)


def _called_port(session: Session) -> PassivePort | None:
    """The data port, where its connection is one to be used as it is and nobody wants to hear of it."""
    port = session.port
    if (
        type(port) is not PassivePort
        or session.protection.level == PRIVATE
        or session.reply_to.stop_wanted
        or session.server.events.wanted(DataConnected)
    ):
        return None
    return port
