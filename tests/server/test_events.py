"""What a server tells its subscribers: who logged in, what was transferred, and why something was not."""

from __future__ import annotations

from pathlib import Path

import pytest

from fairlead.events import (
    Bus,
    Changed,
    CommandReceived,
    DataConnected,
    Event,
    LoginFailed,
    LoginSucceeded,
    Noticed,
    Refused,
    ReplySent,
    SessionClosed,
    SessionOpened,
    TransferFailed,
    TransferFinished,
)
from fairlead.reach.cause import Cause
from tests.server.session import Running


def kinds(running: Running) -> list[type[Event]]:
    """The kinds of what was recorded, but for commands and replies."""
    return [type(event) for event in running.recorded if not isinstance(event, CommandReceived | ReplySent)]


@pytest.mark.req("S-1635-2")
def test_a_whole_session_is_told_in_order(running: Running, root: Path) -> None:
    with running.login() as control:
        assert control.store("STOR new", b"content").code == 226
        assert control.ask("DELE new").code == 250
        assert control.ask("RETR new").code == 550
        assert control.ask("QUIT").code == 221
    running.await_event(SessionClosed)
    told = [SessionOpened, LoginSucceeded, DataConnected, TransferFinished, Changed, Refused, SessionClosed]
    assert kinds(running) == told
    assert {(event.session, event.peer) for event in running.recorded} == {(1, "127.0.0.1")}
    assert not (root / "new").exists()


def test_a_login_is_told_without_its_password(running: Running) -> None:
    with running.login():
        login = running.await_event(LoginSucceeded)
    assert (login.user, login.anonymous, login.password) == ("me", False, None)


@pytest.mark.req("S-1635-2")
def test_the_address_an_anonymous_user_gives_is_told(running: Running) -> None:
    with running.login("ftp", "me@example.com"):
        login = running.await_event(LoginSucceeded)
    assert (login.user, login.anonymous, login.password) == ("anonymous", True, "me@example.com")


@pytest.mark.req("S-2577-USER-2")
@pytest.mark.parametrize("user", ["me", "nobody"])
def test_a_failed_login_is_told_alike_for_every_user(running: Running, user: str) -> None:
    with running.connect() as control:
        assert control.codes(f"USER {user}", "PASS wrong") == [331, 530]
    failure = running.await_event(LoginFailed)
    assert (failure.user, failure.reason) == (user, "Login incorrect.")


@pytest.mark.parametrize("mode", ["EPSV", "PASV", "EPRT", "PORT"])
def test_a_transfer_is_told_with_its_size_and_mode(running: Running, root: Path, mode: str) -> None:
    (root / "text").write_bytes(b"a\nb\n")
    with running.login() as control:
        assert control.ask("TYPE A").code == 200
        assert control.fetch("RETR text", mode) == b"a\r\nb\r\n"
        finished = running.await_event(TransferFinished)
    assert (finished.verb, finished.path, finished.size, finished.mode) == ("RETR", "/text", 6, mode)
    assert finished.user == "me"
    assert 0 <= finished.seconds < 10


@pytest.mark.parametrize(
    ("line", "verb", "path"),
    [
        ("LIST", "LIST", "/"),
        ("NLST below", "NLST", "/below"),
        ("MLSD below", "MLSD", "/below"),
        ("LIST -a", "LIST", "/"),
    ],
)
def test_listings_are_transfers_of_their_path(running: Running, root: Path, line: str, verb: str, path: str) -> None:
    (root / "below").mkdir()
    with running.login() as control:
        control.fetch(line)
        finished = running.await_event(TransferFinished)
    assert (finished.verb, finished.path) == (verb, path)


def test_a_transfer_that_fails_is_told_once_with_its_cause(running: Running, root: Path) -> None:
    (root / "file").write_bytes(b"content")
    with running.login() as control:
        assert control.ask("PORT 127,0,0,1,250,1").code == 200
        assert control.ask("RETR file").code == 150
        reply = control.read()
    failures = [event for event in running.recorded if isinstance(event, TransferFailed)]
    assert [(event.code, event.cause, event.verb, event.path) for event in failures] == [
        (reply.code, Cause.ACTIVE_REJECTED, "RETR", "/file")
    ]
    assert failures[0].reason in reply.text
    assert TransferFinished not in kinds(running)


def test_commands_and_replies_are_told_in_the_order_of_the_wire(running: Running) -> None:
    with running.login() as control, control.passive() as data:
        assert control.ask("STOR new").code == 150
        assert control.codes("NOOP", "STAT") == [200, 211]
        data.close()
        assert control.read().code == 226
        running.await_event(ReplySent, lambda event: event.code == 226)
    told = [
        event.verb if isinstance(event, CommandReceived) else event.code
        for event in running.recorded
        if isinstance(event, CommandReceived | ReplySent)
    ]
    assert told == [
        220, "USER", 331, "PASS", 230, "TYPE", 200, "EPSV", 229, "STOR", 150, "NOOP", 200, "STAT", 211, 226,
    ]  # fmt: skip


@pytest.mark.parametrize("line", ["PASS secret", "pass secret", "ACCT secret"])
def test_secret_arguments_are_masked(running: Running, line: str) -> None:
    with running.connect() as control:
        control.codes("USER me", line)
    told = running.await_event(CommandReceived, lambda event: event.verb in {"PASS", "ACCT"})
    assert told.argument == "****"


def test_a_fault_of_the_server_is_told_with_its_trace(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("in the store")

    with running.login() as control:
        monkeypatch.setattr(running.server.storage, "mkdir", fail)
        reply = control.ask("MKD x")
    assert reply.code == 451
    assert "Zero" not in reply.text
    assert "store" not in reply.text
    assert "ZeroDivisionError" in running.await_event(Noticed, lambda event: event.topic == "fault").message


class TestBus:
    def test_a_subscriber_hears_its_kind_and_what_derives_from_it_until_it_ends(self) -> None:
        bus = Bus()
        heard: list[str] = []
        ends = [
            bus.subscribe(Event, lambda _: heard.append("every")),
            bus.subscribe(Noticed, lambda _: heard.append("notice")),
        ]
        notice = Noticed(session=1, peer="", topic="x", message="y")
        bus.emit(notice)
        bus.emit(SessionOpened(session=1, peer="", local=""))
        assert heard == ["every", "notice", "every"]
        ends[0]()
        bus.emit(notice)
        assert heard == ["every", "notice", "every", "notice"]
        assert bus.wanted(Noticed)
        assert not bus.wanted(SessionOpened)
        ends[1]()
        assert not bus.wanted(Noticed)
