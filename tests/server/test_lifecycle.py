"""From the greeting to the end: limits on sessions, deadlines, and the commands about the session itself."""

from __future__ import annotations

import asyncio
import os
import re
import selectors
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from functools import partial
from math import inf
from pathlib import Path

import pytest

from fairlead.accounts.memory import MemoryAccounts
from fairlead.errors import StorageFault
from fairlead.events import SessionClosed, SessionOpened, SessionRefused, TransferFailed
from fairlead.proto.sequences import legal
from fairlead.reach.cause import Cause
from fairlead.server import Server
from fairlead.server.registry import COMMANDS, SITE
from fairlead.storage.base import Item
from fairlead.storage.local import LocalStorage
from fairlead.storage.memory import MemoryStorage
from tests.server.session import DEADLINE, Control, Running, receive, serving

SHORT = 0.25
"""Seconds of a deadline that a test waits for."""
NEVER = 3600.0


@contextmanager
def served(root: Path, **settings: object) -> Iterator[Running]:
    storage = LocalStorage(root, durability="relaxed")
    accounts = MemoryAccounts.sharing(storage, {"me": "secret"}, write=True)
    with serving(storage, accounts=accounts, login_delay=0, **settings) as running:
        yield running


@contextmanager
def crowded(**settings: object) -> Iterator[Running]:
    """A server of a directory whose listing is long."""
    storage = MemoryStorage()
    storage.mkdir("/many")
    for number in range(3000):
        storage.mkdir(f"/many/{number:0200}")
    accounts = MemoryAccounts.sharing(storage, {"me": "secret"}, write=True)
    with serving(storage, accounts=accounts, login_delay=0, **settings) as running:
        yield running


def silent(control: Control) -> bool:
    """Whether the server has said nothing more so far."""
    with selectors.DefaultSelector() as selector:
        selector.register(control.socket, selectors.EVENT_READ)
        return not selector.select(0)


# Limits


@pytest.mark.req("S-DF-CONN-3", "S-959-CONN-1", "S-ERR-8", "S-959-421-1")
def test_a_session_over_the_limit_is_told_and_closed(root: Path) -> None:
    with served(root, max_sessions=2) as running, running.connect() as first, running.connect():
        with Control(socket.create_connection(running.address(), 10)) as refused:
            assert refused.read().code == 421
            assert refused.at_end()
        assert running.await_event(SessionRefused).peer == "127.0.0.1"
        assert first.ask("QUIT").code == 221
        first.close()
        running.await_event(SessionClosed)
        with running.login() as third:
            assert third.ask("PWD").code == 257


@pytest.mark.req("S-DF-CONN-3", "S-ERR-8")
def test_sessions_are_limited_for_each_address(root: Path) -> None:
    with served(root, max_sessions_per_address=1) as running, running.connect():
        with Control(socket.create_connection(running.address(), 10)) as refused:
            assert refused.read().code == 421
        with running.login(source=("127.0.0.2", 0)) as other:
            assert other.ask("PWD").code == 257


@pytest.mark.req("S-959-CONN-1")
def test_a_session_is_announced_and_its_end_too(running: Running) -> None:
    with running.login() as control:
        assert control.ask("QUIT").code == 221
    opened = running.await_event(SessionOpened)
    closed = running.await_event(SessionClosed)
    assert (opened.session, opened.peer) == (closed.session, closed.peer) == (1, "127.0.0.1")
    assert closed.user == "me"
    assert closed.reason == "QUIT"


# Deadlines


@pytest.mark.req("S-1123-IDLE-1", "S-ERR-8", "S-959-421-1")
def test_an_idle_session_ends(root: Path) -> None:
    with served(root, idle_timeout=SHORT) as running, running.login() as control:
        begun = time.monotonic()
        assert control.read().code == 421
        assert time.monotonic() - begun > SHORT / 2
        assert control.at_end()
        control.close()
        assert "idle" in running.await_event(SessionClosed).reason


@pytest.mark.req("S-1123-IDLE-1")
def test_a_session_may_be_idle_for_ever_where_the_settings_say_so(root: Path) -> None:
    with served(root, idle_timeout=inf, login_timeout=inf) as running, running.login() as control:
        assert control.codes("EPSV", "NOOP", "QUIT") == [229, 200, 221]


def test_the_default_idle_timeout_is_five_minutes(running: Running) -> None:
    assert running.server.settings.idle_timeout >= 300


@pytest.mark.req("S-1123-IDLE-1")
def test_every_command_begins_the_idle_time_anew(root: Path) -> None:
    with served(root, idle_timeout=SHORT) as running, running.login() as idle, running.login() as busy:
        while silent(idle):
            assert busy.ask("NOOP").code == 200
        assert idle.read().code == 421
        assert busy.ask("NOOP").code == 200


@pytest.mark.req("S-1123-IDLE-1")
def test_a_session_is_not_idle_while_a_transfer_runs(root: Path) -> None:
    (root / "long").write_bytes(bytes(8 << 20))
    with served(root, idle_timeout=SHORT) as running, running.login() as control, control.passive() as data:
        assert control.ask("RETR long").code == 150
        with running.login() as idle:
            assert idle.read().code == 421
        assert silent(control)
        assert len(receive(data)) == 8 << 20
        ended = time.monotonic()
        assert control.read().code == 226
        assert control.read().code == 421
        assert time.monotonic() - ended > SHORT / 2


@pytest.mark.req("S-DF-IDLE-2", "S-ERR-8")
def test_who_does_not_log_in_in_time_is_sent_away_whatever_he_says(root: Path) -> None:
    with served(root, login_timeout=SHORT) as running, running.connect() as silent_one, running.connect() as busy:
        begun = time.monotonic()
        codes = []
        while 421 not in codes:
            codes.append(busy.ask("USER me").code)
            assert time.monotonic() - begun < 10
        assert silent_one.read().code == 421
        assert silent_one.at_end()
        assert time.monotonic() - begun > SHORT / 2


@pytest.mark.req("S-DF-IDLE-2", "S-959-REIN-1")
def test_the_time_for_the_login_begins_anew_after_rein(root: Path) -> None:
    with served(root, login_timeout=SHORT) as running, running.login() as control:
        with running.connect() as other:
            assert other.read().code == 421  # by now the session is older than the login time-out
        assert control.codes("REIN", "USER me", "PASS secret", "REIN") == [220, 331, 230, 220]
        assert silent(control)
        begun = time.monotonic()
        assert control.read().code == 421
        assert SHORT / 2 < time.monotonic() - begun < 10


@pytest.mark.req("S-DF-IDLE-2", "S-ERR-6", "S-959-DC-4")
@pytest.mark.parametrize("command", ["RETR long", "RETR some", "STOR new", "LIST -R many"])
def test_a_data_connection_that_stands_still_is_given_up(root: Path, command: str) -> None:
    (root / "long").write_bytes(bytes(8 << 20))
    (root / "some").write_bytes(bytes(1 << 20))
    with (
        (crowded if command.startswith("LIST") else partial(served, root))(data_stall_timeout=SHORT) as running,
        running.login() as control,
    ):
        with socket.socket() as data:
            data.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            data.connect(("127.0.0.1", int(control.ask("EPSV").text.split("|")[3])))
            assert control.ask(command).code == 150
            reply = control.read()
        assert reply.code == 426
        assert Cause.DATA_STALLED in reply.text
        assert running.await_event(TransferFailed).cause == Cause.DATA_STALLED
        assert control.ask("NOOP").code == 200


@pytest.mark.req("S-DF-IDLE-2")
def test_a_slow_transfer_is_not_a_stalled_one(root: Path) -> None:
    """The stall time-out counts from the last octet that moved."""
    with served(root, data_stall_timeout=SHORT) as running, running.login() as slow, slow.passive() as data:
        assert slow.ask("STOR new").code == 150
        with running.login() as stalled, stalled.passive():
            assert stalled.ask("STOR other").code == 150
            while silent(stalled):
                data.sendall(b"x")
            assert stalled.read().code == 426
        data.close()
        assert slow.read().code == 226


@pytest.mark.req("S-SEC-7", "S-DF-IDLE-2")
def test_who_never_reads_a_long_status_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fairlead.server.control.LAST_WORDS", SHORT)
    with crowded(idle_timeout=SHORT) as running:
        control = running.login()
        control.send("STAT /many\r\n" * 20)
        assert "idle" in running.await_event(SessionClosed).reason
        control.close()


# About the session


@pytest.mark.req("S-959-SYST-1", "S-959-T-21")
def test_syst_names_an_assigned_system(control: Control) -> None:
    assert control.ask("SYST") == control.ask("syst")
    assert control.ask("SYST").text.split(" ")[0] == "UNIX"
    assert control.ask("SYST").code == 215


@pytest.mark.req("S-959-HELP-1", "S-959-T-19")
def test_help_is_there_before_login_and_for_every_command(running: Running) -> None:
    with running.connect() as control:
        everything = control.ask("HELP")
        assert everything.code == 214
        listed = {verb for line in everything.lines[1:-1] for verb in line.split()}
        assert set(COMMANDS) <= listed
        for verb in COMMANDS:
            assert control.ask(f"HELP {verb}").code == 214
        assert {line.split()[0] for line in control.ask("HELP SITE").lines[1:-1]} == set(SITE)
        assert control.codes("HELP FOO", "HELP RETR STOR") == [502, 502]


@pytest.mark.req("S-959-NOOP-1", "S-959-T-21")
def test_noop_changes_nothing(control: Control, root: Path) -> None:
    (root / "file").write_bytes(b"content")
    assert control.codes("RNFR file", "NOOP", "RNTO other") == [350, 200, 250]
    with control.passive() as data:
        assert control.codes("REST 3", "NOOP", "RETR other") == [350, 200, 150]
        assert receive(data) == b"tent"
    assert control.read().code == 226


@pytest.mark.req("S-959-STAT-1", "S-959-T-18")
def test_stat_shows_the_parameters_and_the_data_connection(running: Running) -> None:
    with running.connect() as control:
        assert "Not logged in" in control.ask("STAT").text
    with running.login() as control:
        status = control.ask("STAT")
        assert status.code == 211
        assert len(status.lines) > 2
        for word in ("TYPE: I", "STRU: F", "MODE: S", "me", "No data connection"):
            assert word in status.text
        port = control.ask("EPSV").text.split("|")[3]
        assert f"port {port} (EPSV)" in control.ask("STAT").text
        with control.active("PORT") as listener:
            assert f"127.0.0.1 port {listener.getsockname()[1]} (PORT)" in control.ask("STAT").text


@pytest.mark.req("S-959-STAT-2", "S-959-T-18", "S-ERR-4")
def test_stat_of_a_path_lists_it_on_the_control_connection(control: Control, root: Path) -> None:
    (root / "directory").mkdir()
    (root / "directory" / "226 foo").write_text("content")
    (root / "file").write_text("content")
    directory = control.ask("STAT directory")
    assert directory.code == 212
    assert directory.lines[1:-1] == tuple(control.fetch("LIST directory").decode().splitlines())
    assert directory.lines[1].endswith(" 226 foo")
    file = control.ask("STAT file")
    assert file.code == 213
    assert [re.split(" +", line)[-1] for line in file.lines[1:-1]] == ["file"]
    assert control.codes("STAT missing", "STAT ..") == [450, 212]
    assert "No data connection" in control.ask("STAT").text


class FailingStorage(MemoryStorage):
    """Its directories cannot be read to their ends."""

    def scan(self, path: str) -> Iterator[list[Item]]:
        yield from super().scan(path)
        raise StorageFault(path)


@pytest.mark.req("S-959-STAT-2", "S-959-GRAM-2")
def test_a_status_that_breaks_off_is_still_one_whole_reply() -> None:
    storage = FailingStorage()
    accounts = MemoryAccounts.sharing(storage, {"me": "secret"}, write=True)
    with serving(storage, accounts=accounts) as running, running.login() as control:
        assert control.ask("MKD x").code == 257
        reply = control.ask("STAT /")
        assert legal("STAT", reply.code)
        assert control.ask("NOOP").code == 200


@pytest.mark.req("S-SEC-8", "S-959-QUIT-3")
def test_a_client_that_leaves_during_a_status_is_no_fault_of_the_server() -> None:
    with crowded() as running:
        control = running.login()
        control.send("STAT /many\r\n" * 20)
        control.socket.recv(1)
        control.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        control.close()
        running.await_event(SessionClosed)
        running.await_idle()
        assert not [event for event in running.recorded if getattr(event, "topic", "") == "fault"]


@pytest.mark.req("S-959-SITE-1", "S-959-T-20", "S-ERR-1", "S-2577-EXEC-3")
@pytest.mark.parametrize(
    ("line", "code"), [("SITE FOO", 501), ("SITE EXEC ls", 501), ("SITE HELP", 214), ("SITE", 501)]
)
def test_site_knows_its_subcommands(control: Control, line: str, code: int) -> None:
    assert control.ask(line).code == code


@pytest.mark.req("S-959-SMNT-1")
def test_smnt_is_not_served(control: Control) -> None:
    assert control.ask("SMNT /other").code == 502


@pytest.mark.req("S-959-ALLO-1")
@pytest.mark.parametrize(
    ("argument", "code"),
    [("1", 202), ("1000000 R 80", 202), ("5000000000", 202), ("1 r 2", 202), ("x", 501), ("-1", 501), ("1 R", 501),
     ("1 R x", 501), ("1 2", 501), ("1 X 2", 501), ("", 501), ("9" * 5000, 202)],
)  # fmt: skip
def test_allo_is_superfluous_but_checked(control: Control, argument: str, code: int) -> None:
    assert control.ask(f"ALLO {argument}").code == code
    assert control.store("STOR file", b"content").code == 226


@pytest.mark.req("S-DF-MISC-8")
def test_control_connections_send_at_once_and_are_kept_alive(running: Running) -> None:
    with running.connect():

        def options() -> list[int]:
            (control,) = running.server._controls
            connection = control._transport.get_extra_info("socket")
            wanted = [(socket.IPPROTO_TCP, socket.TCP_NODELAY), (socket.SOL_SOCKET, socket.SO_KEEPALIVE)]
            return [connection.getsockopt(*option) for option in wanted]

        assert all(running.call(options))


@pytest.mark.req("S-DF-MISC-7")
@pytest.mark.parametrize(
    ("line", "codes"), [("PRET RETR x", {200, 500, 502}), ("SITE XDUPE 3", {501}), ("XDUPE", {500})]
)
def test_what_other_servers_know_is_refused_without_ending_the_session(
    control: Control, line: str, codes: set[int]
) -> None:
    assert control.ask(line).code in codes
    assert control.ask("NOOP").code == 200


@pytest.mark.skipif(sys.platform != "linux", reason="the system knows no priority of threads")
@pytest.mark.parametrize("run", [Server.in_thread, Server.in_background])
def test_a_thread_that_moves_data_is_nicer_than_the_event_loop(
    running: Running, run: Callable[..., Coroutine[None, None, int]]
) -> None:
    def priority() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    moving = asyncio.run_coroutine_threadsafe(run(running.server, priority), running.loop).result(DEADLINE)

    assert moving == min(running.call(priority) + 10, 19)
