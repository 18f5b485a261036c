"""A server in memory that follows a script: each command that is due, and what happens when it comes.

A script is a list of steps, ``on("RETR x", "150 go", data(b"..."), "226 done")``. A text is sent as a reply, a function
is called with the :class:`Play`. A command that is not the one due fails the test at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

from fairlead.client._wire import Wire
from fairlead.client._wires.memory import MemoryStream, MemoryWire
from fairlead.client.sync import Client
from fairlead.client.trace import Record
from fairlead.proto.address import parse_eprt, parse_port
from fairlead.proto.command import Command, CommandParser

HOST = "192.0.2.90"
HOST6 = "2001:db8::90"
Action: TypeAlias = "str | bytes | Callable[[Play], None]"


@dataclass(frozen=True)
class Step:
    """``line`` is due next; ``actions`` follow it."""

    line: str
    actions: tuple[Action, ...]


def on(line: str, *actions: Action) -> Step:
    """When the command ``line`` comes, do ``actions``."""
    return Step(line, actions)


class Play:
    """A script being played to one client."""

    def __init__(self, wire: MemoryWire, steps: Sequence[Step], *, greeting: Sequence[Action], host: str) -> None:
        self.wire = wire
        self.host = host
        self.control: MemoryStream | None = None
        self.data: MemoryStream | None = None
        """Our end of the data connection."""
        self.stored = b""
        """What came over data connections that were read by :func:`take`."""
        self.heard: list[str] = []
        """The commands that came."""
        self.raw = bytearray()
        """The octets that came over the control connection."""
        self.refused: list[MemoryStream] = []
        self.declines_tls = False
        """Whether the client is told that there is no TLS, without a word of it in the script."""
        self._clear_to_all = False
        self._steps = list(steps)
        self._greeting = greeting
        self._parser = CommandParser()
        wire.doors[host, 21] = self._greet

    @property
    def urgent(self) -> bytes:
        """What came marked as urgent."""
        assert self.control is not None
        return bytes(self.control.urgent)

    def do(self, actions: Sequence[Action]) -> None:
        """Perform ``actions`` now."""
        for action in actions:
            if callable(action):
                action(self)
            elif self.control is not None and not self.control.other.closed:
                octets = action if isinstance(action, bytes) else f"{action}\r\n".encode("utf-8", "surrogateescape")
                self.control.send(memoryview(octets))

    def done(self) -> None:
        """Everything in the script has happened."""
        assert [step.line for step in self._steps] == []

    def _greet(self, control: MemoryStream) -> None:
        self.control = control
        self._clear_to_all = False
        control.watch = lambda: self.hear(control)
        self.do(self._greeting)

    def hear(self, control: MemoryStream) -> None:
        """Take the commands that came in one of several sessions, which is the one that is answered from now on."""
        if control.arrived:
            self.control = control
            self.listen()

    def listen(self) -> None:
        """Take the commands that came."""
        assert self.control is not None
        octets = bytes(self.control.arrived)
        self.control.arrived.clear()
        self.raw += octets
        for event in self._parser.feed(octets):
            assert isinstance(event, Command)
            line = f"{event.verb} {event.argument}" if event.argument else event.verb
            self._clear_to_all = self._clear_to_all or event.verb == "USER"
            if self.declines_tls and not self._clear_to_all and line in {"FEAT", "AUTH TLS"}:
                self.do(["502 not here"])
                continue
            self.heard.append(line)
            if line == "QUIT" and (not self._steps or self._steps[0].line != "QUIT"):
                self.do(["221 bye", hang_up])
                continue
            due = self._steps[0].line if self._steps else "nothing"
            assert line == due, f"{line!r} came, {due!r} was due"
            self.do(self._steps.pop(0).actions)


def hang_up(play: Play) -> None:
    """Close the control connection."""
    assert play.control is not None
    play.control.close()


def cut_off(play: Play) -> None:
    """Reset the control connection."""
    assert play.control is not None
    play.control.abort()


def door(port: int, *actions: Action, host: str = "") -> Callable[[Play], None]:
    """Listen on a passive port; ``actions`` happen when the client has connected."""

    def opened(play: Play) -> None:
        def enter(stream: MemoryStream) -> None:
            play.data = stream
            play.do(actions)

        play.wire.doors[host or play.host, port] = enter

    return opened


def silent(port: int, host: str = "") -> Callable[[Play], None]:
    """A passive port whose SYNs are dropped."""

    def opened(play: Play) -> None:
        play.wire.doors[host or play.host, port] = None
        play.wire.delays[host or play.host, port] = 1e6

    return opened


def data(octets: bytes, *, end: bool = True) -> Callable[[Play], None]:
    """Send over the data connection, and close it."""

    def sent(play: Play) -> None:
        assert play.data is not None
        if octets:
            play.data.send(memoryview(octets))
        if end:
            play.data.close()

    return sent


def reset(play: Play) -> None:
    """Reset the data connection, after what was sent has arrived."""
    assert play.data is not None
    play.data.closed = True
    play.data.other.failure = ConnectionResetError(104, "Connection reset by peer")


def take(*actions: Action) -> Callable[[Play], None]:
    """Read the data connection to its end, then do ``actions``."""

    def watching(play: Play) -> None:
        stream = play.data
        assert stream is not None

        def read() -> None:
            play.stored += bytes(stream.arrived)
            stream.arrived.clear()
            if stream.ended:
                stream.watch = None
                play.do(actions)

        stream.watch = read
        read()

    return watching


def narrow(window: int) -> Callable[[Play], None]:
    """Take no more than ``window`` octets from the data connection until they are read."""

    def limited(play: Play) -> None:
        assert play.data is not None
        play.data.window = window

    return limited


def call(*actions: Action, host: str = "", port: int = 20) -> Callable[[Play], None]:
    """Call the client where PORT or EPRT said, then do ``actions``."""

    def called(play: Play) -> None:
        verb, _, argument = next(line for line in reversed(play.heard) if line[:4] in {"PORT", "EPRT"}).partition(" ")
        address = parse_port(argument) if verb == "PORT" else parse_eprt(argument)[1:]
        stream = play.wire.dial(address, source=(host or play.host, port))
        if not host:
            play.data = stream
        else:
            play.refused.append(stream)
        play.do(actions)

    return called


def later(seconds: float, *actions: Action) -> Callable[[Play], None]:
    """Do ``actions`` after a while of simulated time."""
    return lambda play: play.wire.after(seconds, lambda: play.do(actions))


def client_over(wire: Wire, url: str, **settings: Any) -> Client:
    """A blocking client over ``wire``."""

    class Over(Client):
        def _make_wire(self) -> Any:
            return wire

    return Over(url, **settings)


@dataclass
class Stage:
    """A client, the server it talks to, and what its trace got."""

    ftp: Client
    play: Play
    wire: MemoryWire
    records: list[Record]

    @property
    def lines(self) -> list[str]:
        """The trace as ``--debug`` prints it."""
        return [str(record) for record in self.records]


GREETING = ("220 ready",)
LOGIN = (on("USER me", "331 password?"), on("PASS secret", "230 welcome"))
NO_FEATURES = (on("FEAT", "500 what?"),)
WITH_MLST = (on("FEAT", "211-Features:\r\n MLST type*;size*;\r\n SIZE\r\n MDTM\r\n REST STREAM\r\n211 End"),)


def stage(
    *steps: Step,
    greeting: Sequence[Action] = GREETING,
    host: str = HOST,
    names: dict[str, list[str]] | None = None,
    url: str = "",
    **settings: Any,
) -> Stage:
    """A client that has not connected yet, and a server that plays ``steps`` to it; in clear unless ``tls`` says so."""
    settings.setdefault("tls", "off")
    wire = MemoryWire()
    wire.names.update(names or {})
    play = Play(wire, steps, greeting=greeting, host=host)
    records: list[Record] = []
    target = url or (f"ftp://me:secret@[{host}]" if ":" in host else f"ftp://me:secret@{host}")
    return Stage(client_over(wire, target, trace=records.append, **settings), play, wire, records)


@contextmanager
def session(*steps: Step, features: Sequence[Step] = NO_FEATURES, **options: Any) -> Iterator[Stage]:
    """A client that has logged in to a server that then plays ``steps``, all of which must happen."""
    on_stage = stage(*LOGIN, *features, *steps, **options)
    with on_stage.ftp:
        on_stage.records.clear()
        on_stage.play.heard.clear()
        on_stage.play.raw.clear()
        yield on_stage
    on_stage.play.done()
