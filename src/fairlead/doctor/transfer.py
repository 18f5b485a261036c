"""A listing or a file over a data connection, noted as it goes; nothing that fails is raised."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from fairlead.client._security import shake_hands
from fairlead.client._wire import Listener, Source, Stream
from fairlead.client.trace import Answered, DataClosed, TlsBegan, TurnedAway
from fairlead.doctor.entry import said
from fairlead.errors import FairleadError, TlsError
from fairlead.proto.reply import Reply
from fairlead.reach.cause import Cause
from fairlead.reach.evidence import Evidence

if TYPE_CHECKING:
    from fairlead.client._control import Control
    from fairlead.doctor.patience import Patience

_PAUSE = 0.25
"""Seconds between two reads of a slow transfer."""
_LATE = 2.0
"""Seconds by which 226 may come before all was read, and the idle time begin anew."""
_KNOCK = 2.0
"""Seconds, at least, for the reply to a NOOP behind a long transfer."""
_SIP = 20480
"""Octets that are read at a time meanwhile; the rest waits at the server, which has not said 226 yet.

Less would leave the data connection itself idle: under TLS much is taken from it at once.
"""
ENOUGH = 256 * 1024
"""Octets of a listing after which nothing more is to be learnt from it."""


class Transfer:
    """One transfer; :attr:`seen` is what was observed of it so far."""

    def __init__(
        self, control: Control, patience: Patience, seen: Evidence, *, enough: int = ENOUGH, slow: float = 0.0
    ) -> None:
        """Take note of a transfer over ``control``, of which ``enough`` octets will do.

        For the first ``slow`` seconds only little is read at a time, so that the control connection is idle meanwhile.
        """
        self.control = control
        self.patience = patience
        self.seen = seen
        self._enough = enough
        self._slow = slow
        self._began = 0.0
        self._over = False
        self._quiet = 0.0
        """Since when nothing went over the control connection."""

    async def run(self, command: tuple[str, str], *, stream: Stream | None, listener: Listener | None) -> Evidence:
        """Send ``command`` and follow it to its end; the connection is ``stream``, or comes in at ``listener``."""
        wire = self.control.wire
        self._began = wire.now()
        try:
            await self.control.send(*command)
            if stream is None and listener is not None:
                stream = await self._called(listener)
            if stream is not None:
                await self._receive(stream)
        except FairleadError as error:
            self._note(broke=self.seen.broke or str(error))
        finally:
            if stream is not None:
                stream.close()
        if self.seen.idle and self._over and not self._failed:
            await self._knock()
        self._note(waited=round(wire.now() - self._began, 4))
        return self.seen

    async def _called(self, listener: Listener) -> Stream | None:
        """The server's call; None when it does not come, or the server says that it gave up."""
        wire, control = self.control.wire, self.control
        deadline = wire.now() + self.patience.caller
        while True:
            while (caller := listener.accept()) is not None:
                if caller.peer[0] == control.peer[0]:
                    control.tell(Answered(caller.peer))
                    self._note(caller=caller.peer[0])
                    return caller
                control.tell(TurnedAway(caller.peer))
                caller.abort()
            if self._failed or not await wire.wait_any(readers=[listener, *self._ear], timeout=deadline - wire.now()):
                return None
            self._listen()

    async def _receive(self, stream: Stream) -> None:
        began = self.control.wire.now()
        protection = self.control.data_protection
        if protection is not None and not self._failed:
            protected = protection.data(stream)
            self._note(resumed=False)
            try:
                done = await shake_hands(self.control.wire, protected, timeout=self.patience.reply)
            except (TlsError, OSError) as error:
                self._note(handshake=str(error))
                await self._hear_out()
                return
            if not done:
                self._note(handshake="the handshake did not end")
                await self._hear_out()
                return
            self._note(resumed=protected.security.resumed)
            self.control.tell(TlsBegan("data", protected.security))
            stream = protected
        await self._read(stream)
        if self.seen.octets >= self._enough:
            self._note(enough=True)
            self.control.tell(DataClosed("us", self.seen.octets, self.control.wire.now() - began))
            return
        broke = self.seen.broke
        seconds = self.control.wire.now() - began
        self.control.tell(
            DataClosed("the server", self.seen.octets, seconds, broke, Cause.DATA_CUT.value if broke else "")
        )
        stream.close()
        await self._hear_out()

    async def _read(self, stream: Stream) -> None:
        wire, room = self.control.wire, memoryview(bytearray(65536))
        began = self._quiet = wire.now()
        while self.seen.octets < self._enough:
            slow = wire.now() - self._quiet < self._slow and wire.now() - began < self._slow + _LATE
            buffer = room[:_SIP] if slow else room
            if slow and self.seen.octets:
                await wire.wait_any(readers=self._ear, timeout=_PAUSE)
                self._listen()
                self._note(idle=round(wire.now() - self._quiet, 3))
            try:
                size = stream.receive_into(buffer)
            except OSError as error:
                self._note(broke=error.strerror or str(error))
                return
            if size is None:
                if self._failed or not await wire.wait_any(readers=[stream, *self._ear], timeout=self.patience.stall):
                    return
                self._listen()
                continue
            if not size:
                self._note(ended=True)
                return
            self._note(octets=self.seen.octets + size)

    async def _hear_out(self) -> None:
        deadline = self.control.wire.now() + self.patience.reply
        while not self._over:
            reply = await self.control.receive_within(deadline - self.control.wire.now())
            if reply is None:
                return
            self._take(reply)

    async def _knock(self) -> None:
        """Find out whether the control connection, idle for a while, still carries anything."""
        self.control.settings = self.control.settings.replace(reply_timeout=max(_KNOCK, 2 * self.patience.glance))
        try:
            await self.control.command("NOOP")
        except FairleadError:
            self._note(forgotten=True)

    @property
    def _ear(self) -> list[Source]:
        return [] if self._over else [self.control.stream]

    @property
    def _failed(self) -> bool:
        return self.seen.final is not None and self.seen.final.code >= 400

    def _listen(self) -> None:
        while not self._over and (reply := self.control.take()) is not None:
            self._take(reply)

    def _take(self, reply: Reply) -> None:
        if reply.preliminary:
            self._note(opening=self.seen.opening or said(reply))
        else:
            self._over = True
            self._quiet = self.control.wire.now()
            self._note(final=said(reply))

    def _note(self, **found: object) -> None:
        self.seen = replace(self.seen, **found)  # type: ignore[arg-type]


def let_go(control: Control) -> None:
    """Close a session without waiting for anything."""
    with suppress(FairleadError, OSError):
        control.lose("the attempt is over")
