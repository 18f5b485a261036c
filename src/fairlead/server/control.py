"""The control connection: octets in, commands one at a time, replies out in order."""

from __future__ import annotations

import asyncio
import select
from collections import deque
from typing import TYPE_CHECKING, Any, cast

from fairlead.events import CommandReceived
from fairlead.proto.command import Command, CommandParser, LineTooLong
from fairlead.proto.reply import Reply
from fairlead.reach.cause import Cause
from fairlead.server import occurrences
from fairlead.server.commands import look_up
from fairlead.server.data import plain_address
from fairlead.server.dispatch import dispatch, unknown
from fairlead.server.failures import AbortedError
from fairlead.server.punctual import Punctual
from fairlead.server.registry import COMMANDS, Urgency
from fairlead.server.session import Session
from fairlead.server.stepping import Stepper, Wait
from fairlead.server.strangers import turned_away

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterable

    from fairlead.server.registry import Spec
    from fairlead.server.server import Server

TOO_LONG = Reply(500, "The command line is too long.")
QUEUE_HIGH, QUEUE_LOW = 128, 32
"""Commands waiting at which reading from the client stops, and goes on."""
NOTHING: deque[Command | LineTooLong] = deque()
"""The queue of all sessions in which no command waits."""
TURN = 256
"""Commands answered in one turn of the loop before others get theirs."""
GOODBYE = Reply(421, "The server is shutting down, closing the control connection.")
LAST_WORDS = 3.0
"""Seconds a client has to read the last reply and to close before the connection is cut."""


class Control(Punctual):
    """One control connection and its session."""

    __slots__ = (
        "_ended", "_ending", "_implicit", "_lost", "_orderly", "_parser", "_queue", "_reading_paused", "_verb",
        "commands",
    )  # fmt: skip

    def __init__(self, server: Server, *, implicit: bool = False) -> None:
        super().__init__(server)
        self._implicit = implicit
        self._parser = CommandParser(server.settings.line_limit)
        self._queue: deque[Command | LineTooLong] = NOTHING
        self._ended = False
        self._lost = False
        self._ending: select.poll | None = None
        """Tells whether the client has ended the connection, once it was asked."""
        self._orderly = False
        self._reading_paused = False
        self._verb = ""
        self.commands = 0
        """How many were begun."""

    # The transport's calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin with the two ends of the connection itself."""
        own = transport.get_extra_info("sockname")
        self.begin(transport, transport.get_extra_info("peername"), own, own)

    def begin(
        self,
        transport: asyncio.BaseTransport,
        peer: tuple[str, int] | None,
        local: tuple[str, int] | None,
        own: tuple[str, int] | None,
    ) -> None:
        """Greet the client at ``peer``, which called ``local``, or turn it away with 421.

        ``own`` is this end of the connection: not ``local`` where a proxy called.
        """
        self._connect(cast("asyncio.Transport", transport))
        server = self._server
        session = self.session = Session(server, self, server.next_number(), self._active, implicit=self._implicit)
        if not peer or not local or not own:
            self._transport.abort()
            return
        session.peer = (plain_address(peer[0]), peer[1])
        session.local = (plain_address(local[0]), local[1])
        session.here = session.local[0] if own is local else plain_address(own[0])
        self._descriptor = transport.get_extra_info("socket").fileno()
        refusal = server.admit(self, self._descriptor)
        if refusal is not None:
            occurrences.refused(session, refusal)
            self.closing = refusal
            self.send(Reply(421, refusal))
            self._flush()
            self._transport.close()
            return
        occurrences.opened(session, local)
        if self._implicit:
            self._put_under_tls(after_reply=False)
        self.send(server.greeting)
        self.check_at(self._active + server.settings.login_timeout)
        self._flush()

    def data_received(self, data: bytes) -> None:
        """Parse what came; run the commands, or see to the urgent ones if one is running."""
        if self.closing:
            return
        self._active = self._loop.time()
        parser = self._parser
        commands = parser.feed(data)
        if parser.reader is not None and (answers := parser.take_answers()):
            self._out.append(answers)
        if self._busy:
            for command in commands:
                self._arrive_meanwhile(command)
            if self._busy:
                self._throttle()
                self._flush()
            else:
                self._run()
        elif len(commands) == 1 and self._queue is NOTHING and not self._writing_paused:  # no queue is needed
            self._running = True
            self._execute(commands[0])
            if self._queue or self._reading_paused or self._ended or self._server.stopping:
                self._end_turn()
            else:
                self._running = False
                self._flush()
        else:
            self._enqueue(commands)
            self._run()

    def eof_received(self) -> bool:
        """The client closed its side: what it asked before is answered, a transfer is stopped (as ABOR and QUIT)."""
        self._ended = True
        if self.closing:
            return False
        transfer = self.session.transfer
        if transfer is not None and self.stop_wanted:
            transfer.abort()
        if not self._busy and not self._queue:
            self.close("the client closed the connection")
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """The control connection is gone: stop the transfer, release everything."""
        if exc is not None and not self.closing:
            occurrences.lost(self.session, str(exc), forgotten=isinstance(exc, TimeoutError) and self.transfers)
        if not self.closing:
            self.closing = "the connection was lost" if exc is not None else "the client closed the connection"
        self._ended = True
        self._queue.clear()
        self._forget_deadlines()
        if self._drained is not None:
            self._drained.end(AbortedError("The control connection is gone"))
        session = self.session
        self._lost = True
        if session.transfer is not None:
            session.transfer.abort()
        elif session.port is not None:
            session.use_port(None)
        if self._server.dismiss(self):
            occurrences.closed(session, self.closing)

    def pause_writing(self) -> None:
        """The client does not read its replies: no further command is read or run until it does."""
        self._writing_paused = True
        self._throttle()

    def resume_writing(self) -> None:
        """The client reads again."""
        self._writing_paused = False
        self._active = self._loop.time()
        self._throttle()
        if self._drained is not None:
            self._drained.end()
        elif not self._busy:
            self._run()

    # The session's calls

    async def hear_out(self) -> None:
        """If the client has ended the control connection, go on only once that has been noticed.

        Of a client that is killed both connections end at once, and the end of the data alone looks like that of a
        whole upload.
        """
        while self.left:
            turn = Wait()
            self._loop.call_soon(turn.end)
            await turn

    @property
    def left(self) -> bool:
        """Whether the client has ended the control connection, and that is still to be noticed."""
        if self._ended or self._reading_paused:
            return False
        if self._ending is None:
            self._ending = select.poll()
            self._ending.register(self._descriptor, select.POLLRDHUP)
        return bool(self._ending.poll(0))

    # TLS

    def start_tls(self) -> None:
        """Begin TLS as soon as the reply of the handler that calls this is written.

        What else came in clear is forgotten: a command that somebody put there must not run inside (RFC 4217 section
        15.1 trusts nothing that was said before).
        """
        self._queue.clear()
        self._parser = CommandParser(self._server.settings.line_limit)
        self._put_under_tls(after_reply=True)

    def protection_failed(self, reason: str) -> None:
        """TLS cannot go on, so neither can the session: nothing is ever said in clear instead."""
        self._server.notice(self.session, Cause.TLS_FAILED, reason)
        if self.session.transfer is not None:
            self.session.transfer.abort()
        self.close(f"TLS failed: {reason}")

    # The end

    def close(self, reason: str, reply: Reply | None = None) -> None:
        """Close once ``reply``, or the reply of the handler that calls this, is written; no further command runs."""
        if self.closing:
            return
        self.closing = reason
        self._orderly = self._verb == "QUIT" and not self._queue and self._layer is None
        self._queue.clear()
        self._forget_deadlines()
        if reply is not None:
            self.send(reply)
        self._loop.call_soon(self._finish)

    def say_goodbye(self) -> None:
        """The server stops: end an idle session with 421, a busy one once its command is done."""
        if self.idle:
            self.close("the server is shutting down", GOODBYE)

    def cut(self) -> None:
        """Drop the connection without another word."""
        self.closing = self.closing or "the server is shutting down"
        self._transport.abort()

    def _finish(self) -> None:
        """End the server's side, and the whole once the client has ended its own.

        Closing while octets of the client are unread or on their way would reset the connection, and the reset can
        take the last reply away from the client (RFC 1122 section 4.2.2.13). After QUIT nothing more is to come.
        """
        self._flush()
        if self._transport.is_closing():
            return
        if self._ended or self._orderly:
            self._transport.close()
            if self._clear is not None and not self._clear.get_write_buffer_size():
                return  # nothing is left to wait for
        else:
            self._transport.write_eof()
            self._throttle()
        self._tick = self._server.deadlines.put(self, self._loop.time() + LAST_WORDS)

    @property
    def stop_wanted(self) -> bool:
        """Whether a transfer must not begin or go on: ABOR waits, or the client closed its side without QUIT."""
        if not self._queue and not self._ended:
            return False
        waiting = {command.verb for command in self._queue if isinstance(command, Command)}
        return "ABOR" in waiting or (self._ended and "QUIT" not in waiting)

    @property
    def transfers(self) -> bool:
        """Whether the command that runs, or ran last, is one for data."""
        spec = COMMANDS.get(self._verb)
        return spec is not None and spec.data

    @property
    def idle(self) -> bool:
        """Whether no command is running or waiting."""
        return not self._busy and not self._queue

    # Running commands

    def _enqueue(self, commands: Iterable[Command | LineTooLong]) -> None:
        if self._queue is NOTHING:
            self._queue = deque(commands)
        else:
            self._queue.extend(commands)

    def _run(self) -> None:
        queue = self._queue
        left = TURN
        self._running = True
        while queue and not self._busy and not self._writing_paused and not self.closing:
            if left == 0:
                self._loop.call_soon(self._go_on)
                break
            left -= 1
            self._execute(queue.popleft())
        if not queue:
            self._queue = NOTHING
        self._end_turn()

    def _end_turn(self) -> None:
        self._running = False
        queue = self._queue
        if queue or self._reading_paused:
            self._throttle()
        self._flush()
        if not queue and not self._busy:
            if self._ended:
                self.close("the client closed the connection")
            elif self._server.stopping:
                self.say_goodbye()

    def _go_on(self) -> None:
        if not self._busy:
            self._run()

    def _execute(self, command: Command | LineTooLong) -> None:
        if type(command) is LineTooLong:
            self.send(TOO_LONG)
            return
        if TYPE_CHECKING:
            assert isinstance(command, Command)
        session = self.session
        if self._server.events.routes[CommandReceived]:
            occurrences.received(session, command)
        self.commands += 1
        verb = self._verb = command.verb
        spec = COMMANDS.get(verb) or look_up(verb)
        if spec is None:
            if not turned_away(session, verb):
                self.send(unknown(session, verb))
            return
        result = dispatch(session, spec, command.argument)
        if type(result) is Reply:
            self.send(result)
            return
        if TYPE_CHECKING:
            assert not isinstance(result, Reply)
        self._busy = True
        Stepper(result, self._ended_with).step()

    def _ended_with(self, reply: Reply | None, error: Exception | None) -> None:
        """The running command is done; if it did not end in the turn it began in, go on with the next."""
        self._busy = False
        self._active = self._loop.time()
        if self._lost:
            # A transfer leaves a connection that was to be kept, other work what was there before it.
            self.session.use_port(None)
        if error is not None:
            reply = self._server.answer(self.session, error, self._verb)
        if reply is not None and not self._transport.is_closing():
            self.send(reply)
        if not self._running:
            self._run()

    def _arrive_meanwhile(self, command: Command | LineTooLong) -> None:
        """Queue a command that came while another is running; see to it at once where it is urgent."""
        transfer = self.session.transfer
        spec = COMMANDS.get(command.verb) if isinstance(command, Command) else None
        urgency = spec.urgency if spec is not None and transfer is not None else Urgency.NONE
        in_step = transfer is not None and transfer.announced and not self._queue
        if urgency is Urgency.ANSWERED and in_step and self._answered(cast("Spec", spec), cast("Command", command)):
            return
        self._enqueue((command,))
        if urgency is Urgency.STOPS and transfer is not None:
            transfer.abort()

    def _answered(self, spec: Spec, command: Command) -> bool:
        """Answer ``command`` during a transfer; False where its answer would need to wait for something."""
        result = dispatch(self.session, spec, command.argument)
        if type(result) is not Reply:
            cast("Coroutine[Any, Any, Reply]", result).close()
            return False
        if self._server.events.wanted(CommandReceived):
            occurrences.received(self.session, command)
        self.send(result)
        return True

    def _throttle(self) -> None:
        """Read no more from a client that is far ahead or does not read its replies, so that memory stays bounded."""
        paused = self._reading_paused
        pause = not self.closing and (self._writing_paused or len(self._queue) > (QUEUE_LOW if paused else QUEUE_HIGH))
        if pause is paused or self._transport.is_closing():
            return
        self._reading_paused = pause
        if pause:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()
