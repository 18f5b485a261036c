"""A server in memory with a network in front of it: what it answers follows from what stands in the way."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, count, repeat
from typing import Any

from fairlead.client._wires.memory import MemoryStream, MemoryWire
from fairlead.client.sync import Client
from fairlead.client.trace import Record
from fairlead.proto.address import format_port, parse_eprt, parse_port
from fairlead.proto.command import Command, CommandParser
from tests.client.script import HOST, client_over

LISTING = b"-rw-r--r--   1 a        b               5 Jan 02  2020 file\r\n"
PATIENCE = 60.0
"""Seconds that the server calls a client in vain."""
OPEN, SILENT, CLOSED = "open", "silent", "closed"


@dataclass
class Surroundings:
    """What stands between the client and the server, and how the server is."""

    ports: Sequence[str] = ()
    """What becomes of calls to the server's passive ports, in the order in which they are agreed on."""
    then: str = OPEN
    """What becomes of all further ones."""
    calls: str = OPEN
    """What becomes of the server's calls."""
    call_after: float = 0.0
    """Seconds that the server's calls take."""
    lost_calls: Sequence[bool] = ()
    """Whether the server's first calls are dropped, where ``calls`` are not."""
    refusals: dict[str, str] = field(default_factory=dict)
    """Replies to set-up commands that the server refuses."""
    deaf: bool = True
    """Whether the server hears nothing while it calls in vain."""
    eager: bool = False
    """Whether the server calls as soon as it is told where, and answers when that call was answered."""
    sessions: int = 10
    """How many it takes at a time."""
    announced: str = HOST
    delay: float = 0.003
    """Seconds that a connection takes."""
    host: str = HOST
    list_reply: str = ""
    """What LIST is answered with instead of a listing, in sessions after the first."""


class World:
    """The wire of a client, and the server at its other end."""

    def __init__(self, **surroundings: Any) -> None:
        self.surroundings = Surroundings(**surroundings)
        self.wire = MemoryWire()
        self.sessions: list[_Session] = []
        self.records: list[Record] = []
        self.lost_calls: Iterator[bool] = chain(self.surroundings.lost_calls, repeat(False))
        self._fates: Iterator[str] = chain(self.surroundings.ports, repeat(""))
        self._numbers = count(5001)
        host = self.surroundings.host
        self.wire.doors[host, 21] = lambda stream: self.sessions.append(_Session(self, stream, len(self.sessions)))
        self.wire.delays[host, 21] = self.surroundings.delay

    def client(self, **options: Any) -> Client:
        """A client that has not connected yet."""
        options.setdefault("tls", "off")
        host = self.surroundings.host
        url = options.pop("url", f"ftp://me:secret@[{host}]" if ":" in host else f"ftp://me:secret@{host}")
        return client_over(self.wire, url, trace=self.records.append, **options)

    def seconds(self, client: Client) -> float:
        """List the directory; returns the simulated seconds that it took."""
        began = self.wire.now()
        assert [entry.name for entry in client.scandir()] == ["file"]
        return self.wire.now() - began

    @property
    def said(self) -> str:
        """The trace as ``--debug`` prints it."""
        return "\n".join(map(str, self.records))

    def heard(self, session: int = 0) -> list[str]:
        """The set-up and transfer commands of a session, without arguments."""
        return [line for line in self.sessions[session].heard if line in _TELLING]

    def open_port(self, enter: Callable[[MemoryStream], None]) -> int:
        """A passive port, with the fate that is due."""
        number, fate = next(self._numbers), next(self._fates) or self.surroundings.then
        door = {OPEN: enter, SILENT: None, CLOSED: ConnectionRefusedError(111, "Connection refused")}[fate]
        place = self.surroundings.host, number
        self.wire.doors[place] = door
        self.wire.delays[place] = 1e6 if door is None else self.surroundings.delay
        return number


_TELLING = {"EPSV", "PASV", "EPRT", "PORT", "LIST", "RETR", "STOR", "ABOR", "PWD"}


class _Session:
    def __init__(self, world: World, control: MemoryStream, number: int) -> None:
        self.world = world
        self.heard: list[str] = []
        self.stored = b""
        self._control = control
        self._number = number
        self._parser = CommandParser()
        self._data: MemoryStream | None = None
        self._caller: tuple[str, int] | None = None
        self._port = 0
        self._pending = ""
        self._busy_until = -1.0
        full = sum(not session._control.closed for session in world.sessions) >= world.surroundings.sessions
        if full:
            self._say("421 too many of you")
            control.close()
            return
        control.watch = self._listen
        self._say("220 ready")

    @property
    def over(self) -> bool:
        """Whether the client has left."""
        return self._control.ended

    def _say(self, *replies: str) -> None:
        for reply in replies:
            if not self._control.closed and not self._control.other.closed:
                self._control.send(memoryview(f"{reply}\r\n".encode()))

    def _listen(self) -> None:
        if self._control.ended:
            self._control.close()
            return
        if self.world.wire.now() < self._busy_until:
            return
        octets = bytes(self._control.arrived)
        self._control.arrived.clear()
        for event in self._parser.feed(octets):
            assert isinstance(event, Command)
            self.heard.append(event.verb)
            self._answer(event.verb, event.argument)

    def _answer(self, verb: str, argument: str) -> None:
        refusal = self.world.surroundings.refusals.get(verb)
        if refusal is not None:
            self._say(refusal)
        elif argument == "ALL":
            self._say("200 ok")
        elif verb in {"EPSV", "PASV"}:
            self._passive(verb)
        elif verb in {"EPRT", "PORT"}:
            self._end_port()
            self._caller = parse_port(argument) if verb == "PORT" else parse_eprt(argument)[1:]
            if self.world.surroundings.eager:
                self._call_at_once()
            else:
                self._say("200 ok")
        elif verb in {"LIST", "RETR", "STOR"}:
            self._transfer(verb)
        else:
            known = {"USER": "331 password?", "PASS": "230 in", "ABOR": "226 closed", "QUIT": "221 bye"}
            self._say({**known, "FEAT": "500 what?", "PWD": '257 "/"', "SIZE": "550 no"}.get(verb, "200 ok"))

    def _end_port(self) -> None:
        """A session has one data port."""
        if self._port:
            self.world.wire.doors.pop((self.world.surroundings.host, self._port), None)
        if self._data is not None:
            self._data.abort()
        self._port, self._data, self._caller, self._pending = 0, None, None, ""

    def _passive(self, verb: str) -> None:
        self._end_port()

        def enter(stream: MemoryStream) -> None:
            self._data = stream
            if self._pending:
                self._serve()

        self._port = self.world.open_port(enter)
        address = format_port(self.world.surroundings.announced, self._port)
        self._say(f"229 ok (|||{self._port}|)" if verb == "EPSV" else f"227 ok ({address})")

    def _transfer(self, verb: str) -> None:
        surroundings = self.world.surroundings
        if self._number and surroundings.list_reply:
            self._say(surroundings.list_reply)
            return
        self._pending = verb
        self._say("150 here")
        if self._caller is None:
            if self._data is not None:
                self._serve()
        elif surroundings.calls == OPEN and not next(self.world.lost_calls):
            self.world.wire.after(surroundings.call_after, self._call)
        elif surroundings.calls == CLOSED:
            self._say("425 cannot call (active-rejected)")
        elif surroundings.deaf:
            self._busy_until = self.world.wire.now() + PATIENCE
            self.world.wire.after(PATIENCE + 0.001, self._wake)

    def _call_at_once(self) -> None:
        assert self._caller is not None
        if self.world.surroundings.calls == OPEN:
            self._data = self.world.wire.dial(self._caller, source=(self.world.surroundings.host, 20))
            self._caller = None
            self._say("200 ok")
        elif self.world.surroundings.deaf:
            self._busy_until = self.world.wire.now() + PATIENCE
            self.world.wire.after(PATIENCE, lambda: self._say("421 timed out"))

    def _call(self) -> None:
        if self._caller is not None:
            self._data = self.world.wire.dial(self._caller, source=(self.world.surroundings.host, 20))
            self._serve()

    def _wake(self) -> None:
        self._say("425 nobody answers")
        self._listen()

    def _serve(self) -> None:
        data, verb = self._data, self._pending
        assert data is not None
        self._pending, self._data = "", None

        def read() -> None:
            self.stored += bytes(data.arrived)
            data.arrived.clear()
            if data.ended:
                data.watch = None
                data.close()
                self._say("226 done")

        if verb == "STOR":
            data.watch = read
            read()
        else:
            data.send(memoryview(LISTING))
            data.close()
            self._say("226 done")
