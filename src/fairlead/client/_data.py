"""Agreeing on a data connection with the server, and making it (RFC 959 section 3.2, RFC 2428, RFC 1123 4.1.2.6)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from fairlead.client._connect import is_ipv6
from fairlead.client._control import Control, refused
from fairlead.client._ways import Failure, Mode, Verdict, Way, Ways
from fairlead.client._wire import Address, Call, Listener, Stream
from fairlead.client.settings import Settings
from fairlead.client.trace import (
    AddressIgnored,
    Answered,
    Called,
    TurnedAway,
    Waiting,
    show_address,
    show_duration,
    show_reply,
)
from fairlead.errors import ArgumentError
from fairlead.proto import address as text_form
from fairlead.proto.reply import Reply
from fairlead.reach.cause import Cause
from fairlead.reach.private import is_private

_NOT_LOGGED_IN = {530, 532}
_UNKNOWN_COMMAND = {500, 502}
_FAMILY_UNSUPPORTED = 522
_REFUSED_WITHIN = 1.0
"""Seconds; nobody gives a call up that soon unless something answered it."""
NO_DATA_CONNECTION = {425, 426}
"""What a server answers to a transfer whose data connection did not come about."""


class Channel:
    """A data connection that was agreed upon: already made (passive), or to come in at ``listener`` (active)."""

    def __init__(self, way: Way, *, stream: Stream | None = None, listener: Listener | None = None) -> None:
        self.way = way
        self.stream = stream
        self.listener = listener
        self.protected = False
        """Whether TLS began on it."""
        self._closed = False

    def answer(self, control: Control) -> bool:
        """Take the server's call if it is here; whoever else calls is turned away (RFC 2577 section 4)."""
        while self.listener is not None and (caller := self.listener.accept()) is not None:
            if caller.peer[0] == control.peer[0]:
                control.tell(Answered(caller.peer))
                self.stream = caller
                self.listener.close()
                self.listener = None
            else:
                control.tell(TurnedAway(caller.peer))
                caller.abort()
        return self.stream is not None

    def close(self) -> None:
        """Close what there is."""
        if self._closed:
            return
        self._closed = True
        if self.listener is not None:
            self.listener.close()
        if self.stream is not None:
            self.stream.close()

    def abort(self) -> None:
        """Close what there is so that the server sees a reset: what it got so far is not the whole."""
        if self.stream is not None:
            self.stream.abort()
        self.close()


class Calling:
    """A call to the server's passive port that is under way since ``began``; from ``own_port``, where that is told."""

    def __init__(self, way: Way, address: Address, call: Call, began: float, own_port: int) -> None:
        self.way = way
        self.address = address
        self.call = call
        self.began = began
        self.own_port = own_port


class Question(NamedTuple):
    """A command that may go out with the one that agrees on a data connection; ``heed`` gets the reply to it.

    That is None where the server swallowed the command, for it came with another one.
    It goes behind, for a firewall that reads along may look for the port at the beginning of a packet only.
    """

    verb: str
    argument: str
    heed: Callable[[Reply | None], None]


class DataPorts:
    """Makes a session's data connections. ``hosts`` are the server's addresses by family (1 or 2)."""

    def __init__(self, control: Control, settings: Settings, hosts: Mapping[int, str]) -> None:
        self._control = control
        self._settings = settings
        own = 2 if is_ipv6(control.peer[0]) else 1
        self._hosts = {**hosts, own: control.peer[0]}
        told, here = settings.active_address or "", control.local[0]
        self._announced = told if told and is_ipv6(told) == is_ipv6(here) else here
        self._uncalled = False
        self._promised = False
        self.ways = Ways(
            settings.mode,
            passive_ipv4=own == 1,
            active_ipv4=not is_ipv6(self._announced),
            active=settings.tunnel is None,
            other=next((family for family in hosts if family != own), None),
        )

    async def open(self, way: Way, patience: float, question: Question | None = None) -> Channel | Failure:
        """Agree on ``way``; in passive mode also call the server, which has ``patience`` seconds to answer.

        A ``question`` can be asked in passive mode.
        """
        if not way.mode.passive:
            return await self.listen(way, patience)
        calling = await self.call(way, question)
        if isinstance(calling, Failure):
            return calling
        try:
            ready = await self._control.wire.wait_any(writers=(calling.call,), timeout=patience)
        except BaseException:
            calling.call.close()
            raise
        return self.settle(calling, answered=bool(ready))

    def offer(self, way: Way) -> tuple[Channel, str] | Failure:
        """Listen for the server's call; the text is the argument of the command that tells the server where."""
        try:
            listener = self._listen()
        except OSError as error:
            reason = f"cannot listen for the server's call: {error.strerror or error}"
            return Failure(way, Cause.NOT_SUPPORTED, reason, Verdict.BUSY)
        announced = (self._announced.partition("%")[0], listener.local[1])
        form = text_form.format_port if way.mode is Mode.PORT else text_form.format_eprt
        return Channel(way, listener=listener), form(*announced)

    def refusal(self, way: Way, reply: Reply) -> Failure | None:
        """What the reply to an active ``way`` means, None where the server agrees."""
        return None if reply.completed else self._not_called(_refusal(way, reply))

    async def listen(self, way: Way, patience: float) -> Channel | Failure:
        """Agree on an active ``way``: the server is to call us once it has a transfer to make.

        pyftpdlib calls at once and answers no sooner than that call is answered; it has ``patience`` seconds.
        """
        offered = self.offer(way)
        if isinstance(offered, Failure):
            return offered
        channel, argument = offered
        assert channel.listener is not None
        announced = (self._announced.partition("%")[0], channel.listener.local[1])
        try:
            await self._control.send(way.mode.value, argument)
            reply = await self._control.receive_within(patience)
            failure = self._unheard(way, patience) if reply is None else self.refusal(way, reply)
        except BaseException:
            channel.close()
            raise
        if failure is not None:
            channel.close()
            return failure
        self._uncalled = False
        self._control.tell(Waiting(announced, sum_shown=way.mode is Mode.PORT))
        return channel

    async def call(self, way: Way, question: Question | None = None) -> Calling | Failure:
        """Agree on a passive ``way`` and begin to call the server there.

        A session has one data port (RFC 959 section 3.2): this takes the place of whatever was agreed on before, and
        servers stop listening there, so that an earlier call can't be answered any more.
        """
        agreed = await (self._epsv(way, question) if way.mode is Mode.EPSV else self._pasv(way, question))
        if isinstance(agreed, Failure):
            return agreed
        began = self._control.wire.now()
        try:
            call = self._control.wire.call(agreed)
            return Calling(way, agreed, call, began, call.local[1] if self._control.traced else 0)
        except OSError as error:
            return self._unanswered(way, agreed, 0, began, error)

    def settle(self, calling: Calling, *, answered: bool) -> Channel | Failure:
        """What became of a call: ``answered`` once it is ready for writing, else it is given up."""
        try:
            if not answered:
                raise TimeoutError
            stream = calling.call.complete()
        except OSError as error:
            calling.call.close()
            return self._unanswered(calling.way, calling.address, calling.own_port, calling.began, error)
        if self._control.traced:
            self._tell_called(calling.way, calling.address, stream.local[1], calling.began, "connected")
        self._uncalled = False
        return Channel(calling.way, stream=stream)

    def drop(self, calling: Calling) -> None:
        """Give a call up that nobody waits for any more."""
        calling.call.close()
        self._tell_called(calling.way, calling.address, calling.own_port, calling.began, "not waited for")

    async def _ask(self, verb: str, argument: str, question: Question | None) -> Reply:
        if question is None:
            return await self._control.command(verb, argument)
        reply, answer = await self._control.command_beside((verb, argument), (question.verb, question.argument))
        question.heed(answer)
        return reply

    async def _epsv(self, way: Way, question: Question | None) -> Address | Failure:
        if self._settings.epsv_all:
            await self._promise()
        if way.family is not None and self._uncalled:
            await self._control.abort()  # RFC 2428 section 3: ABOR closes the port of the family that did not serve
        family = way.family
        reply = await self._ask("EPSV", str(family) if family else "", question)
        if reply.code == _FAMILY_UNSUPPORTED and family is None:
            family = next((offer for offer in text_form.parse_families(reply.text) if offer in self._hosts), None)
            if family is not None:
                reply = await self._control.command("EPSV", str(family))
        if not reply.completed:
            return _refusal(way, reply)
        try:
            port = text_form.parse_epsv_reply(reply.text)
        except ArgumentError as error:
            return Failure(way, Cause.NOT_SUPPORTED, str(error), Verdict.UNREACHED)
        host = self._control.peer[0] if family is None else self._hosts[family]
        return host, port

    async def _pasv(self, way: Way, question: Question | None) -> Address | Failure:
        reply = await self._ask("PASV", "", question)
        if not reply.completed:
            return _refusal(way, reply)
        try:
            announced, port = text_form.parse_pasv_reply(reply.text)
        except ArgumentError as error:
            return Failure(way, Cause.NOT_SUPPORTED, str(error), Verdict.UNREACHED)
        host = self._control.peer[0]
        if announced != host:
            if self._settings.trust_announced_address:
                host = announced
            else:
                self._control.tell(AddressIgnored(announced, host))
        return host, port

    def _unanswered(self, way: Way, address: Address, own_port: int, began: float, error: OSError) -> Failure:
        outcome, cause = _unreached(error)
        if address[0] != self._control.peer[0] and way.mode is Mode.PASV:
            cause = Cause.PASSIVE_PRIVATE_ADDRESS
        self._uncalled = True
        self._tell_called(way, address, own_port, began, outcome)
        took = show_duration(self._control.wire.now() - began)
        return Failure(way, cause, f"{show_address(address)} gave {outcome} in {took}", Verdict.UNREACHED)

    def _tell_called(self, way: Way, address: Address, own_port: int, began: float, outcome: str) -> None:
        if self._control.traced:
            seconds = self._control.wire.now() - began
            self._control.tell(Called(address, own_port, seconds, outcome, sum_shown=way.mode is Mode.PASV))

    def _unheard(self, way: Way, patience: float) -> Failure:
        self._control.interrupted = True
        reason = f"no reply to {way} within {show_duration(patience)}, the server may be calling us in vain"
        return Failure(way, Cause.ACTIVE_DROPPED, reason, Verdict.UNREACHED)

    def _not_called(self, refusal: Failure) -> Failure:
        """The refusal of an active way: an address of a network behind a NAT is one that no server outside takes."""
        behind = is_private(self._announced) and not is_private(self._control.peer[0])
        about_us = refusal.cause is Cause.REFUSED_BY_POLICY or refusal.way.mode is Mode.PORT  # which every server knows
        if behind and about_us and refusal.verdict is Verdict.REFUSED:
            return refusal._replace(cause=Cause.ACTIVE_PRIVATE_ADDRESS)
        return refusal

    def _listen(self) -> Listener:
        wire, own = self._control.wire, self._control.local[0]
        chosen = self._settings.active_ports
        ports = [0] if chosen is None else _in_any_order(chosen)
        if self._announced != own:
            try:
                return wire.listen(self._announced, ports)
            except OSError:
                pass  # the address is that of a NAT in front of us: we listen behind it
        return wire.listen(own, ports)

    async def _promise(self) -> None:
        if not self._promised and self._settings.mode in {"auto", "epsv"}:
            self._promised = True
            if (await self._control.command("EPSV", "ALL")).completed:
                self._control.epsv_promised = True
                self.ways.keep_only(Mode.EPSV)


def _refusal(way: Way, reply: Reply) -> Failure:
    if reply.code in _NOT_LOGGED_IN:
        raise refused(reply, str(way))
    said = f"the server answered {show_reply(reply)}"
    if reply.transient:
        passive = way.mode in {Mode.EPSV, Mode.PASV}
        return Failure(way, Cause.PASSIVE_EXHAUSTED if passive else Cause.REFUSED_BY_POLICY, said, Verdict.BUSY)
    if reply.code in _UNKNOWN_COMMAND:
        return Failure(way, Cause.NOT_SUPPORTED, said, Verdict.REFUSED)
    if reply.code == _FAMILY_UNSUPPORTED:
        return Failure(way, Cause.FAMILY_UNSUPPORTED, said, Verdict.REFUSED)
    return Failure(way, Cause.REFUSED_BY_POLICY, said, Verdict.REFUSED)


def named_cause(reply: Reply) -> Cause | None:
    """The cause that a server names at the end of its reply, ``… (active-dropped)``, as Fairlead's do."""
    name = reply.text.rstrip(" .)").rpartition("(")[2]
    return next((cause for cause in Cause if cause == name), None)


def uncalled_cause(seconds: float) -> Cause:
    """Why a server that gave up after so many seconds could not call us: silence takes longer than a refusal."""
    return Cause.ACTIVE_REJECTED if seconds < _REFUSED_WITHIN else Cause.ACTIVE_DROPPED


def _in_any_order(ports: Sequence[int]) -> list[int]:
    import random  # noqa: PLC0415 - with hashes and more, and few choose ports

    return random.sample(ports, len(ports))


def _unreached(error: OSError) -> tuple[str, Cause]:
    if isinstance(error, TimeoutError):
        return "no answer", Cause.PASSIVE_DROPPED
    if isinstance(error, ConnectionRefusedError):
        return "refused", Cause.PASSIVE_REJECTED
    return (error.strerror or str(error)).lower(), Cause.PASSIVE_REJECTED
