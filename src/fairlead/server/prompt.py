"""Small files of clients that have called already: moved within one call, before anybody could ask about or stop them.

Replies and events are those of :mod:`fairlead.server.transfer`, which takes over what cannot go so.
"""

from __future__ import annotations

import os
from collections.abc import Coroutine
from time import monotonic
from typing import TYPE_CHECKING, Any

from fairlead.errors import StorageError
from fairlead.events import DataConnected
from fairlead.proto.reply import Reply
from fairlead.server.dtp import DONE, NOBODY, SMALL, Outcome, adopt
from fairlead.server.passive import PassivePort
from fairlead.server.protection import PRIVATE
from fairlead.server.pump import lost
from fairlead.server.receiving import receive, receive_file
from fairlead.server.sending import send_octets
from fairlead.server.transfer import COMPLETE, Transfer, report_finished
from fairlead.storage.local.faults import fault

if TYPE_CHECKING:
    from fairlead.server.dtp import Delivery
    from fairlead.server.session import Session
    from fairlead.storage.base import Upload


def send_whole(session: Session, verb: str, path: str, octets: bytes) -> Reply | Coroutine[Any, Any, Reply]:
    """RETR of a file that has these ``octets``, as they are."""
    opening = f"Sending {path.rpartition('/')[2]} ({len(octets)} bytes)."
    port = _called_port(session)
    if port is None:
        return send_octets(Transfer(session, verb, path, len(octets)), opening, octets)
    began = monotonic()
    try:
        delivery = port.deliver(octets)
    except OSError as error:
        session.reply(Reply(150, opening))
        return Transfer(session, verb, path, len(octets)).fail(port, lost(error))
    if delivery is DONE:
        session.reply_to.send(Reply(150, opening))  # it leaves with the other reply, for all is done in one turn
        session.port = None
        report_finished(session, verb, path, len(octets), monotonic() - began, port.mode)
        return COMPLETE
    transfer = Transfer(session, verb, path, len(octets))
    if delivery is not NOBODY:
        session.reply(Reply(150, opening))
        transfer.take_over(port, adopt(delivery.connection), delivery.moved)
    return send_octets(transfer, opening, octets)


def receive_new(session: Session, verb: str, path: str, upload: Upload) -> Reply | Coroutine[Any, Any, Reply]:
    """STOR of a file, as it comes, into an ``upload`` that has just begun."""
    opening = f"Ready for {path.rpartition('/')[2]}."
    port, file = _called_port(session), upload.fileno()
    if port is None or file is None or not session.storage.inline:
        return receive_file(session, verb, path, upload, opening)
    session.reply_to.invite(Reply(150, opening))
    began = monotonic()
    try:
        delivery = _collected(session, port, file)
        upload.position += delivery.moved
        if delivery.outcome is Outcome.FAULT:
            os.close(delivery.connection)
            raise fault(OSError(delivery.error, ""), path)
        if delivery.outcome is not Outcome.DONE or not upload.prompt or session.reply_to.left:
            transfer = _begun(session, verb, path, port)
            if delivery is not NOBODY:
                transfer.take_over(port, adopt(delivery.connection), delivery.moved)
                transfer.drained = delivery.outcome is Outcome.PARTLY and delivery.moved < SMALL
            return receive(transfer, session, upload, opening)
        os.close(delivery.connection)
        upload.commit()
    except OSError as error:
        upload.keep()
        return _begun(session, verb, path, port).fail(port, lost(error))
    except StorageError as error:
        upload.discard()
        return _begun(session, verb, path, port).fail(port, error)
    session.use_port(None)
    report_finished(session, verb, path, delivery.moved, monotonic() - began, port.mode)
    return COMPLETE


def _begun(session: Session, verb: str, path: str, port: PassivePort) -> Transfer:
    """The upload as a transfer, whose 1yz reply is sent."""
    transfer = Transfer(session, verb, path, None, receives=True)
    transfer.begin(port)
    return transfer


def _collected(session: Session, port: PassivePort, file: int) -> Delivery:
    """What has come by now, and where that is nothing, by the time that the listener is closed, which takes a while."""
    delivery = port.collect(file, SMALL)
    if delivery.outcome is Outcome.PARTLY and not delivery.moved:
        session.use_port(None)
        try:
            return session.server.pool.dtp.receive(delivery.connection, file, SMALL)
        except OSError:
            os.close(delivery.connection)
            raise
    return delivery


def _called_port(session: Session) -> PassivePort | None:
    """The data port, where its connection is one to be used as it is and nobody wants to hear of it."""
    port = session.port
    if (
        type(port) is not PassivePort
        or session.protection.level == PRIVATE
        or session.reply_to.stop_wanted
        or session.server.events.routes[DataConnected]
    ):
        return None
    return port
