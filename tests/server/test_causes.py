"""What the server knows about why a data connection or the session failed: in its replies, its events and its log."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from fairlead.accounts.memory import MemoryAccounts
from fairlead.events import ControlLost, PassiveUncalled, Refused, TransferFailed
from fairlead.reach.cause import Cause
from fairlead.reach.private import is_private
from fairlead.server import punctual
from fairlead.storage.local import LocalStorage
from tests.certificates import Pair
from tests.server.secure import login, protected, trusting
from tests.server.session import DEADLINE, Control, Running, reset, serving

SHORT = 0.25
PUBLIC, INNER = "203.0.113.9", "10.0.0.5"


@pytest.fixture(autouse=True)
def file(root: Path) -> None:
    (root / "file").write_bytes(b"content")


@contextmanager
def served(root: Path, **settings: Any) -> Iterator[Running]:
    storage = LocalStorage(root, durability="relaxed")
    accounts = MemoryAccounts.sharing(storage, {"me": "secret"}, write=True)
    with serving(storage, accounts=accounts, login_delay=0, **settings) as running:
        yield running


@contextmanager
def from_outside(running: Running) -> Iterator[Control]:
    """A session of a client with a public address, which called the server at a private one."""
    connection = socket.create_connection(running.address(), DEADLINE)
    connection.sendall(f"PROXY TCP4 {PUBLIC} {INNER} 40000 21\r\n".encode())
    with Control(connection) as control:
        assert control.read().code == 220
        assert control.codes("USER me", "PASS secret") == [331, 230]
        yield control


def await_uncalled(running: Running) -> PassiveUncalled:
    event = running.await_event(PassiveUncalled)
    assert isinstance(event, PassiveUncalled)
    return event


def test_addresses_of_a_network_are_told_from_those_of_the_world() -> None:
    private = ["10.0.0.5", "172.31.0.1", "192.168.1.1", "100.64.0.1", "127.0.0.1", "::1", "fe80::1%eth0", "fd00::1"]
    public = ["203.0.113.7", "8.8.8.8", "172.32.0.1", "2001:db8::1", "ftp.example.com", ""]
    assert [is_private(host) for host in private + public] == [True] * len(private) + [False] * len(public)


# Nobody called


@pytest.mark.parametrize("command", ["EPSV", "PASV"])
@pytest.mark.parametrize("after", ["EPSV", "PASV", "ABOR", "QUIT", None])
def test_a_port_that_was_given_up_uncalled_is_an_event(
    running: Running, control: Control, command: str, after: str | None
) -> None:
    port = control.ask(command).text
    if after is None:
        control.close()
    else:
        control.ask(after)
    event = await_uncalled(running)
    assert (event.mode, event.user, event.cause) == (command, "me", Cause.PASSIVE_DROPPED)
    assert str(event.port) in port or f",{event.port >> 8},{event.port & 255})" in port


@pytest.mark.parametrize("lines", [["RETR missing"], ["PWD", "TYPE I"], ["NOOP", "PWD"]])
def test_a_port_that_was_not_needed_is_none(running: Running, control: Control, lines: list[str]) -> None:
    assert control.codes("EPSV", *lines, "EPSV", "PWD", "PWD")
    control.close()
    running.await_idle()
    assert not [event for event in running.recorded if isinstance(event, PassiveUncalled)]


def test_a_port_that_was_called_is_none(running: Running, control: Control) -> None:
    with control.passive(), control.passive():
        assert control.fetch("RETR file") == b"content"
    control.close()
    running.await_idle()
    assert not [event for event in running.recorded if isinstance(event, PassiveUncalled)]


def test_a_port_that_somebody_else_called_says_who(running: Running, control: Control) -> None:
    port = int(control.ask("EPSV").text.split("|")[3])
    with socket.create_connection(("127.0.0.1", port), DEADLINE, ("127.0.0.3", 0)):
        control.ask("ABOR")
        event = await_uncalled(running)
    assert event.cause == Cause.DATA_PEER_REFUSED
    assert "127.0.0.3" in event.reason


def test_a_port_that_expires_uncalled_is_an_event(root: Path) -> None:
    with served(root, data_connect_timeout=SHORT / 4) as running, running.login() as control:
        control.ask("EPSV")
        assert await_uncalled(running).seconds >= SHORT / 4


def test_under_tls_the_reply_says_that_no_helper_can_open_the_port(storage: LocalStorage, pair: Pair) -> None:
    with (
        protected(storage, pair, data_connect_timeout=SHORT) as running,
        login(running, trusting(pair.certificate)) as control,
    ):
        assert control.codes("EPSV", "RETR file") == [229, 150]
        reply = control.read()
        assert reply.code == 425
        assert "under TLS" in reply.text
        assert reply.text.endswith(f"({Cause.PASSIVE_DROPPED})")


def test_a_private_address_in_227_is_the_cause_for_a_client_outside(root: Path) -> None:
    with (
        served(root, data_connect_timeout=SHORT, proxy_from=("127.0.0.1",)) as running,
        from_outside(running) as control,
    ):
        assert control.codes("PASV", "LIST") == [227, 150]
        reply = control.read()
        assert reply.code == 425
        assert INNER in reply.text
        assert reply.text.endswith(f"({Cause.PASSIVE_PRIVATE_ADDRESS})")
        assert running.await_event(TransferFailed).cause == Cause.PASSIVE_PRIVATE_ADDRESS
        assert control.codes("EPSV", "LIST") == [229, 150]
        assert control.read().text.endswith(f"({Cause.PASSIVE_DROPPED})")


# The server does not call


@pytest.mark.parametrize(
    ("command", "cause"),
    [
        ("PORT 192,168,1,5,200,1", Cause.ACTIVE_PRIVATE_ADDRESS),
        ("EPRT |1|192.168.1.5|5000|", Cause.ACTIVE_PRIVATE_ADDRESS),
        ("PORT 203,0,113,10,200,1", Cause.REFUSED_BY_POLICY),
        ("PORT 203,0,113,9,0,25", Cause.REFUSED_BY_POLICY),
    ],
)
def test_a_port_that_is_refused_names_the_cause(root: Path, command: str, cause: Cause) -> None:
    with served(root, proxy_from=("127.0.0.1",)) as running, from_outside(running) as control:
        reply = control.ask(command)
        assert reply.code == 504
        assert reply.text.endswith(f"({cause})")
        event = running.await_event(Refused)
        assert (event.code, event.cause, event.verb) == (504, cause, command[:4])


def test_active_mode_that_is_switched_off_is_policy(root: Path) -> None:
    with served(root, active=False) as running, running.login() as control:
        reply = control.ask("PORT 127,0,0,1,200,1")
        assert (reply.code, reply.text.endswith(f"({Cause.REFUSED_BY_POLICY})")) == (504, True)
        assert running.await_event(Refused, lambda event: event.verb == "PORT").cause == Cause.REFUSED_BY_POLICY
        reply = control.ask("RETR file")
        assert (reply.code, reply.text.endswith(f"({Cause.REFUSED_BY_POLICY})")) == (425, True)
        assert running.await_event(Refused, lambda event: event.verb == "RETR").cause == Cause.REFUSED_BY_POLICY


@pytest.mark.parametrize("failure", [errno.ETIMEDOUT, errno.EHOSTUNREACH])
def test_a_private_address_that_may_be_called_and_cannot_be_is_the_cause(
    root: Path, failure: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Unconnected(socket.socket):
        def connect_ex(self, _: object) -> int:
            return failure

    with served(root, data_connect_timeout=SHORT, proxy_from=("127.0.0.1",), allow_fxp=True) as running:
        with from_outside(running) as control:
            assert control.ask("PORT 192,168,1,5,200,1").code == 200
            monkeypatch.setattr("fairlead.server.data.socket.socket", Unconnected)
            assert control.ask("LIST").code == 150
            reply = control.read()
        assert reply.code == 425
        assert reply.text.endswith(f"({Cause.ACTIVE_PRIVATE_ADDRESS})")


def test_a_call_for_which_no_descriptor_is_left_is_no_fault_of_the_client(
    running: Running, control: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none_left(*_: object) -> socket.socket:
        raise OSError(errno.EMFILE, "Too many open files")

    with control.active():
        monkeypatch.setattr("fairlead.server.data.socket.socket", none_left)
        assert control.ask("RETR file").code == 150
        reply = control.read()
    assert (reply.code, "descriptor" in reply.text) == (425, True)
    assert running.await_event(TransferFailed).cause == "descriptors"


# The control connection


def test_a_control_connection_that_is_reset_is_lost(running: Running) -> None:
    control = running.login()
    reset(control.socket)
    event = running.await_event(ControlLost)
    assert (event.user, event.cause) == ("me", Cause.CONTROL_LOST)


def test_a_control_connection_that_ends_is_not_lost(running: Running) -> None:
    running.login().close()
    with running.login() as control:
        assert control.ask("QUIT").code == 221
    running.await_idle()
    assert not [event for event in running.recorded if isinstance(event, ControlLost)]


@pytest.mark.parametrize(("last", "cause"), [("RETR file", Cause.CONTROL_FORGOTTEN), ("PWD", Cause.CONTROL_LOST)])
def test_an_idle_client_that_never_took_the_last_reply_was_forgotten(
    root: Path, last: str, cause: Cause, monkeypatch: pytest.MonkeyPatch
) -> None:
    with served(root, idle_timeout=SHORT) as running, running.login() as control:
        if last == "PWD":
            assert control.ask("PWD").code == 257
        else:
            control.fetch(last)
        monkeypatch.setattr(punctual, "unacknowledged", lambda _: 24)
        assert running.await_event(ControlLost).cause == cause
