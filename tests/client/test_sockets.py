"""Both faces over real sockets, against a server that does exactly what its script says."""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from fairlead.client._wires.sockets import SocketListener
from fairlead.client.aio import AsyncClient
from fairlead.errors import ConnectError, DataConnectionError, DeadlineError, SessionLost, TransferError
from fairlead.testing.peer import DEADLINE, Peer, read_all, scripted

Connect = Callable[..., Any]
OCTETS = os.urandom(3_000_001)


@contextmanager
def unanswered_port() -> Iterator[int]:
    """A port of 127.0.0.1 whose queue is full, so that the kernel drops further calls."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(8):
            caller = stack.enter_context(socket.socket())
            caller.setblocking(False)
            caller.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


def quietly_quit(peer: Peer) -> None:
    peer.expect("QUIT", "221 bye")


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_download_and_upload(connect: Connect, host: str, tmp_path: Path) -> None:
    stored: list[bytes] = []

    def script(peer: Peer) -> None:
        peer.log_in()
        peer.expect("TYPE I", "200 ok")
        peer.expect("SIZE f", f"213 {len(OCTETS)}")
        with peer.passive() as data:
            peer.expect("RETR f", "150 go")
            data.sendall(OCTETS)
        peer.send("226 done")
        peer.expect("SIZE g", "550 no")
        with peer.passive() as data:
            peer.expect("STOR g", "150 go")
            stored.append(read_all(data))
            peer.send("226 done")
        peer.expect("SIZE h", "550 no")
        with peer.passive() as data:
            peer.expect("STOR h", "150 go")
            stored.append(read_all(data))
            peer.send("226 done")
        quietly_quit(peer)

    local = tmp_path / "f"
    with scripted(script, host=host) as server, connect(server.url) as ftp:
        ftp.download("f", local)
        ftp.upload(local, "g")
        ftp.upload(io.BytesIO(local.read_bytes()), "h")
    assert local.read_bytes() == OCTETS
    assert stored == [OCTETS, OCTETS]


def test_receiver_that_is_slow_to_read_gets_everything(connect: Connect, tmp_path: Path) -> None:
    local = tmp_path / "big"
    local.write_bytes(OCTETS * 8)  # more than the buffers of both ends hold
    stored: list[bytes] = []

    def script(peer: Peer) -> None:
        peer.log_in()
        peer.expect("TYPE I", "200 ok")
        peer.expect("SIZE f", "550 no")
        with peer.passive() as data:
            peer.expect("STOR f", "150 go")
            peer.send("110 MARK 0 = 0")  # wakes the sender while it waits for room
            stored.append(read_all(data))
            peer.send("226 done")
        quietly_quit(peer)

    with scripted(script) as server, connect(server.url) as ftp:
        ftp.upload(local, "f")
    assert stored == [OCTETS * 8]


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
@pytest.mark.req("C-959-ACT-2", "C-2577-ACT-1")
def test_active_mode(connect: Connect, host: str) -> None:
    def script(peer: Peer) -> None:
        peer.log_in()
        command = peer.lines.readline().decode()
        _, family, address, port, _ = command.removeprefix("EPRT ").rstrip().split("|")
        assert (family, address) == ("2" if ":" in host else "1", host)
        peer.send("200 ok")
        peer.expect("LIST", "150 go")
        with socket.create_connection((address, int(port)), timeout=DEADLINE) as data:
            data.sendall(b"-rw-r--r--   1 a        b               5 Jan 02  2020 file\r\n")
        peer.send("226 done")
        quietly_quit(peer)

    with scripted(script, host=host) as server, connect(server.url, mode="eprt") as ftp:
        assert [entry.name for entry in ftp.scandir()] == ["file"]


@pytest.mark.req("C-2577-ACT-1")
def test_call_from_another_address_is_turned_away(connect: Connect) -> None:
    def script(peer: Peer) -> None:
        peer.log_in()
        argument = peer.lines.readline().decode().rstrip()
        port = int(argument.split("|")[3])
        peer.send("200 ok")
        peer.expect("LIST", "150 go")
        with (
            contextlib.suppress(ConnectionResetError),  # it may be turned away before connect() has returned
            socket.create_connection(("127.0.0.1", port), DEADLINE, source_address=("127.0.0.2", 0)) as stranger,
        ):
            assert stranger.recv(1) == b""
        with socket.create_connection(("127.0.0.1", port), timeout=DEADLINE):
            pass
        peer.send("226 done")
        quietly_quit(peer)

    with scripted(script) as server, connect(server.url, mode="eprt") as ftp:
        assert ftp.scandir() == []


@pytest.mark.parametrize("works", ["passive", "active"])
def test_call_that_is_dropped_while_a_second_session_finds_out_about_the_servers(connect: Connect, works: str) -> None:
    """The first port is silent; then either the second session is called, or the first one's next call is answered."""
    in_touch = threading.Event()

    def eprt(peer: Peer) -> tuple[str, int]:
        argument = peer.lines.readline().decode().rstrip()
        assert argument.startswith("EPRT ")
        peer.send("200 ok")
        return "127.0.0.1", int(argument.split("|")[3])

    def listing(data: socket.socket) -> None:
        data.sendall(b"-rw-r--r--   1 a        b               5 Jan 02  2020 file\r\n")

    def users(peer: Peer) -> None:
        peer.log_in()
        peer.expect("EPSV", f"229 ok (|||{silent}|)")
        peer.expect("PASV", "500 what?")
        if works == "active":
            peer.expect("EPSV", f"229 ok (|||{silent}|)")
            in_touch.set()
            address = eprt(peer)
            peer.expect("LIST", "150 go")
            with socket.create_connection(address, timeout=DEADLINE) as data:
                listing(data)
        else:
            with peer.passive() as data:
                peer.expect("LIST", "150 go")
                listing(data)
        peer.send("226 done")
        quietly_quit(peer)

    def scouts(peer: Peer) -> None:
        peer.log_in_briefly()
        address = eprt(peer)
        peer.expect("LIST")
        if works == "active":
            assert in_touch.wait(DEADLINE)
            with contextlib.suppress(ConnectionResetError):  # it may be reset before connect() has returned
                socket.create_connection(address, timeout=DEADLINE).close()
            assert peer.lines.read() == b""
        else:
            assert peer.lines.read() == b""

    with unanswered_port() as silent, scripted(users, scouts) as server, connect(server.url) as ftp:
        assert [entry.name for entry in ftp.scandir()] == ["file"]


@pytest.mark.req("C-959-ABOR-1")
def test_abort_goes_out_as_urgent_data_in_front_of_abor(connect: Connect) -> None:
    seen: list[bytes] = []

    def script(peer: Peer) -> None:
        peer.log_in()
        peer.expect("TYPE I", "200 ok")
        peer.expect("SIZE f", "550 no")
        with peer.passive() as data:
            peer.expect("RETR f", "150 go")
            with pytest.raises((ConnectionResetError, BrokenPipeError)):
                data.sendall(OCTETS * 20)
        seen.append(peer.lines.readline())
        peer.send("426 aborted")
        peer.send("226 closed")
        peer.expect("NOOP", "200 ok")
        peer.expect("PWD", '257 "/"')
        quietly_quit(peer)

    class Full(io.BytesIO):
        def write(self, data: object, /) -> int:
            raise OSError(28, "No space left on device")

    with scripted(script) as server, connect(server.url) as ftp:
        with pytest.raises(OSError, match="No space left"):
            ftp.download("f", Full())
        assert ftp.pwd() == "/"
    assert seen == [b"\xff\xf4\xff\xf2ABOR\r\n"]


@pytest.mark.req("C-959-XFER-1")
def test_download_cut_by_a_reset(connect: Connect, tmp_path: Path) -> None:
    def script(peer: Peer) -> None:
        peer.log_in()
        peer.expect("TYPE I", "200 ok")
        peer.expect("SIZE f", f"213 {len(OCTETS)}")
        with peer.passive() as data:
            peer.expect("RETR f", "150 go")
            data.sendall(OCTETS[:1000])
            data.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        peer.send("226 done")
        quietly_quit(peer)

    with scripted(script) as server, connect(server.url) as ftp, pytest.raises(TransferError):
        ftp.download("f", tmp_path / "f")
    assert not (tmp_path / "f").exists()


@pytest.mark.req("C-1123-UI-2")
def test_deadlines(connect: Connect) -> None:
    def script(peer: Peer) -> None:
        peer.log_in()
        peer.expect("PWD")
        read_all(peer.control)

    with scripted(script) as server, connect(server.url, reply_timeout=0.2) as ftp:
        began = time.monotonic()
        with pytest.raises(DeadlineError, match="no reply to PWD"):
            ftp.pwd()
        assert 0.2 <= time.monotonic() - began < 5
        with pytest.raises(SessionLost):
            ftp.pwd()


@pytest.mark.req("C-1123-UI-2")
def test_passive_port_that_never_answers(connect: Connect) -> None:
    with unanswered_port() as port:

        def script(peer: Peer) -> None:
            peer.log_in()
            peer.expect("EPSV", f"229 ok (|||{port}|)")
            quietly_quit(peer)

        with scripted(script) as server, connect(server.url, mode="epsv", connect_timeout=0.3) as ftp:
            began = time.monotonic()
            with pytest.raises(DataConnectionError, match="no answer"):
                ftp.scandir()
            assert time.monotonic() - began < 5


@pytest.mark.req("C-959-CONN-1")
def test_nobody_listens(connect: Connect) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    with pytest.raises(ConnectError, match="refused"):
        connect(f"ftp://127.0.0.1:{port}").connect()


@pytest.mark.req("C-959-CONN-1")
def test_name_that_does_not_resolve(connect: Connect) -> None:
    with pytest.raises(ConnectError, match="has no IPv6 address"):
        connect("ftp://127.0.0.1", family=6).connect()


def test_other_tasks_have_their_turns_during_a_transfer_that_never_waits(tmp_path: Path) -> None:
    local = tmp_path / "big"
    local.write_bytes(OCTETS * 20)

    def script(peer: Peer) -> None:
        peer.log_in()
        peer.expect("TYPE I", "200 ok")
        peer.expect("SIZE f", "550 no")
        with peer.passive() as data:
            peer.expect("RETR f", "150 go")
            data.sendall(local.read_bytes())
        peer.send("226 done")
        peer.expect("SIZE f", "550 no")
        with peer.passive() as data:
            peer.expect("STOR f", "150 go")
            read_all(data)
            peer.send("226 done")
        quietly_quit(peer)

    async def main(url: str) -> tuple[int, int]:
        turns = 0

        async def count() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        async with AsyncClient(url) as ftp:
            counting = asyncio.create_task(count())
            await ftp.download("f", io.BytesIO())
            down, turns = turns, 0
            await ftp.upload(local, "f")
            counting.cancel()
        return down, turns

    with scripted(script) as server:
        assert min(asyncio.run(main(server.url))) > 10


def test_task_that_is_cancelled_leaves_a_session_in_step() -> None:
    def script(peer: Peer) -> None:
        peer.log_in()
        peer.expect("TYPE I", "200 ok")
        peer.expect("SIZE f", "550 no")
        with peer.passive() as data:
            peer.expect("RETR f", "150 go")
            data.sendall(b"oct")
            with pytest.raises(ConnectionResetError):
                data.recv(1)
        assert peer.lines.readline().endswith(b"ABOR\r\n")
        peer.send("426 aborted")
        peer.send("226 closed")
        peer.expect("NOOP", "200 ok")
        peer.expect("PWD", '257 "/"')
        quietly_quit(peer)

    async def main(url: str) -> None:
        async with AsyncClient(url) as ftp:
            arrived = asyncio.Event()
            task = asyncio.create_task(ftp.download("f", io.BytesIO(), on_progress=lambda _done, _total: arrived.set()))
            await arrived.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert await ftp.pwd() == "/"

    with scripted(script) as server:
        asyncio.run(main(server.url))


def test_two_tasks_cannot_share_a_session() -> None:
    refused = threading.Event()

    def script(peer: Peer) -> None:
        peer.log_in()
        peer.expect("PWD")
        assert refused.wait(DEADLINE)
        peer.send('257 "/"')
        quietly_quit(peer)

    async def main(url: str) -> None:
        async with AsyncClient(url) as ftp:
            first = asyncio.create_task(ftp.pwd())
            await asyncio.sleep(0)
            with pytest.raises(RuntimeError, match="another operation"):
                await ftp.pwd()
            refused.set()
            assert await first == "/"

    with scripted(script) as server:
        asyncio.run(main(server.url))


@pytest.mark.req("C-1123-RPL-10")
def test_closing_ends_what_another_task_waits_for() -> None:
    def script(peer: Peer) -> None:
        peer.log_in()
        peer.expect("PWD")
        assert peer.lines.readline() == b""

    async def main(url: str) -> None:
        ftp = AsyncClient(url)
        async with ftp:
            first = asyncio.create_task(ftp.pwd())
            await asyncio.sleep(0)
        with pytest.raises(SessionLost, match="it was closed"):
            await first
        assert not ftp.connected

    with scripted(script) as server:
        asyncio.run(main(server.url))


def test_taken_ports_are_passed_over() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other, socket.create_server(("127.0.0.1", 0)) as spare:
        taken, free = other.getsockname()[1], spare.getsockname()[1]
        spare.close()
        listener = SocketListener("127.0.0.1", [taken, free])
        assert listener.local == ("127.0.0.1", free)
        listener.close()
        with pytest.raises(OSError, match="in use"):
            SocketListener("127.0.0.1", [taken])
