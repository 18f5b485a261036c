"""Random dialogues: whatever comes in whatever order, every command has exactly its replies, in its turn."""

from __future__ import annotations

import asyncio
import random
import socket
import ssl
import struct
from collections import deque
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any, ClassVar, TypeAlias

import pytest
import uvloop
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from fairlead.accounts.memory import MemoryAccounts
from fairlead.events import Noticed
from fairlead.proto.command import Command, CommandParser
from fairlead.proto.reply import ReplyParser
from fairlead.proto.sequences import legal
from fairlead.server.strangers import WEB_VERBS
from fairlead.storage.base import Intent
from fairlead.storage.memory import MemoryStorage
from tests.certificates import Pair
from tests.server import secure
from tests.server.session import Control, Running, serving

LONG = 4 << 20
"""More octets than the sockets between two ends hold."""
INSTANTLY = 0.05
FEW = 50
"""How many dialogues are tried unless --interleavings asks for more; these are always the same."""


Run: TypeAlias = Callable[[Coroutine[Any, Any, None]], None]


@contextmanager
def served(run: Run = asyncio.run, pair: Pair | None = None) -> Iterator[Running]:
    storage = MemoryStorage(capacity=16 << 20)
    for name, content in (("/short", b"content"), ("/long", bytes(LONG))):
        upload = storage.create(name, intent=Intent.REPLACE, owner="me")
        upload.write(content)
        upload.commit()
    storage.mkdir("/below")
    accounts = MemoryAccounts.sharing(storage, {"me": "secret"}, write=True)
    with serving(
        storage,
        run,
        accounts=accounts,
        login_delay=0,
        max_login_attempts=1000,
        data_connect_timeout=INSTANTLY,
        data_stall_timeout=INSTANTLY,
        tls=secure.settings(*filter(None, [pair])),
    ) as running:
        yield running


def faults(running: Running) -> list[str]:
    return [event.message for event in running.recorded if isinstance(event, Noticed) and event.topic == "fault"]


COMMANDS = [
    "NOOP", "STAT", "STAT short", "PWD", "SYST", "FOO", "HELP", "FEAT", "CWD below", "CWD /", "CDUP", "TYPE A",
    "TYPE I", "SIZE short", "SIZE long", "MDTM short", "MLST", "REST 3", "REST 99999999", "RNFR short", "RNTO short",
    "RNTO", "RETR short", "RETR long", "RETR none", "STOR new", "STOR other", "APPE new", "STOU", "LIST", "NLST",
    "MLSD", "DELE new", "MKD x", "RMD x", "EPSV ALL", "ALLO 1", "OPTS UTF8 ON", "SITE HELP", "PORT 1,2,3",
    "PORT 127,0,0,1,3,4", "ABOR", "ABOR", "ABOR", "REIN", "USER me", "PASS secret", "PASS wrong", "", "\x00",
    "USER me\r\nPASS secret", "PBSZ 0", "PROT P", "PROT C", "SSCN ON", "CPSV", "AUTH TLS",
]  # fmt: skip
IN_CIPHER = [line for line in COMMANDS if line != "REIN"]
"""All but what leads back to a connection in clear."""
TELNET = [b"", b"\xff\xf4\xff\xf2", b"\xff\xf1", b"\xff\xfd\x01"]


class Dialogue(RuleBasedStateMachine):
    """A client that does as it pleases; it only keeps count of what it asked."""

    running: ClassVar[Running]

    def __init__(self) -> None:
        super().__init__()
        self.data: list[socket.socket] = []
        self.listener: socket.socket | None = None
        self.asked: deque[str] = deque()
        self.transfer = ""
        """The verb of the transfer whose 1yz reply came."""

    @initialize()
    def connect(self) -> None:
        self.control = self.running.login()

    # What is asked

    @rule(lines=st.lists(st.sampled_from(COMMANDS), min_size=1, max_size=4), telnet=st.sampled_from(TELNET))
    def ask(self, lines: list[str], telnet: bytes) -> None:
        lines = [line for several in lines for line in several.split("\r\n")]
        self.asked += [line.partition(" ")[0] or "FOO" for line in lines]
        self.control.send(telnet + "\r\n".join(lines).encode())

    @rule(command=st.sampled_from(["EPSV", "PASV"]))
    def be_passive(self, command: str) -> None:
        self.settle()
        reply = self.control.ask(command)
        assert legal(command, reply.code)
        if reply.completed:
            numbers = [
                int(number)
                for number in reply.text.replace("|", ",").replace(")", ",").split(",")
                if number.isdecimal()
            ]
            port = numbers[0] if command == "EPSV" else numbers[-2] * 256 + numbers[-1]
            with suppress(ConnectionRefusedError):
                self.data.append(socket.create_connection(("127.0.0.1", port), 10))

    @rule(command=st.sampled_from(["EPRT", "PORT"]))
    def be_active(self, command: str) -> None:
        self.settle()
        if self.listener is None:
            self.listener = socket.create_server(("127.0.0.1", 0))
            self.listener.settimeout(10)
        port = self.listener.getsockname()[1]
        argument = f"|1|127.0.0.1|{port}|" if command == "EPRT" else f"127,0,0,1,{port >> 8},{port & 255}"
        assert legal(command, self.control.ask(f"{command} {argument}").code)

    # What happens on data connections

    @rule()
    def accept(self) -> None:
        if self.listener is not None:
            self.listener.setblocking(False)
            with suppress(BlockingIOError):
                self.data.append(self.listener.accept()[0])

    @rule(size=st.sampled_from([1, 100, 70_000, 1 << 20]))
    def send(self, size: int) -> None:
        for connection in self.data[-1:]:
            connection.setblocking(False)
            with suppress(OSError):
                connection.send(bytes(size))

    @rule(size=st.sampled_from([1, 70_000, 1 << 20]))
    def receive(self, size: int) -> None:
        for connection in self.data[-1:]:
            connection.setblocking(False)
            with suppress(OSError):
                connection.recv(size)

    @rule(how=st.sampled_from(["shut", "close", "reset"]))
    def end(self, how: str) -> None:
        for connection in self.data[-1:]:
            if how == "shut":
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_WR)
                continue
            if how == "reset":
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.data.pop().close()

    # What is answered

    @rule()
    def read(self) -> None:
        """Read one reply and see whose it is."""
        if not self.asked:
            return
        code = self.control.read().code
        if self.transfer:
            if legal(self.transfer, code, preliminary_seen=True):
                self.asked.popleft()
                self.transfer = ""
            else:
                assert (self.asked[1], code) in {("NOOP", 200), ("STAT", 211)}
                del self.asked[1]
            return
        verb = self.asked[0]
        assert legal(verb, code), (verb, code)
        if code < 200:
            self.transfer = verb
        else:
            self.asked.popleft()

    @rule()
    def settle(self) -> None:
        """See all replies; data connections that are not made, or on which nothing moves, are soon given up."""
        while self.asked:
            self.read()
        assert self.control.ask("NOOP").code == 200
        assert not self.control._replies

    @rule(end=st.sampled_from(["QUIT", "close", "half-close", "reset"]))
    def leave_and_come_back(self, end: str) -> None:
        control = self.control.socket
        if end == "QUIT":
            self.settle()
            assert self.control.ask("QUIT").code == 221
            assert self.control.at_end()
        elif end == "half-close":
            control.shutdown(socket.SHUT_WR)
            while self.asked:
                self.read()
            assert self.control.at_end()
        elif end == "reset":
            control.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.control.close()
        self.asked.clear()
        self.transfer = ""
        self.connect()

    @invariant()
    def nothing_unforeseen_happened(self) -> None:
        assert faults(self.running) == []

    def teardown(self) -> None:
        try:
            self.settle()
        finally:
            self.control.close()
            for connection in (*self.data, *filter(None, [self.listener])):
                connection.close()
        self.running.await_idle()
        self.running.recorded.clear()


class SecureDialogue(Dialogue):
    """The same under TLS; whoever shakes no hands on a data connection, as here, is told so with PROT P."""

    context: ClassVar[ssl.SSLContext]

    @initialize()
    def connect(self) -> None:
        self.control = secure.login(self.running, self.context, protect=False)

    @rule(lines=st.lists(st.sampled_from(IN_CIPHER), min_size=1, max_size=4), telnet=st.sampled_from(TELNET))
    def ask(self, lines: list[str], telnet: bytes) -> None:
        super().ask(lines, telnet)

    @rule(end=st.sampled_from(["QUIT", "close", "reset"]))
    def leave_and_come_back(self, end: str) -> None:
        super().leave_and_come_back(end)


@pytest.mark.req(
    "S-959-GRAM-1", "S-959-GRAM-9", "S-959-GRAM-13", "S-959-GRAM-4", "S-DF-ABOR-4", "S-959-ABOR-1", "S-DF-MISC-2",
    "S-959-STAT-3", "S-959-QUIT-3",
)  # fmt: skip
@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
def test_any_interleaving_keeps_replies_in_step(run: Run, request: pytest.FixtureRequest) -> None:
    with served(run) as Dialogue.running:
        run_state_machine_as_test(Dialogue, settings=as_asked(request.config))


@pytest.mark.long
@pytest.mark.req("S-959-GRAM-9", "S-DF-ABOR-4", "S-959-ABOR-1", "S-959-STAT-3")
def test_any_interleaving_keeps_replies_in_step_under_tls(pair: Pair, request: pytest.FixtureRequest) -> None:
    SecureDialogue.context = secure.trusting(pair.certificate)
    with served(uvloop.run, pair) as SecureDialogue.running:
        run_state_machine_as_test(SecureDialogue, settings=as_asked(request.config))


def as_asked(config: pytest.Config) -> settings:
    """The few dialogues that are always the same, or as many others as --interleavings says."""
    asked: int = config.getoption("--interleavings")
    return settings(
        max_examples=asked or FEW,
        stateful_step_count=30,
        derandomize=not asked,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.too_slow],
    )


LOGIN = b"USER me\r\nPASS secret\r\n"
SESSIONS = [
    LOGIN + b"TYPE I\r\nCWD below\r\nPWD\r\nSTAT\r\nREST 3\r\nRETR short\r\nNOOP\r\n",
    LOGIN + b"EPSV\r\nSTOR new\r\nABOR\r\nRNFR short\r\nRNTO x\r\nLIST -la\r\nSTAT below\r\n",
    LOGIN + b"PORT 127,0,0,1,200,1\r\nNLST *\r\nEPRT |1|127.0.0.1|9999|\r\nMLSD\r\nMLST \r\nSIZE x\r\n",
    LOGIN + b"MKD \xff\xff\r\0x\r\nSITE CHMOD 777 short\r\nOPTS MLST type;\r\nMFMT 20200101000000 short\r\n",
    b"FEAT\r\nHELP\r\nUSER x\r\nPASS \r\nACCT y\r\nREIN\r\nALLO 1 R 2\r\nSTOU\r\nAPPE x\r\nTYPE A N\r\nMODE S\r\n",
]
PIECES = [
    b"\r\n", b"\n", b"\r", b"\0", b"\xff", b"\xff\xf4\xff\xf2", b"\xff\xfb\x01", b" ", b"-", b"%n", b"\x80", b"A" * 300,
    b"x" * 9000, b"9" * 5000, b"../", b"|", b",", b"*", b"[", b'"', b"\x1b]0;x\x07", b"\xf0\x9f\x98\x80",
    b"\r\nABOR\r\n", b"EPSV ALL",
]  # fmt: skip


def mutated(chance: random.Random) -> bytes:
    octets = bytearray(chance.choice(SESSIONS))
    for _ in range(chance.randrange(1, 12)):
        place = chance.randrange(len(octets))
        match chance.randrange(5):
            case 0:
                octets[place] = chance.randrange(256)
            case 1:
                octets[place:place] = chance.choice(PIECES)
            case 2:
                del octets[place : place + chance.randrange(1, 8)]
            case 3:
                octets[place:place] = chance.randbytes(chance.randrange(1, 40))
            case _:
                octets += octets[place : place + chance.randrange(1, 80)]
    # Within a Telnet subnegotiation nothing is a command; this ends one that a mutation has begun.
    return bytes(octets) + b"\xff\xf0\r\n"


def expected(octets: bytes) -> list[str]:
    """The verbs of the commands in ``octets``, up to one that ends the session."""
    verbs: list[str] = []
    for command in CommandParser().feed(octets):
        verbs.append(command.verb if isinstance(command, Command) else "")
        if verbs[-1] in WEB_VERBS:
            break
    return verbs


@pytest.mark.req("S-959-GRAM-1", "S-959-GRAM-8", "S-959-GRAM-13", "S-SEC-7", "S-SEC-8", "S-1123-TEL-1")
def test_no_garbage_goes_unanswered_or_brings_the_server_down() -> None:
    chance = random.Random(2577)
    with served() as running:
        for _ in range(400):
            octets = mutated(chance)
            verbs = expected(octets)
            with running.connect() as control:
                control.socket.sendall(octets)
                control.socket.shutdown(socket.SHUT_WR)
                codes = codes_of(control)
            assert b"Traceback" not in control.raw
            finals = [code for code in codes if code >= 200]
            if not {221, 421} & set(finals):
                assert len(finals) == len(verbs), (octets, codes)
        assert faults(running) == []
        running.await_idle()


def codes_of(control: Control) -> list[int]:
    """The codes of all replies up to the end of the connection."""
    parser = ReplyParser()
    codes: list[int] = []
    while octets := control.socket.recv(1 << 16):
        control.raw += octets
        codes += [reply.code for reply in parser.feed(octets)]
    return codes


@pytest.mark.req("S-959-GRAM-1", "S-959-GRAM-8", "S-SEC-7")
def test_random_octets_do_no_harm() -> None:
    chance = random.Random(959)
    with served() as running:
        for _ in range(50):
            with running.connect() as control:
                control.socket.sendall(chance.randbytes(chance.randrange(1, 30_000)).replace(b"\xff\xfa", b"\xff"))
                control.socket.sendall(b"\xff\xf0\r\n")
                control.socket.shutdown(socket.SHUT_WR)
                assert set(codes_of(control)) <= {421, 500}
        assert faults(running) == []
