"""Address-based access control, for control connections and for data connections (RFC 2577 section 4)."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from fairlead.accounts.memory import MemoryAccounts
from fairlead.events import SessionRefused
from fairlead.storage.memory import MemoryStorage
from tests.server.session import DEADLINE, Control, Running, receive, serving


@pytest.fixture
def running() -> Iterator[Running]:
    """A server for third parties that keeps one address out."""
    storage = MemoryStorage()
    accounts = MemoryAccounts.sharing(storage, {"me": "secret"}, write=True)
    with serving(storage, accounts=accounts, allow_fxp=True, deny=("127.0.0.9",)) as server:
        yield server


@pytest.mark.req("S-2577-ACL-1")
def test_a_denied_address_gets_421(running: Running) -> None:
    with Control(socket.create_connection(running.address(), DEADLINE, ("127.0.0.9", 0))) as control:
        assert control.read().code == 421
        assert control.at_end()
    running.await_event(SessionRefused, lambda event: event.peer == "127.0.0.9")


@pytest.mark.req("S-2577-ACL-1")
def test_a_denied_address_is_not_called_even_where_third_parties_are(running: Running) -> None:
    with running.login() as control:
        assert control.ask("EPRT |1|127.0.0.8|5000|").code == 200
        assert control.ask("EPRT |1|127.0.0.9|5000|").code == 504
        assert control.ask("PORT 127,0,0,9,19,136").code == 504


@pytest.mark.req("S-2577-ACL-1")
def test_a_denied_address_cannot_call_a_passive_port(running: Running) -> None:
    with running.login() as control:
        port = int(control.ask("EPSV").text.split("|")[3])
        with socket.create_connection(("127.0.0.1", port), DEADLINE, ("127.0.0.9", 0)) as denied:
            control.send("LIST")
            assert control.read().code == 150
            assert denied.recv(1) == b""
            with socket.create_connection(("127.0.0.1", port), DEADLINE, ("127.0.0.8", 0)) as admitted:
                receive(admitted)
        assert control.read().code == 226
