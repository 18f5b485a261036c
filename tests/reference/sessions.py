"""Real sessions, recorded for the pages that explain how data connections are made."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from fairlead.accounts.memory import MemoryAccounts
from fairlead.client.ladder import Recorder
from fairlead.client.settings import ModeSetting
from fairlead.client.sync import Client
from fairlead.errors import FairleadError
from fairlead.events import DataConnected, TransferFinished
from fairlead.ladder.model import CONTROL, End, Kind, Ladder, Party, Step
from fairlead.proto.reply import Reply
from fairlead.storage.local import LocalStorage
from lab import namespaces
from lab.addresses import CONTROL_PORT, Host
from lab.laboratory import Lab
from lab.servers import Protection, served
from lab.topologies import topology
from tests.peers.process import free_port
from tests.reference.stable import Names, stable
from tests.server.session import Control, Running, serving

NAME, CONTENT = "report.txt", b"0123456789abcdef" * 7716
USER, PASSWORD = "me", "secret"
SERVER, OTHER = "127.0.0.2", "127.0.0.3"
"""Servers on this machine; the client calls from 127.0.0.1."""
HOSTS = {
    "127.0.0.1": "198.51.100.7",
    SERVER: "192.0.2.21",
    OTHER: "203.0.113.21",
    "::1": "2001:db8::7",
}
"""What stands for them on the pages (RFC 5737, RFC 3849)."""
SECOND_V6, SERVER_V6 = "::2", "2001:db8::21"
"""What stands for the server's end, where both ends have the one address of this machine."""


@contextmanager
def server(host: str) -> Iterator[Running]:
    """A server that has one file and serves third parties, too."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        Path(folder, NAME).write_bytes(CONTENT)
        storage = LocalStorage(folder, durability="relaxed")
        stack.callback(storage.close)
        accounts = MemoryAccounts.sharing(storage, {USER: PASSWORD}, write=True)
        port = free_port(host)
        yield stack.enter_context(serving(storage, accounts=accounts, allow_fxp=True, listen=((host, port),)))


def fetched(mode: ModeSetting, title: str, host: str = SERVER, **settings: Any) -> Ladder:
    """A file fetched in ``mode``."""
    recorder = Recorder(title=title)
    with server(host) as running:
        _, port = running.server.addresses[0]
        place = f"[{host}]" if ":" in host else host
        url = f"ftp://{USER}:{PASSWORD}@{place}:{port}"
        with (
            tempfile.TemporaryDirectory() as folder,
            Client(url, mode=mode, tls="off", trace=recorder, **settings) as ftp,
        ):
            ftp.download(NAME, Path(folder, NAME))
    ladder = recorder.ladder()
    if ":" in host:  # this machine has one such address
        ladder = _apart(ladder)
    return stable(ladder, Names({**HOSTS, SECOND_V6: SERVER_V6}, port))


def third_party() -> Ladder:
    """A file that goes from one server to the other at the client's orders (RFC 959 figure 3)."""
    with server(SERVER) as source, server(OTHER) as target:
        steering = _Steering({"server A": source, "server B": target})
        a, b = "server A", "server B"
        with source.connect() as to_a, target.connect() as to_b:
            steering.began(a, to_a)
            steering.began(b, to_b)
            for name, control in ((a, to_a), (b, to_b)):
                steering.ask(name, control, f"USER {USER}")
                steering.ask(name, control, f"PASS {PASSWORD}", shown="PASS ****")
                steering.ask(name, control, "TYPE I")
            announced = steering.ask(b, to_b, "PASV").text
            steering.listens(b, announced)
            steering.ask(a, to_a, "PORT " + announced[announced.index("(") + 1 : announced.index(")")])
            steering.ask(b, to_b, "STOR copy.txt")
            steering.ask(a, to_a, f"RETR {NAME}")
            steering.data(a, b)
            for name, control in ((a, to_a), (b, to_b)):
                steering.reply(name, control)
            for name, control in ((a, to_a), (b, to_b)):
                steering.ask(name, control, "QUIT")
                steering.ended(name)
    return steering.ladder()


class _Steering:
    """Two control connections of one client."""

    def __init__(self, servers: Mapping[str, Running]) -> None:
        self._servers = servers
        self._ends: dict[str, tuple[End, End]] = {}
        self._steps: list[Step] = []
        self._ports = Names(HOSTS, 0)

    def began(self, name: str, control: Control) -> None:
        """A control connection whose greeting was read."""
        ours, theirs = control.socket.getsockname(), control.socket.getpeername()
        self._ends[name] = End("client", *ours[:2]), End(name, *theirs[:2])
        self._ports.ports |= {theirs[1]: CONTROL_PORT, theirs[1] - 1: CONTROL_PORT - 1}
        self._add(Kind.SYN, *self._ends[name])
        self._add(Kind.SYN_ACK, *self._ends[name][::-1])
        self._add(Kind.REPLY, *self._ends[name][::-1], text="220 Fairlead ready.")

    def ended(self, name: str) -> None:
        """The client closes a control connection."""
        self._add(Kind.FIN, *self._ends[name])

    def ask(self, name: str, control: Control, line: str, *, shown: str = "") -> Reply:
        """A command and its reply."""
        self._add(Kind.COMMAND, *self._ends[name], text=shown or line)
        return self.reply(name, control, control.ask(line))

    def reply(self, name: str, control: Control, reply: Reply | None = None) -> Reply:
        """A reply, the next one that comes unless it is given."""
        reply = reply or control.read()
        self._add(Kind.REPLY, *self._ends[name][::-1], text=f"{reply.code} {reply.text}")
        return reply

    def listens(self, name: str, announced: str) -> None:
        """A server waits for the other's call."""
        high, low = announced[: announced.index(")")].split(",")[-2:]
        self._add(Kind.LISTEN, End(name, self._ends[name][1].address, int(high) << 8 | int(low)), connection=1)

    def data(self, caller: str, called: str) -> None:
        """What the servers tell of the connection between them."""
        made = self._servers[caller].await_event(DataConnected)
        sent = self._servers[caller].await_event(TransferFinished)
        ours, theirs = End(caller, *made.local), End(called, *made.remote)
        self._add(Kind.SYN, ours, theirs, connection=1)
        self._add(Kind.SYN_ACK, theirs, ours, connection=1)
        self._add(Kind.DATA, ours, theirs, connection=1, size=sent.size)
        self._add(Kind.FIN, ours, theirs, connection=1)

    def ladder(self) -> Ladder:
        """The whole."""
        parties = [Party("client", "127.0.0.1"), *(Party(name, ends[1].address) for name, ends in self._ends.items())]
        kept = Ladder(parties=tuple(parties), steps=tuple(self._steps), title="A file goes from server A to server B")
        return stable(kept, self._ports)

    def _add(
        self, kind: Kind, source: End, target: End | None = None, *, connection: int = CONTROL, **said: Any
    ) -> None:
        at = len(self._steps) * 0.001
        self._steps.append(Step(at=at, kind=kind, connection=connection, source=source, target=target, **said))


def behind(name: str, mode: ModeSetting, title: str, **settings: Any) -> Ladder | None:
    """What a client meets in the topology ``name`` of the laboratory; None where there can be no laboratory."""
    if namespaces.unavailable():
        return None
    recorder = Recorder(title=title)
    with Lab(topology(name)) as lab, served(lab, "fairlead", Protection.CLEAR):
        address = next(name for name in lab.topology.plan.names if "." in name)

        def fetch() -> None:
            options = {"connect_timeout": 5.0, "reply_timeout": 20.0, **settings}
            with Client(f"ftp://{address}", mode=mode, tls="off", trace=recorder, **options) as ftp:
                try:
                    ftp.names()
                except FairleadError as error:
                    recorder.failed(error)

        lab.inside(Host.CLIENT, fetch)
    return stable(recorder.ladder(), Names({}, CONTROL_PORT))


def _apart(ladder: Ladder) -> Ladder:
    """The server's end with an address of its own, where client and server have the same."""

    def moved(end: End | None) -> End | None:
        return None if end is None else replace(end, address=SECOND_V6 if end.party == "server" else end.address)

    steps = tuple(
        replace(step, source=moved(step.source) or step.source, target=moved(step.target)) for step in ladder.steps
    )
    parties = tuple(replace(each, address=SECOND_V6) if each.name == "server" else each for each in ladder.parties)
    return replace(ladder, steps=steps, parties=parties)


SESSIONS: Mapping[str, Callable[[], Ladder | None]] = {
    "active": lambda: fetched("port", "A file fetched in active mode (PORT)"),
    "passive": lambda: fetched("pasv", "A file fetched in passive mode (PASV)"),
    "eprt": lambda: fetched("eprt", "A file fetched in active mode over IPv6 (EPRT)", "::1"),
    "epsv": lambda: fetched("epsv", "A file fetched in passive mode over IPv6 (EPSV)", "::1"),
    "third-party": third_party,
    "nat-active": lambda: behind("client-nat", "port", "The client is behind NAT: PORT announces a private address"),
    "nat-passive": lambda: behind(
        "server-nat-range",
        "pasv",
        "The server is behind NAT: 227 announces a private address",
        trust_announced_address=True,
    ),
    "nat-epsv": lambda: behind("server-nat-range", "epsv", "The same server, asked by EPSV"),
}
"""Each drawing's name, and the session that it shows."""
