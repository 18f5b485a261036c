"""Behind a load balancer that says, by the PROXY protocol, for whom it calls."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import uvloop

from fairlead.accounts.memory import MemoryAccounts
from fairlead.events import LoginSucceeded, Noticed, SessionOpened, SessionRefused, TransferFailed, TransferFinished
from fairlead.proto.proxy import SIGNATURE
from fairlead.reach.cause import Cause
from fairlead.server import arrival, proxied
from fairlead.server.settings import Announce, Certificate, TlsSettings
from fairlead.storage.local import LocalStorage
from tests.certificates import Pair
from tests.server.secure import trusting
from tests.server.session import DEADLINE, Control, Running, free_port, receive, serving

CONTENT = b"content"
SHORT = 0.25
CLIENT, CALLED = "203.0.113.9", "198.51.100.7"
"""The client of the proxy, and the address at which it called the proxy."""
PROXY, STRANGER = "127.0.0.1", "127.0.0.3"


@pytest.fixture(autouse=True)
def file(root: Path) -> None:
    (root / "file").write_bytes(CONTENT)


@contextmanager
def behind(
    root: Path, run: Callable[[Coroutine[Any, Any, None]], None] = asyncio.run, /, **settings: Any
) -> Iterator[Running]:
    """A server that trusts the proxy at 127.0.0.1 and at ::1."""
    storage = LocalStorage(root, durability="relaxed")
    accounts = MemoryAccounts.sharing(storage, {"me": "secret"}, write=True)
    settings.setdefault("proxy_from", (PROXY, "::1"))
    with serving(storage, run, accounts=accounts, login_delay=0, **settings) as running:
        yield running


@pytest.fixture
def running(root: Path) -> Iterator[Running]:
    with behind(root) as made:
        yield made


def text(client: str = CLIENT, called: str = CALLED) -> bytes:
    """A header of version 1."""
    return f"PROXY TCP{6 if ':' in client else 4} {client} {called} 40000 21\r\n".encode()


def binary(client: str = CLIENT, called: str = CALLED) -> bytes:
    """A header of version 2, with a TLV."""
    body = ip_address(client).packed + ip_address(called).packed + (40_000).to_bytes(2) + (21).to_bytes(2)
    body += b"\x04\x00\x01x"
    return SIGNATURE + (b"\x21\x21" if ":" in client else b"\x21\x11") + len(body).to_bytes(2) + body


LOCAL = SIGNATURE + b"\x20\x00\x00\x00"


def call(address: tuple[str, int], header: bytes, source: str = PROXY) -> socket.socket:
    """A connection that begins with ``header``."""
    connection = socket.create_connection(address, DEADLINE, (source, 0) if ":" not in address[0] else None)
    connection.sendall(header)
    return connection


def log_in(running: Running, header: bytes, family: int = 4) -> Control:
    control = Control(call(running.address(family), header))
    assert control.read().code == 220
    assert control.codes("USER me", "PASS secret", "TYPE I") == [331, 230, 200]
    return control


def ends(connection: socket.socket) -> bool:
    """Whether the server closes ``connection`` without a word."""
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


def passive_port(control: Control) -> int:
    return int(control.ask("EPSV").text.split("|")[3])


@pytest.mark.parametrize("header", [text, binary])
@pytest.mark.parametrize("family", [4, 6])
def test_the_session_is_the_clients_own(running: Running, header: Callable[[], bytes], family: int) -> None:
    with log_in(running, header(), family) as control:
        assert f"Connected from {CLIENT} port 40000" in control.ask("STAT").text
        assert running.await_event(SessionOpened).local == f"{CALLED} port 21"
        assert running.await_event(LoginSucceeded).peer == CLIENT


@pytest.mark.parametrize("header", [text("2001:db8::9", "2001:db8::7"), binary("2001:db8::9", "2001:db8::7")])
def test_a_client_of_ipv6_is_served_over_a_proxy_of_ipv4(running: Running, header: bytes) -> None:
    with log_in(running, header) as control:
        assert control.codes("PASV") == [501]
        data = call((PROXY, passive_port(control)), header)
        assert control.ask("RETR file").code in {125, 150}
        with data:
            assert receive(data) == CONTENT
        assert control.read().code == 226


@pytest.mark.parametrize("header", [text(), binary()])
def test_a_header_may_come_octet_by_octet_and_commands_right_after_it(running: Running, header: bytes) -> None:
    connection = socket.create_connection(running.address(), DEADLINE)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for at in range(len(header) - 1):
        connection.sendall(header[at : at + 1])
        running.settle()
    connection.sendall(header[-1:] + b"USER me\r\nPASS secret\r\n")
    with Control(connection) as control:
        assert control.read_codes(3) == [220, 331, 230]


@pytest.mark.parametrize("loop", [asyncio, uvloop])
def test_tls_may_begin_in_the_same_segment_as_the_header(root: Path, pair: Pair, loop: ModuleType) -> None:
    listen = (("127.0.0.1", free_port()),)
    tls = TlsSettings(certificates=(Certificate(str(pair.certificate), str(pair.key)),), implicit=listen)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = trusting(pair.certificate, "1.3").wrap_bio(incoming, outgoing, server_hostname="localhost")
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    with (
        behind(root, loop.run, tls=tls) as running,
        call(running.server.addresses[-1], text() + outgoing.read()) as connection,
    ):
        incoming.write(connection.recv(65536))
        client.do_handshake()


@pytest.mark.parametrize("header", [LOCAL, b"PROXY UNKNOWN\r\n"])
def test_a_proxy_that_speaks_for_itself_is_the_client(running: Running, header: bytes) -> None:
    with Control(call(running.address(), header)) as control:
        assert control.read().code == 220
        assert running.await_event(SessionOpened).peer == PROXY


def test_a_proxy_that_only_looks_is_no_event(running: Running) -> None:
    with socket.create_connection(running.address(), DEADLINE) as connection:
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(1) == b""
    with log_in(running, text()):
        assert not [event for event in running.recorded if isinstance(event, SessionRefused)]


@pytest.mark.parametrize("data", [b"USER me\r\n", b"PROXY TCP4 x\r\n", SIGNATURE + b"\x31\x11\0\0"])
def test_a_proxy_without_a_header_is_cut(running: Running, data: bytes) -> None:
    with call(running.address(), data) as connection:
        assert ends(connection)
    assert "proxy_from" in running.await_event(SessionRefused).reason


def test_a_proxy_that_says_nothing_is_cut_in_time(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrival, "HEADER_TIME", SHORT)
    with behind(root) as running, socket.create_connection(running.address(), DEADLINE):
        assert "in time" in running.await_event(SessionRefused).reason


def test_a_server_that_stops_waits_for_no_header(running: Running) -> None:
    with socket.create_connection(running.address(), DEADLINE) as connection:
        running.await_condition(lambda: len(running.server.arrivals) == 1)
        running.stop(0).result(DEADLINE)
        assert ends(connection)


def test_others_are_clients_themselves(running: Running) -> None:
    with running.login(source=(STRANGER, 0)) as control:
        assert control.fetch("RETR file", "EPRT") == CONTENT
        assert running.await_event(LoginSucceeded).peer == STRANGER


@pytest.mark.parametrize("header", [text(), binary()])
@pytest.mark.parametrize("trusted", [("10.0.0.1",), ()])
def test_a_header_of_somebody_else_is_refused_and_told(root: Path, header: bytes, trusted: tuple[str, ...]) -> None:
    with behind(root, proxy_from=trusted) as running, Control(call(running.address(), header)) as control:
        while (reply := control.read()).code != 421:
            assert reply.code in {220, 500}
        assert "proxy_from" in running.await_event(Noticed, lambda event: event.topic == "proxy").message


def test_proxies_can_be_changed_while_the_server_runs(running: Running) -> None:
    server = running.server
    settings = server.settings.replace(proxy_from=(STRANGER,))
    running.call(lambda: server.reconfigure(settings, server.accounts))
    with running.login() as control:
        assert control.fetch("RETR file") == CONTENT
    with Control(call(running.address(), text(), STRANGER)) as control:
        assert control.read().code == 220
        assert running.await_event(SessionOpened, lambda event: event.peer == CLIENT)


def test_limits_and_networks_are_for_the_client(root: Path) -> None:
    with (
        behind(root, max_sessions_per_address=1, deny=("192.0.2.0/24",)) as running,
        log_in(running, text()),
        log_in(running, text("203.0.113.10")),
        Control(call(running.address(), text())) as second,
        Control(call(running.address(), text("192.0.2.1"))) as denied,
    ):
        assert second.read().code == 421
        assert denied.read().code == 421


def test_pasv_names_the_address_that_the_client_called(root: Path) -> None:
    rules = (Announce("192.0.2.7", clients="203.0.113.10"),)
    with behind(root, announce=rules) as running:
        with log_in(running, text()) as control:
            assert "(198,51,100,7," in control.ask("PASV").text
        with log_in(running, text("203.0.113.10")) as control:
            assert "(192,0,2,7," in control.ask("PASV").text


@pytest.mark.parametrize("moment", ["before", "after", "in pieces"])
@pytest.mark.parametrize("header", [text(), binary()])
def test_a_proxy_calls_for_data_on_behalf_of_the_client(running: Running, header: bytes, moment: str) -> None:
    with log_in(running, text()) as control:
        address = (PROXY, passive_port(control))
        first = header[:7] if moment == "in pieces" else header
        if moment == "after":
            assert control.ask("STOR new").code == 150
        with call(address, first) as data:
            if moment != "after":
                assert control.ask("STOR new").code in {125, 150}
            data.sendall(header[len(first) :] + CONTENT)
        assert control.read().code == 226
        assert running.await_event(TransferFinished).size == len(CONTENT)


@pytest.mark.parametrize(
    ("header", "why"),
    [
        (text("203.0.113.10"), "from 203.0.113.10, not from 203.0.113.9"),
        (b"CONTENT", "from 127.0.0.1, there is no PROXY header"),
        (LOCAL, "does not name the client"),
        (b"PROXY UNKNOWN\r\n", "does not name the client"),
        (None, "the connection ended"),
    ],
)
def test_other_calls_for_data_are_refused_and_the_client_still_served(
    running: Running, header: bytes | None, why: str
) -> None:
    with log_in(running, text()) as control:
        address = (PROXY, passive_port(control))
        assert control.ask("RETR file").code == 150
        with call(address, header or b"") as other:
            if header is None:
                other.shutdown(socket.SHUT_WR)
            notice = running.await_event(Noticed, lambda event: event.topic == Cause.DATA_PEER_REFUSED)
            assert why in notice.message
        with call(address, text()) as data:
            assert receive(data) == CONTENT
        assert control.read().code == 226


def test_the_client_itself_may_call_past_the_proxy(root: Path) -> None:
    with behind(root) as running, log_in(running, text(STRANGER)) as control:
        with socket.create_connection((PROXY, passive_port(control)), DEADLINE, (STRANGER, 0)) as data:
            assert control.ask("RETR file").code in {125, 150}
            assert receive(data) == CONTENT
        assert control.read().code == 226


def test_a_silent_call_does_not_keep_the_next_waiting_for_ever(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proxied, "HEADER_TIME", SHORT)
    with behind(root) as running, log_in(running, text()) as control:
        address = (PROXY, passive_port(control))
        assert control.ask("RETR file").code == 150
        with call(address, b"") as silent, call(address, text()) as data:
            assert receive(data) == CONTENT
            assert silent.recv(1) == b""
        assert control.read().code == 226


def test_when_only_a_silent_call_came_the_reply_says_so(root: Path) -> None:
    with behind(root, data_connect_timeout=SHORT) as running, log_in(running, text()) as control:
        address = (PROXY, passive_port(control))
        assert control.ask("RETR file").code == 150
        with call(address, text("203.0.113.10")):
            reply = control.read()
        assert (reply.code, Cause.DATA_PEER_REFUSED in reply.text) == (425, True)
        assert running.await_event(TransferFailed).cause == Cause.DATA_PEER_REFUSED


def test_active_mode_calls_the_client_and_not_the_proxy(root: Path) -> None:
    with behind(root) as running, log_in(running, text(STRANGER)) as control:
        with control.active("EPRT", STRANGER) as listener:
            assert control.ask("RETR file").code == 150
            data, caller = listener.accept()
            with data:
                assert receive(data) == CONTENT
            assert caller[0] == PROXY
        assert control.read().code == 226
        assert control.ask("EPRT |1|127.0.0.1|5000|").code == 504


def test_the_header_comes_before_tls(root: Path, pair: Pair) -> None:
    listen = (("127.0.0.1", free_port()),)
    tls = TlsSettings(certificates=(Certificate(str(pair.certificate), str(pair.key)),), implicit=listen)
    with behind(root, tls=tls) as running:
        connection = call(running.server.addresses[-1], binary())
        context = trusting(pair.certificate, "1.2")
        secured = context.wrap_socket(connection, server_hostname="localhost")
        with Control(secured) as control:
            assert control.read().code == 220
            assert control.codes("USER me", "PASS secret", "PBSZ 0", "PROT P", "TYPE I") == [331, 230, 200, 200, 200]
            plain = call((PROXY, passive_port(control)), text())
            assert control.ask("RETR file").code in {125, 150}
            with context.wrap_socket(plain, server_hostname="localhost", session=secured.session) as data:
                assert receive(data) == CONTENT
                assert isinstance(data, ssl.SSLSocket)
            assert control.read().code == 226
