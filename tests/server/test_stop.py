"""Stopping: idle sessions are told, transfers may end, and nobody waits for ever."""

from __future__ import annotations

import socket
import time
from concurrent.futures import Future
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from fairlead.events import SessionClosed, TransferFailed
from tests.server.session import Control, Running, receive

LONG = 8 << 20
NEVER = 3600.0


@pytest.fixture(autouse=True)
def files(root: Path) -> None:
    (root / "long").write_bytes(bytes(range(256)) * (LONG // 256))


def done(stopped: Future[None]) -> bool:
    stopped.result(10)
    return True


@pytest.mark.req("S-DF-DOWN-1", "S-959-421-1", "S-ERR-8")
def test_idle_sessions_are_told_and_closed(running: Running) -> None:
    with running.login() as control, running.connect() as nobody:
        stopped = running.stop(NEVER)
        for each in (control, nobody):
            assert each.read().code == 421
            assert each.at_end()
            each.close()
        assert done(stopped)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(running.address())
    assert "shutting down" in running.await_event(SessionClosed).reason


@pytest.mark.req("S-DF-DOWN-1")
def test_no_transfer_is_cut_within_the_grace_period(running: Running, root: Path) -> None:
    downloads: list[tuple[Control, socket.socket]] = []
    uploads: list[tuple[Control, socket.socket]] = []
    with ExitStack() as stack:
        for number in range(20):
            for command, sessions in (("RETR long", downloads), (f"STOR new{number}", uploads)):
                control = stack.enter_context(running.login())
                data = stack.enter_context(control.passive())
                assert control.ask(command).code == 150
                sessions.append((control, data))
        for _, data in uploads:
            data.sendall(b"beginning")
        stopped = running.stop(NEVER)
        assert running.call(lambda: running.server.stopping)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(running.address())
        for _, data in uploads:
            data.sendall(b" and end")
            data.shutdown(socket.SHUT_WR)
        for control, data in downloads:
            assert len(receive(data)) == LONG
            data.close()
            assert control.read_codes(2) == [226, 421]
            control.close()
        for control, _ in uploads:
            assert control.read_codes(2) == [226, 421]
            control.close()
        assert done(stopped)
    for number in range(20):
        assert (root / f"new{number}").read_bytes() == b"beginning and end"


@pytest.mark.req("S-DF-DOWN-1")
def test_when_the_grace_period_is_over_transfers_are_cut_and_told(running: Running) -> None:
    with running.login() as control, control.passive() as data:
        assert control.ask("RETR long").code == 150
        begun = time.monotonic()
        stopped = running.stop(0.2)
        assert control.read_codes(2) == [426, 421]
        assert time.monotonic() - begun > 0.15
        data.close()
        assert control.at_end()
        control.close()
        assert done(stopped)
    assert running.await_event(TransferFailed).cause == "aborted"


@pytest.mark.req("S-DF-DOWN-1")
def test_hurry_ends_the_grace_period(running: Running) -> None:
    with running.login() as control, control.passive():
        assert control.ask("RETR long").code == 150
        stopped = running.stop(NEVER)
        assert control.ask("NOOP").code == 200
        running.call(running.server.hurry)
        assert control.read_codes(2) == [426, 421]
        control.close()
        assert done(stopped)


@pytest.mark.req("S-DF-DOWN-1")
def test_commands_behind_a_transfer_are_answered_before_the_end(running: Running) -> None:
    with running.login() as control, control.passive() as data:
        assert control.ask("RETR long").code == 150
        control.send("PWD\r\nSYST")
        stopped = running.stop(NEVER)
        assert len(receive(data)) == LONG
        assert control.read_codes(4) == [226, 257, 215, 421]
        control.close()
        assert done(stopped)


@pytest.mark.req("S-DF-DOWN-1", "S-SEC-7")
def test_who_never_reads_nor_closes_does_not_hold_up_the_end(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fairlead.server.server.LAST_WORDS", 0.1)
    with running.login() as control, running.login() as flooding:
        flooding.socket.setblocking(False)
        with suppress(BlockingIOError):
            while True:
                flooding.socket.send(b"HELP\r\n" * 1000)
        begun = time.monotonic()
        assert done(running.stop(0.1))
        assert time.monotonic() - begun < 5
        assert control.read().code == 421


def test_a_second_stop_does_nothing(running: Running) -> None:
    assert done(running.stop(0))
    assert done(running.stop(0))
