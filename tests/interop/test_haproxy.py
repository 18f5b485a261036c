"""Behind a real load balancer, which says by the PROXY protocol for whom it calls, on both connections."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fairlead.accounts.memory import MemoryAccounts
from fairlead.events import LoginSucceeded, SessionOpened, TransferFinished
from fairlead.storage.local import LocalStorage
from tests.certificates import Pair, make
from tests.peers.process import DEADLINE, free_port, passive_ports, running
from tests.peers.programs import program
from tests.server.secure import Secure, settings, trusting
from tests.server.session import Control, Running, receive, serving

BALANCER = {4: "127.0.0.2", 6: "::1"}
CLIENT = {4: "127.0.0.77", 6: "::1"}
CONTENT = b"content" * 1000


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    return make(tmp_path_factory.mktemp("certificates"), "server", "localhost")


@contextmanager
def balancer(place: Path, version: str, public: int, private: int, ports: range) -> Iterator[None]:
    """HAProxy before a server at 127.0.0.1, for clients of both families, on the same passive ports."""
    send = {"1": "send-proxy", "2": "send-proxy-v2"}[version]
    span = f"{ports[0]}-{ports[-1]}"
    (place / "haproxy.cfg").write_text(
        f"""
defaults
  mode tcp
  timeout connect 5s
  timeout client 30s
  timeout server 30s
listen control
  bind {BALANCER[4]}:{public}
  bind [{BALANCER[6]}]:{public}
  server one 127.0.0.1:{private} {send}
listen data
  bind {BALANCER[4]}:{span}
  bind [{BALANCER[6]}]:{span}
  server one 127.0.0.1 {send}
"""
    )
    command = [program("haproxy"), "-db", "-f", str(place / "haproxy.cfg")]
    with running(command, log=place / "log") as process:
        deadline = time.monotonic() + DEADLINE
        while True:
            try:
                socket.create_connection((BALANCER[4], public), DEADLINE).close()
                break
            except ConnectionRefusedError:
                assert process.poll() is None, (place / "log").read_text()
                assert time.monotonic() < deadline
        yield


@contextmanager
def behind(tmp_path: Path, version: str, pair: Pair) -> Iterator[tuple[Running, int]]:
    """A server behind a balancer, and the port of the balancer."""
    root = tmp_path / "root"
    root.mkdir()
    (root / "file").write_bytes(CONTENT)
    ports, public, private = passive_ports(), free_port("127.0.0.1"), free_port("127.0.0.1")
    storage = LocalStorage(root, durability="relaxed")
    accounts = MemoryAccounts.sharing(storage, {"me": "secret"}, write=True)
    with (
        serving(
            storage,
            accounts=accounts,
            listen=(("127.0.0.1", private),),
            passive_ports=ports,
            proxy_from=("127.0.0.1",),
            tls=settings(pair),
        ) as server,
        balancer(tmp_path, version, public, private, ports),
    ):
        yield server, public


def connect(port: int, family: int) -> socket.socket:
    return socket.create_connection((BALANCER[family], port), DEADLINE, (CLIENT[family], 0))


@pytest.mark.parametrize("family", [4, 6])
@pytest.mark.parametrize("version", ["1", "2"])
def test_clients_are_known_by_their_own_addresses(tmp_path: Path, version: str, family: int, pair: Pair) -> None:
    with behind(tmp_path, version, pair) as (server, port), Control(connect(port, family)) as control:
        assert control.read().code == 220
        assert control.codes("USER me", "PASS secret", "TYPE I") == [331, 230, 200]
        assert server.await_event(LoginSucceeded).peer == CLIENT[family]
        opened = server.await_event(SessionOpened, lambda event: event.peer == CLIENT[family])
        assert opened.local == f"{BALANCER[family]} port {port}"
        if family == 4:
            assert "(127,0,0,2," in control.ask("PASV").text
        for command in ("RETR file", "NLST"):
            data = connect(int(control.ask("EPSV").text.split("|")[3]), family)
            assert control.ask(command).code in {125, 150}
            with data:
                assert receive(data) == (CONTENT if command == "RETR file" else b"file\r\n")
            assert control.read().code == 226


@pytest.mark.parametrize("version", ["1", "2"])
def test_the_header_comes_before_tls_on_both_connections(tmp_path: Path, version: str, pair: Pair) -> None:
    with (
        behind(tmp_path, version, pair) as (server, port),
        Secure(connect(port, 4), trusting(pair.certificate)) as control,
    ):
        assert control.read().code == 220
        control.auth()
        control.log_in()
        control.protect()
        data = connect(int(control.ask("EPSV").text.split("|")[3]), 4)
        assert control.ask("STOR new").code in {125, 150}
        with control.wrap(data) as protected:
            protected.sendall(CONTENT)
            protected.unwrap()
        assert control.read().code == 226
        assert server.await_event(TransferFinished).size == len(CONTENT)
