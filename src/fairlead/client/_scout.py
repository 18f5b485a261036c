"""A second session that finds out whether the server's call arrives, so that the user's transfer need not.

A server that calls a client in vain waits for its own time-out, up to two minutes, and most servers hear nothing
meanwhile, not even ABOR: vsftpd, ProFTPD and Pure-FTPd sit in connect(2). Whoever lets the transfer itself find that
out has lost the session to it. An upload can't be left to such a server and repeated elsewhere either: some delete what
they take for a failed upload once they wake up. So the second session lists a directory, which changes nothing, and is
left behind when nobody calls.
"""

from __future__ import annotations

from collections.abc import Sequence

from fairlead.client._control import Control
from fairlead.client._data import NO_DATA_CONNECTION, Channel, DataPorts, named_cause, uncalled_cause
from fairlead.client._ways import Failure, Verdict, Way
from fairlead.client._wire import Source
from fairlead.client.trace import show_duration, show_reply
from fairlead.errors import ClientError, ProtocolError
from fairlead.proto.reply import Reply
from fairlead.reach.cause import Cause


class Scout:
    """Waits for the server's call in an active ``way``."""

    def __init__(self, control: Control, ports: DataPorts) -> None:
        self._control = control
        self._ports = ports
        self._channel: Channel | None = None
        self._began = 0.0
        self.agreed = False
        """Whether the server agreed to call us, and was asked to."""

    @property
    def sources(self) -> Sequence[Source]:
        """What :meth:`look` is to be called for."""
        assert self._channel is not None
        assert self._channel.listener is not None
        return self._channel.listener, self._control.stream

    async def ask(self, way: Way) -> Failure | None:
        """Ask the server to call us; the failure when we can't even listen. Raises ClientError, ProtocolError."""
        offered = self._ports.offer(way)
        if isinstance(offered, Failure):
            return offered
        self._channel, argument = offered
        self._began = self._control.wire.now()
        await self._control.send(way.mode.value, argument)
        return None

    async def look(self) -> bool | Failure | None:
        """Whether the server has called; a failure once it is known that it does not, None while that is open."""
        assert self._channel is not None
        way = self._channel.way
        try:
            if self._channel.answer(self._control):
                return True
            while (reply := self._control.take()) is not None:
                if self.agreed and not reply.preliminary:
                    return _uncalled(way, reply, self._control.wire.now() - self._began)
                if not self.agreed:
                    if (refusal := self._ports.refusal(way, reply)) is not None:
                        return refusal
                    self.agreed = True
                    await self._control.send("LIST")
        except (ClientError, ProtocolError) as error:
            return Failure(way, Cause.ACTIVE_DROPPED, str(error), Verdict.UNREACHED)
        return None

    def give_up(self) -> Failure:
        """The failure of a server that never called."""
        assert self._channel is not None
        reason = f"the server did not call within {show_duration(self._control.wire.now() - self._began)}"
        return Failure(self._channel.way, Cause.ACTIVE_DROPPED, reason, Verdict.UNREACHED)

    def close(self) -> None:
        """End the session without a word, since the server may not be listening."""
        if self._channel is not None:
            self._channel.abort()
        self._control.lose("it was closed")


def _uncalled(way: Way, reply: Reply, seconds: float) -> Failure:
    said = f"the server answered {show_reply(reply)}"
    if reply.code not in NO_DATA_CONNECTION:
        return Failure(way, Cause.REFUSED_BY_POLICY, said, Verdict.BUSY)  # of the listing: it tells nothing of the call
    return Failure(way, named_cause(reply) or uncalled_cause(seconds), said, Verdict.UNREACHED)
