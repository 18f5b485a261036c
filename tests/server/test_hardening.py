"""What a hostile client may try (RFC 2577 and beyond): to leave the tree, to fill memory, to forge lines of others."""

from __future__ import annotations

import json
import os
import re
import select
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

import pytest

from fairlead.accounts.base import Account, Right, Rule
from fairlead.accounts.memory import MemoryAccounts, User
from fairlead.accounts.password import KeyedDigest
from fairlead.events import Event
from fairlead.server.control import QUEUE_HIGH
from fairlead.server.log import Log
from fairlead.server.registry import COMMANDS
from fairlead.server.transfer import Transfer
from fairlead.storage.base import Item
from fairlead.storage.memory import MemoryStorage
from tests.server.session import Control, Running, receive, serving

if TYPE_CHECKING:
    import asyncio

SECRET = b"nobody may read this"


# Confinement


@pytest.fixture
def tree(root: Path) -> Path:
    """A served tree with links that lead out of it; returns the directory above it."""
    outside = root.parent / "outside"
    outside.mkdir()
    (outside / "secret").write_bytes(SECRET)
    (outside / "directory").mkdir()
    (root / "inside").mkdir()
    (root / "inside" / "file").write_bytes(b"content")
    (root / "absolute").symlink_to(outside)
    (root / "relative").symlink_to("../outside")
    (root / "inside" / "up").symlink_to("../../outside")
    (root / "file-link").symlink_to(outside / "secret")
    (root / "chain").symlink_to("relative")
    (root / "root-link").symlink_to("/")
    (root / "dangling").symlink_to("../outside/new")
    return root.parent


def contents(directory: Path) -> dict[str, bytes | None]:
    return {
        str(path.relative_to(directory)): path.read_bytes() if path.is_file() else None
        for path in sorted(directory.rglob("*"))
    }


WAYS_OUT = [
    "../outside/secret", "/../outside/secret", "../../outside/secret", "inside/../../outside/secret",
    "./../outside/secret",
    "//outside/secret", "///../outside/secret", "..//outside/secret", "/inside/../../../../outside/secret",
    "absolute/secret", "relative/secret", "inside/up/secret", "file-link", "chain/secret", "chain/../outside/secret",
    "root-link/etc/passwd", "relative/../outside/secret", "inside/up/../outside/secret", "absolute/directory",
    "%2e%2e/outside/secret", "..%2foutside%2fsecret", "..\\outside\\secret", "..;/outside/secret", ".../outside/secret",
    "~/../outside/secret", "~root", "dangling", "absolute/new", "relative/new", "chain/new/deep",
]  # fmt: skip
READS = [
    "RETR {}",
    "LIST {}",
    "LIST -R {}",
    "NLST {}",
    "NLST {}*",
    "MLSD {}",
    "STAT {}",
    "MLST {}",
    "SIZE {}",
    "MDTM {}",
]


@pytest.mark.req("S-SEC-6")
@pytest.mark.parametrize("command", READS)
def test_nothing_outside_the_root_can_be_read(control: Control, tree: Path, root: Path, command: str) -> None:
    del control.raw[:]
    for path in WAYS_OUT:
        with control.passive() as data:
            reply = control.ask(command.format(path))
            received = b""
            if reply.preliminary:
                received = receive(data)
                control.read()
            assert SECRET not in received
            assert b"secret" not in received.replace(b"outside/secret", b"")
            assert b"root:" not in received
            if not command.startswith(("LIST", "NLST", "STAT", "MLST")):
                assert reply.code in {450, 550}, path
    assert str(len(SECRET)).encode() not in re.findall(rb"213 ([0-9]+)\r", bytes(control.raw))
    assert str(root).encode() not in control.raw
    assert str(tree).encode() not in control.raw


WRITES = [
    ["STOR {}"], ["APPE {}"], ["STOU {}"], ["DELE {}"], ["RMD {}"], ["MKD {}"], ["RNFR {}", "RNTO taken"],
    ["RNFR inside/file", "RNTO {}"], ["SITE CHMOD 777 {}"], ["SITE UTIME 202001010000 {}"], ["MFMT 20200101000000 {}"],
    ["CWD {}", "DELE secret"], ["CWD {}", "STOR secret"], ["REST 2", "STOR {}"],
]  # fmt: skip


@pytest.mark.req("S-SEC-6")
@pytest.mark.parametrize("lines", WRITES)
def test_nothing_outside_the_root_can_be_changed(control: Control, tree: Path, root: Path, lines: list[str]) -> None:
    outside = tree / "outside"
    before = contents(outside)
    statuses = [(path, os.stat(path).st_mode, os.stat(path).st_mtime_ns) for path in sorted(outside.rglob("*"))]
    control.raw.clear()
    for path in WAYS_OUT:
        with control.passive() as data:
            data.sendall(b"overwritten")
            data.shutdown(socket.SHUT_WR)
            for line in lines:
                if control.ask(line.format(path)).preliminary:
                    control.read()
            assert control.ask("CWD /").code == 250
        if not (root / "inside" / "file").exists():
            (root / "inside").mkdir(exist_ok=True)
            (root / "inside" / "file").write_bytes(b"content")
    assert contents(outside) == before
    assert [(path, os.stat(path).st_mode, os.stat(path).st_mtime_ns) for path, _, _ in statuses] == statuses
    assert {path.name for path in tree.iterdir()} == {"outside", "root"}
    assert str(tree).encode() not in control.raw


@pytest.mark.req("S-SEC-6")
def test_the_working_directory_stays_below_the_root(control: Control, tree: Path) -> None:
    for path in ["..", "/..", "inside/../..", "absolute", "relative", "inside/up", "chain", "root-link", "~root"]:
        control.ask(f"CWD {path}")
        assert control.ask("PWD").text.startswith('"/" ')
    assert control.codes("CWD inside", "CDUP", "CDUP", "CDUP") == [250, 250, 250, 250]
    assert control.ask("PWD").text.startswith('"/" ')
    assert tree.exists()


@pytest.mark.req("S-SEC-6")
def test_what_policy_hides_is_as_if_it_were_not_there() -> None:
    storage = MemoryStorage()
    rules = (Rule("/", Right.WRITER), Rule("/private", Right.NONE))
    users = [
        User(Account("boss", storage, (Rule("/", Right.WRITER),)), KeyedDigest("secret")),
        User(Account("me", storage, rules), KeyedDigest("secret")),
    ]
    with serving(storage, accounts=MemoryAccounts(users), login_delay=0) as running:
        with running.login("boss") as boss:
            assert boss.codes("MKD private", "MKD private/there", "MKD public") == [257, 257, 257]
            assert boss.store("STOR private/file", b"x").code == 226
        with running.login("me") as control:
            verbs = [
                verb for verb, spec in COMMANDS.items() if spec.path or verb in {"CWD", "LIST", "NLST", "STAT", "STOU"}
            ]
            for verb in (*verbs, "SITE CHMOD 644", "MFMT 20200101000000"):
                if verb == "RNTO":
                    continue
                answers = {
                    (reply.code, reply.text.replace(name, ""))
                    for name in ("private/there", "private/file", "private/missing")
                    for reply in [control.ask(f"{verb} {name}")]
                }
                assert len(answers) == 1, verb
                assert answers.pop()[0] in {450, 550, 553}, verb
            listings = b"".join(
                control.fetch(line) for line in ("LIST", "NLST", "MLSD", "LIST -R", "NLST *", "LIST -a")
            )
            assert b"public" in listings
            assert b"private" not in listings
            assert "private" not in control.ask("STAT /").text


@pytest.mark.req("S-2577-EXEC-3")
@pytest.mark.parametrize(
    "name", ["; touch x", "| touch x", "`touch x`", "$(touch x)", "&& touch x", "-la; touch x", "!touch x"]
)
def test_no_argument_reaches_a_shell(control: Control, root: Path, name: str) -> None:
    for verb in ("LIST", "NLST", "STAT", "RETR", "SITE", "CWD", "HELP"):
        with control.passive():
            if control.ask(f"{verb} {name}").preliminary:
                control.read()
    assert list(root.iterdir()) == []


# Memory


def held(running: Running) -> dict[str, int]:
    """What the server keeps for its only session."""

    def measure() -> dict[str, int]:
        (control,) = running.server._controls
        parser = control._parser
        reader = parser.reader
        return {
            "queue": len(control._queue),
            "unsent": cast("asyncio.Transport", control._transport).get_write_buffer_size()
            + sum(map(len, control._out)),
            "line": len(parser._tail) + (len(reader._line) + len(reader._answers) if reader is not None else 0),
        }

    return running.call(measure)  # type: ignore[no-any-return]


def narrow(running: Running, control: Control) -> None:
    """Let the systems at both ends keep little for the only session, so that it is soon seen who keeps the rest."""
    control.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)

    def lessen() -> None:
        (server_control,) = running.server._controls
        server_control._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)

    running.call(lessen)


def flood(control: Control, octets: bytes, enough: int) -> int:
    """Send ``octets`` again and again without reading, until ``enough`` went or the server takes no more."""
    control.socket.setblocking(False)
    sent = 0
    while sent < enough and select.select([], [control.socket], [], 0.3)[1]:
        sent += control.socket.send(octets)
    control.socket.settimeout(10)
    return sent


CHUNK = 65536
"""What the loop reads at most at a time is a few of these."""


@pytest.mark.req("S-SEC-7", "S-959-GRAM-8")
def test_a_line_without_end_is_not_kept(running: Running) -> None:
    with running.login() as control:
        assert flood(control, b"x" * CHUNK, 1 << 20) >= 1 << 20
        control.send("\r\nNOOP")
        assert control.read_codes(2) == [500, 200]
        flood(control, b"CWD " + b"\xff\xff\r\0" * CHUNK, 1 << 18)
        assert held(running)["line"] < 3 * 8192
        control.send("\r\nNOOP")
        assert control.read_codes(2) == [500, 200]


@pytest.mark.long
@pytest.mark.req("S-SEC-7")
@pytest.mark.parametrize(
    "octets", [b"STAT\r\n" * 1000, b"\r\n" * 1000, b"\xff\xfd\x01" * 1000, b"\xff\xfb\x18\n" * 1000]
)
def test_who_floods_and_never_reads_is_read_no_more(running: Running, octets: bytes) -> None:
    with running.login() as control:
        narrow(running, control)
        sent = flood(control, octets, 64 << 20)
        assert sent < 64 << 20, "the server never stopped reading"
        kept = held(running)
        assert kept["queue"] < 300_000
        assert kept["unsent"] < 2 << 20
        with running.login() as other:
            assert other.ask("NOOP").code == 200


@pytest.mark.req("S-SEC-7", "S-959-GRAM-9")
def test_a_flood_behind_a_transfer_waits_outside(running: Running) -> None:
    with running.login() as control, control.passive() as data:
        assert control.ask("STOR file").code == 150
        sent = flood(control, b"SYST\r\n" * 10_000, 64 << 20)
        sent -= sent % 6  # the last line may be cut
        assert sent < 64 << 20
        assert QUEUE_HIGH < held(running)["queue"] < 100_000
        data.close()
        assert control.read().code == 226
        control.socket.setblocking(True)


@pytest.mark.req("S-SEC-7")
def test_all_of_a_flood_is_answered_while_its_sender_reads(running: Running) -> None:
    with running.login() as control:
        narrow(running, control)
        count = 10_000
        sender = threading.Thread(target=control.socket.sendall, args=(b"NOOP\r\n" * count,))
        sender.start()
        assert set(control.read_codes(count)) == {200}
        sender.join()
        assert control.ask("PWD").code == 257


class Endless(MemoryStorage):
    """A directory with more entries than memory."""

    def __init__(self) -> None:
        super().__init__()
        self.mkdir("/x")
        self.batches = 0

    def scan(self, path: str) -> Iterator[list[Item]]:
        status = self.stat("/x")
        for self.batches in range(1_000_000):
            yield [Item(f"{self.batches}-{number:0100}", status) for number in range(1000)]


@pytest.mark.req("S-SEC-7")
@pytest.mark.parametrize("command", ["LIST -f -R", "NLST -R", "STAT", "MLSD"])
def test_a_listing_is_made_only_as_fast_as_it_is_read(command: str) -> None:
    storage = Endless()
    storage.inline = False
    with serving(storage) as running, running.login("anonymous") as control, control.passive() as data:
        if command == "STAT":
            control.send("STAT /")
            reader = control.socket
        else:
            assert control.ask(command).code == 150
            reader = data
        reader.recv(1)

        def standing_still() -> bool:
            (server_control,) = running.server._controls
            transfer = server_control.session.transfer
            waiting = transfer._wait if isinstance(transfer, Transfer) else server_control._drained
            return waiting is not None

        deadline = time.monotonic() + 10
        while not running.call(standing_still):
            assert time.monotonic() < deadline
        before = storage.batches
        assert before < 200
        while storage.batches == before:
            reader.recv(1 << 20)
            assert time.monotonic() < deadline


# Forgery


NASTY = [
    b"a\r\0226 done",
    b"\x1b[2Jb",
    b"\xe2\x80\xaec",
    b"\xff\xff\xff\xff",
    b"d\x7f\x08\x08",
    b'e"}{"',
    b"\xc2\x85f",
    b"\xe2\x80\xa8g",
]


@pytest.mark.req("S-SEC-8")
@pytest.mark.parametrize("form", ["text", "json"])
def test_nobody_forges_a_line_of_the_log(form: Literal["text", "json"]) -> None:
    storage = MemoryStorage()
    accounts = MemoryAccounts.sharing(storage, {"me": "secret"}, write=True, anonymous=True)
    read_end, write_end = os.pipe()
    with serving(storage, accounts=accounts, login_delay=0, max_login_attempts=100) as running:
        log = Log(write_end, form, lambda _, __: None, lambda: 1057060357.0)
        log.attach(running.server.events)
        recorded: list[Event] = []
        running.server.events.subscribe(Event, recorded.append)
        with running.login() as control:
            for name in NASTY:
                assert control.ask(b"MKD " + name).code == 257
                with control.passive() as data:
                    assert control.ask(b"STOR " + name + b"/file").code == 150
                    data.close()
                    assert control.read().code == 226
                control.ask(b"DELE " + name)
                control.ask(b"SITE CHMOD 700 " + name)
                control.codes(b"RNFR " + name, b"RNTO " + name + b"2")
        with running.connect() as control:
            for name in NASTY:
                assert control.codes(b"USER " + name, b"PASS " + name) == [331, 530]
                assert control.codes(b"USER anonymous", b"PASS " + name) == [331, 230]
        running.call(log.flush)
    os.close(write_end)
    with os.fdopen(read_end, "rb") as stream:
        lines = stream.read().decode("utf-8").split("\n")
    assert lines.pop() == ""
    assert len(lines) >= 6 * len(NASTY)
    for line in lines:
        assert line.isprintable()
        if form == "json":
            assert json.loads(line)["time"].startswith("2003-07-01")
        else:
            assert re.match(r"2003-07-01[T ]\S+ +(info|warning|error) ", line), line


@pytest.mark.req("S-SEC-8", "S-959-GRAM-3")
def test_nobody_forges_a_reply(control: Control) -> None:
    """Whatever a name holds, each reply to it has one line, in which nothing steers a terminal."""
    for name in NASTY:
        control.raw.clear()
        control.codes(
            b"MKD " + name, b"CWD " + name, b"PWD", b"CWD /", b"SIZE " + name, b"HELP " + name, b"OPTS " + name
        )
        control.codes(b"RMD " + name, name, b"TYPE " + name, b"SITE " + name, b"EPRT " + name, b"USER " + name)
        lines = bytes(control.raw).split(b"\r\n")
        assert len(lines) == 13 + 1
        assert all(re.match(rb"[2-5][0-9]{2} ", line) for line in lines[:-1])
        assert not re.search(rb"[\x01-\x08\x0b\x0c\x0e-\x1f\x7f]", bytes(control.raw))


@pytest.mark.req("S-SEC-6", "S-SEC-8")
def test_passwords_appear_in_no_event(running: Running) -> None:
    with running.connect() as control:
        control.codes(
            "USER me", "PASS swordfish", "USER me", "pass swordfish", "ACCT swordfish", "USER me", "PaSs secret"
        )
    with running.login() as control:
        control.codes("ACCT swordfish", "QUIT")
    running.await_idle()
    told = repr(running.recorded)
    assert "CommandReceived" in told
    assert "swordfish" not in told
    assert "secret" not in told
