"""Where data connections come from and go to: PORT, PASV, the default port, and what happens when there is none."""

from __future__ import annotations

import errno
import re
import socket
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from fairlead.accounts.memory import MemoryAccounts
from fairlead.errors import NoSpace, StorageFault
from fairlead.events import Noticed, TransferFailed, TransferFinished
from fairlead.reach.cause import Cause
from fairlead.server.settings import Announce
from fairlead.storage.base import Intent
from fairlead.storage.local import LocalStorage
from fairlead.storage.memory import MemoryStorage
from fairlead.storage.memory.transfer import MemorySource, MemoryUpload
from tests.server.session import DEADLINE, Control, Running, free_port, receive, serving

CONTENT = b"content"
SHORT = 0.25


@pytest.fixture(autouse=True)
def file(root: Path) -> None:
    (root / "file").write_bytes(CONTENT)


@contextmanager
def served(root: Path, **settings: Any) -> Iterator[Running]:
    storage = LocalStorage(root, durability="relaxed")
    accounts = MemoryAccounts.sharing(storage, {"me": "secret"}, write=True)
    with serving(storage, accounts=accounts, login_delay=0, **settings) as running:
        yield running


def connect(host: str, running: Running) -> Control:
    """A logged-in session with the server at its address ``host``, whatever it is bound to."""
    control = Control(socket.create_connection((host, running.server.addresses[0][1]), DEADLINE))
    assert control.read().code == 220
    assert control.codes("USER me", "PASS secret", "TYPE I") == [331, 230, 200]
    return control


def passive_port(control: Control, command: str = "PASV") -> int:
    text = control.ask(command).text
    if command == "EPSV":
        return int(text.split("|")[3])
    high, low = re.findall(r"[0-9]+", text)[-2:]
    return int(high) * 256 + int(low)


def port_argument(address: tuple[str, int]) -> str:
    return f"{address[0].replace('.', ',')},{address[1] >> 8},{address[1] & 255}"


def is_closed(address: tuple[str, int]) -> bool:
    try:
        socket.create_connection(address, DEADLINE).close()
    except ConnectionRefusedError:
        return True
    return False


def ends(connection: socket.socket) -> bool:
    """Whether the server closes ``connection`` without having sent anything."""
    connection.settimeout(DEADLINE)
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


def uncalled(listener: socket.socket) -> bool:
    """Whether nobody has called ``listener``."""
    listener.setblocking(False)
    try:
        listener.accept()[0].close()
    except BlockingIOError:
        return True
    finally:
        listener.settimeout(DEADLINE)
    return False


# Active


@pytest.mark.req("S-959-DP-1")
def test_without_port_or_pasv_the_server_calls_the_control_port_of_the_client(running: Running) -> None:
    with socket.socket() as connection, socket.socket() as listener:
        for each in (connection, listener):
            each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            each.settimeout(DEADLINE)
        connection.bind(("127.0.0.1", 0))
        connection.connect(running.address())
        listener.bind(connection.getsockname())
        listener.listen()
        control = Control(connection)
        assert control.read().code == 220
        assert control.codes("USER me", "PASS secret", "RETR file") == [331, 230, 150]
        data, caller = listener.accept()
        with data:
            assert receive(data) == CONTENT
        assert caller == ("127.0.0.1", running.address()[1] - 1)
        assert control.read().code == 226
        assert running.await_event(TransferFinished).mode == "DEFAULT"


@pytest.mark.req("S-959-DP-2", "S-959-PORT-1", "S-959-T-3")
def test_an_active_connection_comes_from_the_port_before_the_control_port(control: Control, running: Running) -> None:
    with control.active("PORT") as listener:
        assert control.ask("RETR file").code == 150
        data, caller = listener.accept()
        with data:
            assert receive(data) == CONTENT
        assert caller == ("127.0.0.1", running.address()[1] - 1)


@pytest.mark.req("S-959-DP-2")
def test_the_source_port_of_active_connections_can_be_chosen(root: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        free = probe.getsockname()[1]
    with served(root, active_source_port=free) as running, running.login() as control, control.active() as listener:
        assert control.ask("NLST").code == 150
        data, caller = listener.accept()
        data.close()
        assert caller[1] == free


@pytest.mark.req("S-959-DP-2")
def test_where_the_source_port_cannot_be_had_any_other_serves_and_the_operator_is_told(root: Path) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        served(root, active_source_port=taken.getsockname()[1]) as running,
        running.login() as control,
        control.active() as listener,
    ):
        assert control.ask("RETR file").code == 150
        data, caller = listener.accept()
        with data:
            assert receive(data) == CONTENT
        assert caller[1] not in {taken.getsockname()[1], 0}
        assert control.read().code == 226
        notice = running.await_event(Noticed, lambda event: event.topic == "active-source-port")
        assert str(taken.getsockname()[1]) in notice.message


@pytest.mark.req("S-959-DP-4", "S-959-T-9")
@pytest.mark.parametrize("command", ["PORT", "EPRT"])
def test_port_serves_many_transfers(control: Control, command: str) -> None:
    with control.active(command) as listener:
        for _ in range(3):
            assert control.ask("RETR file").code == 150
            data, _ = listener.accept()
            with data:
                assert receive(data) == CONTENT
            assert control.read().code == 226
        assert control.ask("RETR missing").code == 550
        assert uncalled(listener)


@pytest.mark.req("S-959-DC-2")
@pytest.mark.parametrize("command", ["RETR missing", "STOR missing/x", "APPE /", "LIST missing", "NLST missing"])
def test_the_server_does_not_call_for_what_it_refuses(control: Control, command: str) -> None:
    with control.active() as listener:
        assert control.ask(command).code in {450, 550, 553}
        assert control.ask("NOOP").code == 200
        assert uncalled(listener)


MALFORMED = [
    "", "x", "1,2,3,4,5", "1,2,3,4,5,6,7", "127,0,0,1,256,1", "127,0,0,1,1,256", "256,0,0,1,4,1", "127,0,0,1,4",
    "127,0,0,-1,4,1", "127,0,0,1,4,x", "127.0.0.1,4,1", "127,0,0,1,,1", ",,,,,", "127,0,0,1,0x4,1", "127,0,0,1,4,1,",
    "127,0,0,1,4 1", "(127,0,0,1,4,1)", "\u0661\u0662\u0667,0,0,1,4,1", "9" * 5000, "127,0,0,1,0,0", "127;0;0;1;4;1",
]  # fmt: skip


@pytest.mark.req("S-959-PORT-1", "S-959-T-3", "S-ERR-2")
@pytest.mark.parametrize("argument", MALFORMED)
def test_a_malformed_port_is_refused_and_leaves_no_older_one_in_force(control: Control, argument: str) -> None:
    with control.active("PORT") as listener:
        refusal = control.ask(f"PORT {argument}")
        assert refusal.code == 501
        if argument:  # a line without argument is no attempt to set a port
            assert control.codes("RETR file") == [150]
            assert control.read().code == 425
            assert uncalled(listener)


@pytest.mark.req("S-2577-PORT-2", "S-2577-EPRT-5")
@pytest.mark.parametrize("port", [1, 22, 25, 1023])
def test_the_server_calls_no_port_below_1024(control: Control, port: int) -> None:
    assert control.ask(f"PORT 127,0,0,1,{port >> 8},{port & 255}").code == 504
    assert control.ask(f"EPRT |1|127.0.0.1|{port}|").code == 504
    assert control.codes("RETR file") == [150]
    assert control.read().code == 425


@pytest.mark.req("S-2577-PORT-3", "S-2577-EPRT-5")
@pytest.mark.parametrize("command", ["PORT {}", "EPRT |1|127.0.0.2|{}|", "EPRT |2|::ffff:127.0.0.2|{}|"])
def test_the_server_calls_no_third_party(control: Control, command: str) -> None:
    with socket.create_server(("127.0.0.2", 0)) as victim:
        address = victim.getsockname()
        argument = port_argument(address) if command.startswith("PORT") else address[1]
        assert control.ask(command.format(argument)).code in {501, 504}
        assert control.ask("RETR file").code == 150
        assert control.read().code == 425
        assert uncalled(victim)


@pytest.mark.req("S-2577-PORT-3", "S-2577-PASV-3")
def test_third_parties_are_served_where_the_operator_allows_it(root: Path) -> None:
    with served(root, allow_fxp=True) as running, running.login() as control:
        with socket.create_server(("127.0.0.2", 0)) as other:
            assert control.codes(f"PORT {port_argument(other.getsockname())}", "RETR file") == [200, 150]
            data, _ = other.accept()
            with data:
                assert receive(data) == CONTENT
            assert control.read().code == 226
        address = ("127.0.0.1", passive_port(control))
        with socket.create_connection(address, DEADLINE, ("127.0.0.3", 0)) as data:
            assert control.ask("RETR file").code == 150
            assert receive(data) == CONTENT
        assert control.read().code == 226


@pytest.mark.req("S-959-PORT-4", "S-DF-PASV-5")
def test_port_and_pasv_are_refused_over_ipv6(running: Running) -> None:
    with running.login(family=6) as control:
        assert control.codes("PORT 127,0,0,1,200,1", "PASV") == [501, 501]
        assert control.fetch("RETR file") == CONTENT


@pytest.mark.req("S-959-PORT-4", "S-2577-EPRT-5")
@pytest.mark.parametrize("mode", ["PORT", "PASV", "EPRT", "EPSV"])
def test_an_ipv4_client_of_an_ipv6_listener_is_one_of_ipv4(root: Path, mode: str) -> None:
    with served(root, listen=[("::", free_port())]) as running, connect("127.0.0.1", running) as control:
        assert control.fetch("RETR file", mode) == CONTENT


@pytest.mark.req("S-1123-DP-3")
def test_a_multihomed_server_uses_the_address_of_the_control_connection(root: Path) -> None:
    with served(root, listen=[("0.0.0.0", free_port())]) as running, connect("127.0.0.2", running) as control:
        assert control.ask("PASV").text.split("(")[1].startswith("127,0,0,2,")
        port = passive_port(control)
        assert is_closed(("127.0.0.1", port))
        with socket.create_connection(("127.0.0.2", port), DEADLINE) as data:
            assert control.ask("RETR file").code == 150
            assert receive(data) == CONTENT
        assert control.read().code == 226
        with control.active("PORT") as listener:
            assert control.ask("RETR file").code == 150
            data, caller = listener.accept()
            data.close()
            assert caller == ("127.0.0.2", running.server.addresses[0][1] - 1)


@pytest.mark.req("S-959-DC-3", "S-ERR-6", "S-959-T-9")
@pytest.mark.parametrize("command", ["RETR file", "STOR new", "NLST"])
def test_a_call_that_is_refused_is_told_with_its_cause(running: Running, control: Control, command: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = listener.getsockname()
    assert control.codes(f"PORT {port_argument(address)}", command) == [200, 150]
    reply = control.read()
    assert reply.code == 425
    assert Cause.ACTIVE_REJECTED in reply.text
    failure = running.await_event(TransferFailed)
    assert (failure.code, failure.cause, failure.mode) == (425, Cause.ACTIVE_REJECTED, "PORT")
    assert control.fetch("RETR file") == CONTENT


@pytest.mark.req("S-DF-DC-9", "S-959-DC-3")
def test_a_call_that_is_not_answered_ends_in_time(root: Path) -> None:
    with (
        served(root, data_connect_timeout=SHORT) as running,
        running.login() as control,
        socket.create_server(("127.0.0.1", 0), backlog=0) as full,
        socket.create_connection(full.getsockname(), DEADLINE),
    ):
        assert control.codes(f"PORT {port_argument(full.getsockname())}", "RETR file") == [200, 150]
        reply = control.read()
        assert reply.code == 425
        assert Cause.ACTIVE_DROPPED in reply.text
        assert running.await_event(TransferFailed).cause == Cause.ACTIVE_DROPPED
        assert control.fetch("RETR file") == CONTENT


# Passive


@pytest.mark.req("S-959-PASV-1", "S-959-T-4")
def test_the_reply_to_pasv_names_an_address_and_a_port(control: Control) -> None:
    reply = control.ask("PASV")
    assert reply.code == 227
    match = re.fullmatch(r"Entering Passive Mode \(127,0,0,1,([0-9]{1,3}),([0-9]{1,3})\)\.", reply.text)
    assert match
    assert all(int(number) < 256 for number in match.groups())


@pytest.mark.req("S-2577-PASV-2")
def test_passive_ports_are_drawn_at_random_from_the_range(root: Path) -> None:
    ports = range(50_000, 50_400)
    with served(root, passive_ports=ports) as running, running.login() as control:
        drawn = [passive_port(control, command) for command in ["PASV", "EPSV"] * 100]
        assert set(drawn) <= set(ports)
        assert len(set(drawn)) > 100
        steps = {second - first for first, second in pairwise(drawn)}
        assert len(steps) > 100


@pytest.mark.req("S-2577-PASV-2", "S-959-T-4", "S-ERR-6", "S-ERR-8")
def test_when_no_passive_port_is_free_the_client_is_told_at_once(root: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        only = probe.getsockname()[1]
    with (
        served(root, passive_ports=range(only, only + 1)) as running,
        running.login() as first,
        running.login() as second,
    ):
        assert passive_port(first) == only
        for command in ("PASV", "EPSV"):
            reply = second.ask(command)
            assert reply.code == 425
            assert Cause.PASSIVE_EXHAUSTED in reply.text
        assert running.server.pool.exhausted == 2
        assert passive_port(first) == only, "the old listener is closed before the new one is made"
        assert first.ask("ABOR").code == 226
        assert second.fetch("RETR file", "PASV") == CONTENT


@pytest.mark.req("S-1123-DP-5")
@pytest.mark.parametrize("command", ["PASV", "EPSV"])
def test_a_passive_port_serves_one_transfer(control: Control, command: str) -> None:
    port = passive_port(control, command)
    with socket.create_connection(("127.0.0.1", port), DEADLINE) as data:
        assert control.ask("RETR file").code == 150
        assert receive(data) == CONTENT
    assert control.read().code == 226
    assert is_closed(("127.0.0.1", port))
    assert control.ask("RETR file").code == 150
    assert control.read().code == 425


@pytest.mark.req("S-1123-DP-5", "S-959-DP-6", "S-959-DC-5")
@pytest.mark.parametrize("second", ["PASV", "EPSV", "PORT", "EPRT"])
@pytest.mark.parametrize("first", ["PASV", "EPSV"])
def test_the_last_data_port_wins_over_a_listener(control: Control, first: str, second: str) -> None:
    old = ("127.0.0.1", passive_port(control, first))
    with socket.create_connection(old, DEADLINE) as early:
        assert control.fetch("RETR file", second) == CONTENT
        assert ends(early)
    assert is_closed(old)


@pytest.mark.req("S-959-DP-6")
@pytest.mark.parametrize("second", ["PASV", "EPSV", "PORT", "EPRT"])
@pytest.mark.parametrize("first", ["PORT", "EPRT"])
def test_the_last_data_port_wins_over_a_port(control: Control, first: str, second: str) -> None:
    with control.active(first) as old:
        assert control.fetch("RETR file", second) == CONTENT
        assert uncalled(old)


@pytest.mark.req("S-2577-PASV-3")
@pytest.mark.parametrize("moment", ["before the command", "after the command"])
@pytest.mark.parametrize("command", ["PASV", "EPSV"])
def test_a_foreign_caller_is_dropped_and_the_client_still_served(running: Running, command: str, moment: str) -> None:
    with running.login() as control:
        address = ("127.0.0.1", passive_port(control, command))
        if moment == "after the command":
            assert control.ask("STOR new").code == 150
        with socket.create_connection(address, DEADLINE, ("127.0.0.3", 0)) as foreign:
            foreign.sendall(b"forged")
            if moment == "before the command":
                assert control.ask("STOR new").code == 150
            notice = running.await_event(Noticed, lambda event: event.topic == Cause.DATA_PEER_REFUSED)
            assert "127.0.0.3" in notice.message
            assert ends(foreign)
        with socket.create_connection(address, DEADLINE) as data:
            data.sendall(CONTENT)
        assert control.read().code == 226
        assert control.fetch("RETR new") == CONTENT


@pytest.mark.req("S-2577-PASV-3", "S-DF-DC-9")
def test_when_only_a_foreigner_called_the_reply_says_so(root: Path) -> None:
    with served(root, data_connect_timeout=SHORT) as running, running.login() as control:
        address = ("127.0.0.1", passive_port(control))
        with socket.create_connection(address, DEADLINE, ("127.0.0.3", 0)):
            assert control.ask("RETR file").code == 150
            reply = control.read()
        assert reply.code == 425
        assert Cause.DATA_PEER_REFUSED in reply.text
        assert running.await_event(TransferFailed).cause == Cause.DATA_PEER_REFUSED


@pytest.mark.req("S-DF-PASV-4")
def test_another_address_can_be_announced_to_some_networks(root: Path) -> None:
    rules = (Announce("", clients="127.0.0.8/29"), Announce("192.0.2.7", clients="127.0.0.2/31"), Announce("192.0.2.8"))
    with served(root, announce=rules, passive_ports=range(50_400, 50_500)) as running:
        for source, announced in (("127.0.0.9", "127,0,0,1"), ("127.0.0.2", "192,0,2,7"), ("127.0.0.1", "192,0,2,8")):
            with running.login(source=(source, 0)) as control:
                assert control.ask("PASV").text.split("(")[1].startswith(f"{announced},")
                with socket.create_connection(("127.0.0.1", passive_port(control)), DEADLINE, (source, 0)) as data:
                    assert control.ask("RETR file").code == 150
                    assert receive(data) == CONTENT


@pytest.mark.req("S-DF-PASV-4", "S-2577-PASV-2")
def test_ports_and_announced_address_can_be_changed_while_the_server_runs(running: Running) -> None:
    server = running.server
    ports = range(50_500, 50_600)
    settings = server.settings.replace(announce=(Announce("192.0.2.7"),), passive_ports=ports)
    with running.login() as control:
        old = passive_port(control)
        running.call(lambda: server.reconfigure(settings, server.accounts))
        with socket.create_connection(("127.0.0.1", old), DEADLINE) as data:
            assert control.ask("RETR file").code == 150
            assert receive(data) == CONTENT
        assert control.read().code == 226
        assert control.ask("PASV").text.split("(")[1].startswith("192,0,2,7,")
        assert passive_port(control) in ports


@pytest.mark.req("S-DF-PASV-6", "S-959-DC-1")
@pytest.mark.parametrize("moment", ["before", "after"])
def test_the_client_may_call_before_or_after_its_command(control: Control, moment: str) -> None:
    address = ("127.0.0.1", passive_port(control))
    if moment == "before":
        data = socket.create_connection(address, DEADLINE)
        assert control.ask("RETR file").code in {125, 150}
    else:
        assert control.ask("RETR file").code in {125, 150}
        data = socket.create_connection(address, DEADLINE)
    with data:
        assert receive(data) == CONTENT
    assert control.read().code == 226


@pytest.mark.req("S-DF-PASV-6", "S-959-DC-7")
def test_an_upload_may_be_over_before_the_server_looks(control: Control, root: Path) -> None:
    with socket.create_connection(("127.0.0.1", passive_port(control)), DEADLINE) as data:
        data.sendall(CONTENT)
    assert control.ask("STOR new").code in {125, 150}
    assert control.read().code == 226
    assert (root / "new").read_bytes() == CONTENT


@pytest.mark.req("S-DF-DC-9", "S-959-DC-3", "S-ERR-6")
@pytest.mark.parametrize("command", ["RETR file", "STOR new", "LIST"])
def test_when_nobody_calls_the_session_goes_on(root: Path, command: str) -> None:
    with served(root, data_connect_timeout=SHORT) as running, running.login() as control:
        begun = time.monotonic()
        port = passive_port(control)
        assert control.ask(command).code == 150
        reply = control.read()
        assert time.monotonic() - begun > SHORT / 2
        assert reply.code == 425
        assert Cause.PASSIVE_DROPPED in reply.text
        assert running.await_event(TransferFailed).cause == Cause.PASSIVE_DROPPED
        assert is_closed(("127.0.0.1", port))
        assert control.fetch("RETR file") == CONTENT
        assert not (root / "new").exists()


@pytest.mark.req("S-DF-DC-9")
def test_an_unused_listener_expires_and_the_session_does_not(root: Path) -> None:
    with served(root, data_connect_timeout=SHORT / 4) as running, running.login() as control:
        address = ("127.0.0.1", passive_port(control))
        begun = time.monotonic()
        while running.call(lambda: running.server.pool.in_use):
            assert time.monotonic() - begun < DEADLINE
        assert is_closed(address)
        assert "closed unused" in control.ask("STAT").text
        assert control.ask("RETR file").code == 150
        assert control.read().code == 425
        assert control.fetch("RETR file") == CONTENT


@pytest.mark.req("S-DF-DC-9")
def test_the_time_for_data_connections_is_half_a_minute_to_a_minute(running: Running) -> None:
    assert 30 <= running.server.settings.data_connect_timeout <= 60


# Broken


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


@pytest.mark.req("S-959-DC-4", "S-ERR-6", "S-959-DC-5")
@pytest.mark.parametrize("size", [100_000, 8 << 20])
def test_a_download_that_is_reset_is_told(running: Running, control: Control, root: Path, size: int) -> None:
    (root / "long").write_bytes(bytes(size))
    data = control.passive()
    data.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    assert control.ask("RETR long").code == 150
    data.recv(1)
    reset(data)
    assert control.read().code == 426
    failure = running.await_event(TransferFailed)
    assert (failure.code, failure.cause) == (426, Cause.DATA_CUT)
    assert control.fetch("RETR file") == CONTENT


@pytest.mark.req("S-959-DC-4", "S-959-T-7")
@pytest.mark.parametrize("size", [1, 100_000, 2 << 20])
def test_an_upload_that_is_reset_is_told_and_the_old_file_stays(
    running: Running, control: Control, root: Path, size: int
) -> None:
    with control.passive() as data:
        assert control.ask("STOR file").code == 150
        data.sendall(bytes(size))
        while f"{size} octets so far" not in control.ask("STAT").text:
            pass
        reset(data)
    assert control.read().code == 426
    assert running.await_event(TransferFailed).cause == Cause.DATA_CUT
    assert (root / "file").read_bytes() == CONTENT


class BrokenSource(MemorySource):
    """A file on a disk that cannot be read."""

    def read(self, size: int, offset: int) -> bytes:
        raise StorageFault(detail="Input/output error")

    def read_cached(self, size: int, offset: int) -> bytes | None:
        return None


class BrokenUpload(MemoryUpload):
    def write(self, data: bytes | memoryview) -> None:
        raise StorageFault(detail="Input/output error")


class UncommittedUpload(MemoryUpload):
    def commit(self) -> Any:
        raise StorageFault(detail="Input/output error")


class BrokenStorage(MemoryStorage):
    """A store on a disk that fails in the way the name of a file says."""

    def open(self, path: str, *, owner: str | None = None) -> MemorySource:
        source = super().open(path, owner=owner)
        return BrokenSource(self._tree, source._file) if path == "/broken" else source

    def create(self, path: str, *, intent: Intent, owner: str, offset: int = 0) -> MemoryUpload:
        if path == "/no-room":
            raise NoSpace(path)
        if path == "/emfile":
            raise OSError(errno.EMFILE, "Too many open files")
        kinds: dict[str, Callable[..., MemoryUpload]] = {"/unwritable": BrokenUpload, "/uncommitted": UncommittedUpload}
        return kinds.get(path, MemoryUpload)(self._tree, path, intent=intent, owner=owner, offset=offset)


@pytest.fixture
def broken() -> Iterator[Running]:
    storage = BrokenStorage(capacity=100_000)
    accounts = MemoryAccounts.sharing(storage, {"me": "secret"}, write=True)
    with serving(storage, accounts=accounts) as running:
        yield running


@pytest.mark.req("S-959-DC-4")
@pytest.mark.parametrize("command", ["STOR new", "RETR file"])
def test_a_client_that_resets_its_connection_before_the_command_is_no_fault(
    running: Running, control: Control, command: str
) -> None:
    reset(control.passive())
    assert control.ask(command).code == 150
    assert control.read().code == 426
    assert not [event for event in running.recorded if isinstance(event, Noticed) and event.topic == "fault"]


@pytest.mark.req("S-959-DC-4", "S-ERR-5", "S-959-DC-5")
@pytest.mark.parametrize("name", ["unwritable", "uncommitted"])
def test_a_fault_of_the_disk_during_an_upload_is_451(broken: Running, name: str) -> None:
    with broken.login() as control, control.passive() as data:
        assert control.ask(f"STOR {name}").code == 150
        data.sendall(CONTENT)
        data.shutdown(socket.SHUT_WR)
        assert control.read().code == 451
        assert broken.await_event(TransferFailed).cause == "storage"
        assert data.recv(1) == b""
        assert control.ask(f"SIZE {name}").code == 550


@pytest.mark.req("S-959-DC-4", "S-ERR-5", "S-959-T-9")
def test_a_fault_of_the_disk_during_a_download_is_451(broken: Running) -> None:
    with broken.login() as control:
        assert control.store("STOR broken", CONTENT).code == 226
        with control.passive() as data:
            assert control.ask("RETR broken").code == 150
            assert control.read().code == 451
            assert data.recv(1) == b""


@pytest.mark.req("S-959-DC-4", "S-ERR-5", "S-959-STOR-3", "S-959-T-7", "S-959-DC-5")
@pytest.mark.parametrize("kind", ["I", "A"])
def test_a_full_disk_is_452_before_and_552_during_an_upload(broken: Running, kind: str) -> None:
    with broken.login() as control:
        assert control.ask(f"TYPE {kind}").code == 200
        with control.passive():
            assert control.ask("STOR no-room").code == 452
        with control.passive() as data:
            assert control.ask("STOR large").code == 150
            with suppress(BrokenPipeError, ConnectionResetError):
                data.sendall(bytes(1 << 20))
            assert control.read().code == 552
        assert control.ask("SIZE large").code == 550
        assert control.store("STOR small", CONTENT).code == 226


@pytest.mark.req("S-SEC-6", "S-ERR-5")
def test_a_fault_nobody_foresaw_tells_the_client_nothing_and_the_operator_all(broken: Running) -> None:
    with broken.login() as control, control.passive():
        reply = control.ask("STOR emfile")
        assert reply.code == 451
        assert "many" not in reply.text
        notice = broken.await_event(Noticed, lambda event: event.topic == "fault")
        assert "Too many open files" in notice.message
        assert control.ask("NOOP").code == 200


# Whole


@pytest.mark.req("S-959-DC-7")
def test_a_stored_file_is_there_when_the_reply_is(control: Control) -> None:
    for size in (0, 1, 70_000, 3 << 20):
        assert control.store("STOR new", bytes(size)).code == 226
        assert control.ask("SIZE new").text == str(size)


@pytest.mark.req("S-DF-DC-8")
@pytest.mark.parametrize("size", [0, 5, 60_000, 3 << 20])
@pytest.mark.parametrize("command", ["RETR sized", "LIST"])
def test_what_a_receiver_sends_against_the_rules_costs_it_no_data(
    control: Control, root: Path, command: str, size: int
) -> None:
    (root / "sized").write_bytes(bytes(size))
    with control.passive() as data:
        data.sendall(b"nobody wants this" * 1000)
        assert control.ask(command).code == 150
        received = receive(data)
    assert control.read().code == 226
    assert len(received) == size if command == "RETR sized" else received.endswith(b"sized\r\n")


@pytest.mark.req("S-DF-DC-8")
@pytest.mark.parametrize("size", [0, 5, 60_000, 3 << 20])
def test_a_slow_reader_that_waits_for_226_still_gets_all(control: Control, root: Path, size: int) -> None:
    """The reply may come before the end of the data was read, but nothing may be lost then."""
    (root / "sized").write_bytes(bytes(size))
    with control.passive() as data:
        assert control.ask("RETR sized").code == 150
        received = len(data.recv(1))
        if size < 100_000:
            assert control.read().code == 226
            control.send("NOOP")
            received += len(receive(data))
            assert control.read().code == 200
        else:
            received += len(receive(data))
            assert control.read().code == 226
    assert received == size


@pytest.mark.req("S-959-DC-5")
def test_the_data_connection_is_closed_at_the_end_of_a_transfer(control: Control) -> None:
    with control.passive() as data:
        assert control.ask("RETR file").code == 150
        assert receive(data) == CONTENT
        assert control.read().code == 226
    with control.passive() as data:
        assert control.ask("STOR new").code == 150
        data.shutdown(socket.SHUT_WR)
        assert data.recv(1) == b""
        assert control.read().code == 226
