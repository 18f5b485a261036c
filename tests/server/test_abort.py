"""ABOR at every moment of a transfer, in every Telnet dress, and the other commands that may come during one."""

from __future__ import annotations

import gc
import os
import random
import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TypeAlias

import pytest

from fairlead.accounts.memory import MemoryAccounts
from fairlead.events import TransferFailed
from fairlead.storage.local import LocalStorage
from tests.server.session import Control, Running, receive, serving

LONG = 8 << 20
"""More octets than the sockets between two ends hold."""


@pytest.fixture(autouse=True)
def files(root: Path) -> None:
    (root / "long").write_bytes(bytes(LONG))
    (root / "short").write_bytes(b"content")


@contextmanager
def blocked_send(control: Control) -> Iterator[socket.socket]:
    """A RETR that cannot go on, because nobody reads."""
    with control.passive() as data:
        assert control.ask("RETR long").code == 150
        yield data


@contextmanager
def waiting_store(control: Control, name: str = "new") -> Iterator[socket.socket]:
    """A STOR that waits for more data."""
    with control.passive() as data:
        assert control.ask(f"STOR {name}").code == 150
        data.sendall(b"beginning")
        yield data


@contextmanager
def unconnected(control: Control) -> Iterator[None]:
    """A RETR whose data connection nobody makes."""
    assert control.ask("EPSV").code == 229
    assert control.ask("RETR short").code == 150
    yield


@contextmanager
def uncalled(control: Control) -> Iterator[None]:
    """A RETR that calls a client which does not take the call."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        address = full.getsockname()
        with socket.create_connection(address):  # fills the queue of the listener
            port = address[1]
            assert control.ask(f"EPRT |1|127.0.0.1|{port}|").code == 200
            assert control.ask("RETR short").code == 150
            yield


Moment: TypeAlias = Callable[[Control], AbstractContextManager[object]]
MOMENTS: list[Moment] = [blocked_send, waiting_store, unconnected, uncalled]


@pytest.mark.req("S-959-ABOR-1", "S-959-ABOR-3", "S-DF-ABOR-5", "S-959-DC-5")
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_transfer_is_stopped_and_both_commands_are_answered(
    running: Running, control: Control, moment: Moment
) -> None:
    with moment(control):
        control.send("ABOR")
        assert control.read_codes(2) == [426, 226]
    assert running.await_event(TransferFailed).cause == "aborted"
    assert control.fetch("RETR short", "PASV") == b"content"


@pytest.mark.req("S-959-DC-5")
def test_abor_closes_the_data_connection(control: Control) -> None:
    with blocked_send(control) as data:
        control.send("ABOR")
        assert control.read_codes(2) == [426, 226]
        data.settimeout(10)
        while data.recv(1 << 20):
            pass


@pytest.mark.req("S-959-ABOR-1")
def test_an_aborted_upload_leaves_the_old_file(control: Control, root: Path) -> None:
    with waiting_store(control, "short"):
        control.send("ABOR")
        assert control.read_codes(2) == [426, 226]
    assert (root / "short").read_bytes() == b"content"


@pytest.mark.req("S-959-ABOR-1")
def test_the_sender_of_an_aborted_upload_is_told_at_once(control: Control) -> None:
    """By a reset: with an orderly end only, one that waits for room in the window could wait for long."""
    with waiting_store(control) as data:
        while "9 octets so far" not in control.ask("STAT").text:
            pass
        assert control.codes("ABOR") == [426]
        assert control.read().code == 226
        with pytest.raises(OSError, match=r"Broken pipe|reset"):
            data.recv(1)


@pytest.mark.req("S-959-ABOR-2", "S-959-DC-5", "R-4")
def test_idle_abor_is_answered_once_and_closes_the_listener(control: Control) -> None:
    address = ("127.0.0.1", int(control.ask("EPSV").text.split("|")[3]))
    assert control.ask("ABOR").code == 226
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address)
    assert control.ask("NOOP").code == 200


@pytest.mark.req("S-959-DP-4")
def test_abor_leaves_what_port_set(control: Control) -> None:
    with control.active("PORT") as listener:
        assert control.ask("ABOR").code == 226
        assert control.ask("RETR short").code == 150
        data, _ = listener.accept()
        with data:
            assert receive(data) == b"content"
        assert control.read().code == 226


OOB = socket.MSG_OOB
SYNCH: dict[str, Callable[[bytes], list[tuple[bytes, int]]]] = {
    "plain": lambda command: [(command, 0)],
    "interrupt in line": lambda command: [(b"\xff\xf4\xff\xf2" + command, 0)],
    "data mark urgent": lambda command: [(b"\xff\xf4\xff", 0), (b"\xf2", OOB), (command, 0)],
    "IAC urgent, as BSD clients": lambda command: [(b"\xff\xf4", 0), (b"\xff", OOB), (b"\xf2" + command, 0)],
    "the last octet urgent, as ftplib": lambda command: [(command, OOB)],
    "the data mark was lost on the way": lambda command: [(b"\xff\xf4\xff" + command, 0)],
    "the IAC was lost on the way": lambda command: [(b"\xff\xf4\xf2" + command, 0)],
    "octet by octet": lambda command: [(octet.to_bytes(), 0) for octet in b"\xff\xf4\xff\xf2" + command],
}


def say(control: Control, dress: str, verb: str) -> None:
    for octets, flags in SYNCH[dress](verb.encode() + b"\r\n"):
        control.socket.send(octets, flags)


@pytest.mark.req("S-959-TEL-2", "S-DF-ABOR-5")
@pytest.mark.parametrize("dress", SYNCH)
def test_abor_is_heard_in_every_telnet_dress(control: Control, dress: str) -> None:
    control.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with blocked_send(control):
        say(control, dress, "ABOR")
        assert control.read_codes(2) == [426, 226]
    say(control, dress, "ABOR")
    assert control.read().code == 226
    with blocked_send(control):
        say(control, dress, "STAT")
        assert control.read().code == 211
        say(control, dress, "ABOR")
        assert control.read_codes(2) == [426, 226]
    say(control, dress, "QUIT")
    assert control.read().code == 221
    assert control.at_end()


@pytest.mark.req("S-959-ABOR-1", "S-DF-ABOR-4")
@pytest.mark.parametrize("command", ["RETR long", "STOR new"])
def test_abor_in_one_segment_with_its_transfer_is_heard(control: Control, command: str) -> None:
    assert control.ask("EPSV").code == 229
    control.send(f"{command}\r\nABOR\r\nNOOP")
    assert control.read_codes(4) == [150, 426, 226, 200]


@pytest.mark.req("S-959-ABOR-1")
def test_abor_stops_the_transfers_queued_before_it_and_none_after_it(control: Control) -> None:
    with control.active("EPRT") as listener:
        control.send("STOR a\r\nSTOR b\r\nABOR\r\nRETR short\r\nPWD")
        assert control.read_codes(6) == [150, 426, 150, 426, 226, 150]
        connections = []
        data = None
        while data is None:  # the calls of the stopped transfers may have been taken by the system
            connections.append(listener.accept()[0])
            data = receive(connections[-1]) or None
        assert data == b"content"
        for connection in connections:
            connection.close()
    assert control.read_codes(2) == [226, 257]


@pytest.mark.req("S-959-ABOR-1")
def test_commands_behind_abor_are_answered_after_it(control: Control) -> None:
    with blocked_send(control):
        control.send("NOOP\r\nSYST\r\nABOR\r\nNOOP\r\nPWD")
        assert control.read_codes(6) == [200, 426, 215, 226, 200, 257]


@pytest.mark.req("S-DF-ABOR-4", "S-959-ABOR-1", "S-959-ABOR-3", "S-959-GRAM-4")
@pytest.mark.parametrize("verb", ["RETR", "STOR"])
def test_abor_racing_with_the_end_gets_exactly_two_final_replies(
    running: Running, control: Control, root: Path, verb: str
) -> None:
    (root / "some").write_bytes(b"s" * 200_000)
    chance = random.Random(959)
    outcomes = set()
    control.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for _ in range(500):
        with control.passive() as data:
            name = chance.choice(["short", "some"]) if verb == "RETR" else "new"
            control.send(f"{verb} {name}")
            moment = chance.randrange(4)
            if moment:
                assert control.read().code == 150
            if verb == "RETR" and moment > 1:
                data.recv(chance.choice([1, 65536, 1 << 20]))
            if verb == "STOR" and moment > 0:
                data.sendall(b"n" * chance.choice([1, 60_000, 120_000]))
                if moment > 1:
                    data.shutdown(socket.SHUT_WR)
            control.send("ABOR\r\nNOOP")
            expected = [] if moment else [150]
            first, *rest = replies = control.read_codes(len(expected) + 3)
            if expected:
                assert first == 150
                replies = rest
            assert replies[0] in {226, 426}
            assert replies[1:] == [226, 200]
            outcomes.add(replies[0])
    assert outcomes == {226, 426}
    control.close()
    running.await_idle()


@pytest.mark.req("S-959-STAT-3", "S-DF-MISC-2", "S-959-NOOP-1", "S-959-GRAM-9")
def test_stat_and_noop_are_answered_during_a_transfer_which_goes_on(control: Control) -> None:
    with control.passive() as data:
        assert control.ask("RETR long").code == 150
        first = control.ask("STAT")
        assert first.code == 211
        assert f" of {LONG} octets" in first.text
        assert "RETR of /long" in first.text
        assert control.ask("NOOP").code == 200
        assert len(receive(data)) == LONG
    assert control.read().code == 226
    assert "No data connection" in control.ask("STAT").text


@pytest.mark.req("S-959-STAT-3", "S-959-GRAM-9")
def test_stat_of_a_path_and_other_commands_wait_for_the_end_of_the_transfer(control: Control) -> None:
    with control.passive() as data:
        assert control.ask("RETR long").code == 150
        control.send("STAT short\r\nNOOP\r\nPWD")
        assert len(receive(data)) == LONG
    assert control.read_codes(4) == [226, 213, 200, 257]


@pytest.mark.req("S-959-QUIT-2")
def test_quit_during_a_transfer_waits_for_its_end(control: Control) -> None:
    with control.passive() as data:
        assert control.ask("RETR long").code == 150
        control.send("QUIT")
        assert len(receive(data)) == LONG
    assert control.read_codes(2) == [226, 221]
    assert control.at_end()


@pytest.mark.req("S-959-QUIT-2")
def test_a_client_that_closes_its_side_after_quit_gets_its_file(control: Control) -> None:
    with control.passive() as data:
        assert control.ask("RETR long").code == 150
        control.send("QUIT")
        control.socket.shutdown(socket.SHUT_WR)
        assert len(receive(data)) == LONG
    assert control.read_codes(2) == [226, 221]
    assert control.at_end()


@pytest.mark.req("S-959-REIN-2", "S-959-REIN-1")
def test_rein_during_a_transfer_waits_for_its_end(control: Control) -> None:
    with control.passive() as data:
        assert control.ask("RETR long").code == 150
        control.send("REIN\r\nPWD")
        assert len(receive(data)) == LONG
    assert control.read_codes(3) == [226, 220, 530]


@pytest.mark.req("S-959-USER-3")
def test_user_during_a_transfer_lets_it_end_under_the_old_identity(control: Control, root: Path) -> None:
    with control.passive() as data:
        assert control.ask("STOR new").code == 150
        control.send("USER anonymous\r\nPASS me@example.com\r\nDELE new")
        data.sendall(b"whole")
    assert control.read_codes(4) == [226, 331, 230, 550]
    assert (root / "new").read_bytes() == b"whole"


def reset(control: socket.socket) -> None:
    control.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    control.close()


ENDS: dict[str, Callable[[socket.socket], object]] = {
    "close": socket.socket.close,
    "half-close": lambda control: control.shutdown(socket.SHUT_WR),
    "reset": reset,
}


@pytest.mark.req("S-959-QUIT-3", "S-959-DC-5")
@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("moment", MOMENTS)
def test_the_end_of_the_control_connection_stops_the_transfer(
    running: Running, control: Control, root: Path, moment: Moment, end: str
) -> None:
    with moment(control):
        ENDS[end](control.socket)
        failure = running.await_event(TransferFailed)
        assert failure.cause == "aborted"
        assert failure.code == 426
        running.await_idle()
    assert not (root / "new").exists()


@pytest.mark.req("S-959-QUIT-3")
def test_an_upload_cut_by_the_end_of_the_control_connection_can_be_resumed(running: Running, root: Path) -> None:
    with running.login() as control, waiting_store(control):
        while "STOR of /new: 9 octets" not in control.ask("STAT").text:
            pass
        control.close()
        running.await_idle()
    with running.login() as control:
        assert control.ask("SIZE new").text == "9"
        assert control.ask("REST 9").code == 350
        assert control.store("STOR new", b" and end").code == 226
    assert (root / "new").read_bytes() == b"beginning and end"


@pytest.mark.req("S-959-QUIT-3")
def test_a_transfer_does_not_begin_once_the_client_is_gone(running: Running, root: Path) -> None:
    """What the client queued behind a transfer must not call out, or write, after it left."""
    with (
        running.login() as control,
        blocked_send(control),
        socket.create_server(("127.0.0.1", 0)) as listener,
    ):
        control.send(f"EPRT |1|127.0.0.1|{listener.getsockname()[1]}|\r\nSTOR new")
        control.close()
        assert running.await_event(TransferFailed, lambda event: event.verb == "STOR").cause == "aborted"
        running.await_idle()
        listener.setblocking(False)
        with pytest.raises(BlockingIOError):
            listener.accept()
    assert not (root / "new").exists()


@pytest.mark.long
@pytest.mark.req("S-959-QUIT-3", "S-SEC-7")
def test_nothing_is_left_of_aborted_transfers(root: Path) -> None:
    storage = LocalStorage(root, durability="relaxed")
    accounts = MemoryAccounts.sharing(storage, {"me": "secret"}, write=True)
    with serving(storage, accounts=accounts, login_delay=0) as running:

        def abort_one(moment: Moment) -> None:
            with running.login() as control, moment(control):
                control.send("ABOR")
                assert control.read_codes(2) == [426, 226]

        def descriptors() -> int:
            running.await_idle()
            gc.collect()
            return len(os.listdir("/proc/self/fd"))

        for moment in MOMENTS:
            abort_one(moment)
        before = descriptors()
        for moment in MOMENTS * 5:
            abort_one(moment)
        assert descriptors() == before
