"""One attempt: one mode, one family, one protection, in a session of its own."""

from __future__ import annotations

import random
import re
from dataclasses import replace

from fairlead.client._connect import is_ipv6
from fairlead.client._control import Control
from fairlead.client._ways import Mode
from fairlead.client._wire import Listener, Stream, Wire
from fairlead.client.trace import Called as CalledRecord
from fairlead.client.trace import ModeFailed, Record, Trace, Waiting
from fairlead.doctor.calling import call, try_port
from fairlead.doctor.entry import Stopped, ask, begin_tls, connect, go_to, greet, log_in, protect, said
from fairlead.doctor.hops import NOWHERE, trace
from fairlead.doctor.look import Look
from fairlead.doctor.patience import Patience
from fairlead.doctor.plan import Plan
from fairlead.doctor.transfer import ENOUGH, Transfer, let_go
from fairlead.errors import ArgumentError
from fairlead.proto import address as text_form
from fairlead.reach.cause import Cause
from fairlead.reach.evidence import Answer, Called, Evidence
from fairlead.reach.private import is_private
from fairlead.reach.verdict import put_right

SAMPLES = 16
"""Further ports of the range that are tried: where half of them are open, so many do not look alike by chance."""
SAMPLING = 2.0
"""Seconds after which a few of them will do."""
FEW = 6
LISTING = ("LIST", "")
SLOW = 6.2
"""Seconds of a long transfer in which little is read at a time: a control connection may be forgotten meanwhile."""
LONG = 32 * 1024 * 1024
"""Octets of a file after which nothing more is to be learnt from it."""
_NO_ROOM = frozenset({Cause.CONTROL_LOST, Cause.CONTROL_REFUSED, Cause.CONTROL_TIMEOUT})
"""What firewalls and servers do to a client that opens many sessions at a time; the first look met none of it."""
_STRANGERS = {4: "10.255.255.254", 6: "fd00::fffe"}
"""Private addresses that are not ours, since some servers mind only public ones; nothing is ever sent there."""
_STRANGERS_PORT = 40000
_TOLD = re.compile(r"waiting for a data connection on port ([0-9]{1,5})", re.IGNORECASE)


class Tap:
    """Hands records on to ``listener``, until :attr:`silent`: what is asked again and again would hide the rest."""

    def __init__(self, listener: Trace | None) -> None:
        self.listener = listener
        self.silent = False

    def __call__(self, record: Record) -> None:
        """Take a record."""
        if self.listener is not None and not self.silent:
            self.listener(record)


class Attempt:
    """Finds out whether one mode works; :attr:`seen` grows as it goes on."""

    def __init__(self, wire: Wire, plan: Plan, look: Look, mode: Mode, *, private: bool, trace: Trace | None) -> None:
        self.wire = wire
        self.plan = plan
        self.look = look
        self.mode = mode
        self.trace = Tap(trace)
        self.patience = Patience(look.round_trip)
        self.seen = Evidence(
            mode=mode.value,
            family=look.family,
            private=private,
            local=look.local,
            peer=look.address[0],
            seen=look.seen,
            trusted=not look.certificate,
        )
        self.crowded = False
        """Whether the server had no room for this session beside the others."""
        self.said = ""
        self.command = LISTING
        """Why there was no session."""

    def skip(self) -> bool:
        """Whether the first look has told already that there is no session of this kind."""
        cause = self.look.private if self.seen.private else self.look.clear
        if cause in {None, Cause.OK}:
            return False
        assert cause is not None
        self._note(session=cause)
        self.said = self.look.tls_failed or self.look.said
        return True

    def again(self) -> Attempt:
        """The same attempt, not begun."""
        return Attempt(self.wire, self.plan, self.look, self.mode, private=self.seen.private, trace=self.trace.listener)

    @property
    def fetches(self) -> bool:
        """Whether a file is to be fetched, in a mode that served for a listing."""
        final = self.seen.final
        arrived = self.seen.enough or (self.seen.ended and final is not None and final.code < 400)
        return bool(self.plan.file) and arrived

    async def fetch(self) -> None:
        """Fetch the file, slowly at first: what becomes of long transfers, and of the control connection meanwhile.

        What was found takes the place of what was observed of the listing, unless there is no such file.
        """
        again = self.again()
        again.command = ("RETR", self.plan.file)
        try:
            await again.run()
        finally:  # also where time is up before the server's last word
            seen = again.seen
            if seen.octets and (seen.ended or seen.enough or seen.broke or seen.final is not None):
                self.seen = replace(seen, samples=self.seen.samples)

    async def run(self) -> Evidence:
        """What was observed."""
        try:
            control, _ = await connect(self.wire, self.plan, self.look.address, self.trace)
        except Stopped as stop:
            self._stopped(stop)
            return self.seen
        try:
            await self._enter(control)
            if self.seen.passive:
                await self._passive(control)
            else:
                await self._active(control)
        except Stopped as stop:
            self._stopped(stop)
        finally:
            let_go(control)
        return self.seen

    async def _enter(self, control: Control) -> None:
        plan, private = self.plan, self.seen.private
        settings = plan.settings.unproven() if self.look.certificate else plan.settings
        if private and plan.tls == "implicit":
            await begin_tls(control, plan, settings)
        await greet(control)
        if private and plan.tls != "implicit":
            if not (await ask(control, "AUTH", "TLS")).completed:
                raise Stopped(Cause.TLS_FAILED, "AUTH TLS is refused")
            await begin_tls(control, plan, settings)
        await log_in(control, plan)
        if private:
            await protect(control)
        if self.command != LISTING:
            await ask(control, "TYPE", "I")
        await go_to(control, plan.directories)
        self._note(peer=control.peer[0], local=control.local[0])

    def overdue(self) -> None:
        """Time is up: what was seen until now is to be judged."""
        if self.seen.setup is None:
            self.said = "time was up"
            self._note(session=Cause.CONTROL_TIMEOUT)

    def judged(self, cause: Cause, sentence: str) -> None:
        """Let whoever listens know what was found."""
        self.trace.silent = False
        self.trace(ModeFailed(self.mode.value, sentence, cause.value))

    async def _transfer(self, control: Control, stream: Stream | None, listener: Listener | None) -> None:
        long = self.command != LISTING
        transfer = Transfer(
            control, self.patience, self.seen, enough=LONG if long else ENOUGH, slow=SLOW if long else 0.0
        )
        try:
            await transfer.run(self.command, stream=stream, listener=listener)
        finally:
            self.seen = transfer.seen

    # The server is called

    async def _passive(self, control: Control) -> None:
        port = await self._announced(control)
        if port is None:
            return
        stream = await self._call(control, port)
        if stream is not None:
            await self._transfer(control, stream, None)
        else:
            status = await ask(control, "STAT")
            told = _TOLD.search(status.text)
            self._note(told=int(told[1]) if told else 0)
            if self.seen.answer is Answer.SILENT:
                await self._trace(control, port)
        if self.command == LISTING and not control.lost and (stream is None or self.seen.final is not None):
            await self._sample(control)

    async def _announced(self, control: Control) -> int | None:
        """The port that the server announces for the next data connection; None where it refuses."""
        reply = await ask(control, self.mode.value)
        self._note(setup=said(reply))
        if not reply.completed:
            return None
        try:
            if self.mode is Mode.EPSV:
                host, port = "", text_form.parse_epsv_reply(reply.text)
            else:
                host, port = text_form.parse_pasv_reply(reply.text)
        except ArgumentError as error:
            self._note(setup=said(reply)._replace(code=500, text=str(error)))
            return None
        self._note(host=host, port=port)
        return port

    async def _call(self, control: Control, port: int) -> Stream | None:
        """Call the announced port: at the announced address, and where that is silent at the server's own."""
        hosts = [control.peer[0]]
        if self.seen.host and self.seen.host != control.peer[0] and ":" not in control.peer[0]:
            hosts.insert(0, self.seen.host)
        for index, host in enumerate(hosts):
            hopeless = index < len(hosts) - 1 and is_private(host) and not is_private(hosts[-1])
            patience = self.patience.glance if hopeless else self.patience.call
            told, stream = await call(self.wire, (host, port), patience)
            self._tell_called(control, told)
            self._note(calls=(*self.seen.calls, told))
            if stream is not None:
                return stream
        return None

    async def _trace(self, control: Control, port: int) -> None:
        """Find out how far the call gets, a second time where something may have been lost."""
        reached = NOWHERE
        for _ in range(2):
            again = await trace(self.wire, (control.peer[0], port), control.peer, self.patience.glance)
            reached = max(reached, again, key=lambda each: (each.hop, each.last))
        self._note(router=reached.router, hop=reached.hop, near_server=reached.last)

    def _tell_called(self, control: Control, told: Called) -> None:
        control.tell(
            CalledRecord(
                (told.host, told.port), told.source, told.seconds, told.answer.value, sum_shown=self.mode is Mode.PASV
            )
        )

    async def _sample(self, control: Control) -> None:
        """Ask for further ports and call them, until it is clear whether all of them are alike."""
        first = self.seen
        self.trace.silent = True
        # One patient call where ports answer, not two: a helper that let the first one in would not let in another.
        patience = self.patience.call if first.answer is Answer.CONNECTED else self.patience.glance
        enough = self.wire.now() + SAMPLING
        try:
            for count in range(SAMPLES):
                if count >= FEW and self.wire.now() > enough:
                    break
                if await self._announced(control) is None:
                    break
                told = await try_port(self.wire, (control.peer[0], self.seen.port), patience)
                self._note(samples=(*self.seen.samples, told))
                if told.answer is not first.answer:
                    break
        finally:
            self.seen = replace(first, samples=self.seen.samples)  # also when time is up in the midst of it

    # The server calls

    async def _active(self, control: Control) -> None:
        own = control.local[0]
        told = self.plan.settings.active_address or ""
        announced = told if told and is_ipv6(told) == is_ipv6(own) else own
        if self.mode is Mode.PORT and ":" in announced:
            return  # there is no way to write it
        try:
            listener = self._listen(own)
        except OSError as error:
            raise Stopped(Cause.NOT_SUPPORTED, f"cannot listen here: {error.strerror or error}") from error
        try:
            await self._wait_at(control, listener, announced.partition("%")[0])
        finally:
            listener.close()

    def _listen(self, own: str) -> Listener:
        chosen = self.plan.settings.active_ports
        return self.wire.listen(own, [0] if chosen is None else random.sample(chosen, len(chosen)))

    async def _wait_at(self, control: Control, listener: Listener, host: str) -> None:
        port = listener.local[1]
        form = text_form.format_port if self.mode is Mode.PORT else text_form.format_eprt
        self._note(host=host, port=port)
        reply = await ask(control, self.mode.value, form(host, port))
        self._note(setup=said(reply))
        if not reply.completed:
            return
        control.tell(Waiting((host, port), sum_shown=self.mode is Mode.PORT))
        await self._transfer(control, None, listener)
        if self.seen.caller:
            return
        if self.seen.seen not in {"", host} and not put_right(self.seen):
            self._note(strict=await self._refuses_others())
        else:
            told = await try_port(self.wire, (listener.local[0], port), self.patience.glance)
            self._note(listening=told.answer is Answer.CONNECTED)

    async def _refuses_others(self) -> bool | None:
        """Whether the server, asked in another session, refuses to call an address that is not ours."""
        try:
            control, _ = await connect(self.wire, self.plan, self.look.address, None)
            try:
                await self._enter(control)
                stranger = _STRANGERS[self.look.family]
                form = text_form.format_port if self.mode is Mode.PORT else text_form.format_eprt
                return not (await ask(control, self.mode.value, form(stranger, _STRANGERS_PORT))).completed
            finally:
                let_go(control)
        except Stopped:
            return None

    def _stopped(self, stop: Stopped) -> None:
        self.crowded = stop.crowded or (self.seen.setup is None and stop.cause in _NO_ROOM)
        self.said = stop.said
        if self.seen.setup is None:
            self._note(session=stop.cause)
        else:
            self._note(broke=self.seen.broke or stop.said)

    def _note(self, **found: object) -> None:
        self.seen = replace(self.seen, **found)  # type: ignore[arg-type]
