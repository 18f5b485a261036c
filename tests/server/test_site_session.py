"""SITE UMASK, SITE IDLE and SITE WHO."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from fairlead.accounts.base import Account, Right, Rule
from fairlead.accounts.memory import MemoryAccounts, User
from fairlead.accounts.password import KeyedDigest
from fairlead.server.deadlines import TICKS
from fairlead.storage.local import LocalStorage
from tests.server.session import Control, Running, serving


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


# UMASK


@pytest.mark.req("S-SITE-4")
def test_the_umask_is_shown_and_set(control: Control, root: Path) -> None:
    assert control.ask("SITE UMASK").text == "The umask is 022."
    assert control.store("STOR a", b"1").code == 226
    reply = control.ask("SITE UMASK 027")
    assert (reply.code, reply.text) == (200, "The umask is 027.")
    assert control.store("STOR b", b"1").code == 226
    assert control.ask("MKD d").code == 257
    assert control.ask("site umask 77").code == 200
    assert control.store("STOR c", b"1").code == 226
    assert control.store("STOR a", b"2").code == 226
    assert control.ask("SITE UMASK 0").code == 200
    assert control.store("APPE e", b"1").code == 226
    assert {path.name: mode_of(path) for path in root.iterdir()} == {
        "a": 0o644, "b": 0o640, "c": 0o600, "d": 0o750, "e": 0o666,
    }  # fmt: skip


@pytest.mark.req("S-SITE-4")
@pytest.mark.parametrize("again", ["REIN", "USER me"])
def test_the_umask_is_that_of_the_session(running: Running, control: Control, again: str) -> None:
    assert control.ask("SITE UMASK 077").code == 200
    with running.login() as other:
        assert other.ask("SITE UMASK").text == "The umask is 022."
    assert control.ask(again).kind in {2, 3}
    assert control.codes("USER me", "PASS secret") == [331, 230]
    assert control.ask("SITE UMASK").text == "The umask is 022."


@pytest.mark.req("S-SITE-4")
@pytest.mark.parametrize("argument", ["8", "1000", "0o22", "-1", "00022", "22 x", "\u0662", " 22", "7777"])
def test_a_wrong_umask_changes_nothing(control: Control, argument: str) -> None:
    assert control.ask(f"SITE UMASK {argument}").code == 501
    assert control.ask("SITE UMASK").text == "The umask is 022."


@pytest.mark.req("S-SITE-4")
def test_who_may_not_change_permissions_sets_no_umask(running: Running) -> None:
    with running.login("anonymous") as control:
        assert control.codes("SITE UMASK", "SITE UMASK 077") == [200, 550]


# IDLE


def seconds_left(running: Running) -> float:
    """Until the only session ends if nothing more comes."""

    def measure() -> float:
        (control,) = running.server._controls
        assert 0 < control._tick <= (control._due() + 0.5) * TICKS
        return control._due() - control._active

    return float(running.call(measure))


@pytest.mark.req("S-SITE-4", "S-1123-IDLE-1")
def test_the_idle_time_is_shown_and_set(running: Running, control: Control) -> None:
    assert control.ask("SITE IDLE").text == "The session may be idle for 300 seconds; at most for 7200."
    assert seconds_left(running) == pytest.approx(300)
    for seconds in (7200, 1, 60):
        assert control.ask(f"SITE IDLE {seconds}").text.startswith(f"The session may be idle for {seconds} seconds;")
        assert seconds_left(running) == pytest.approx(seconds)
    assert control.ask("USER me").code == 331
    assert control.ask("PASS secret").code == 230
    assert seconds_left(running) == pytest.approx(60)
    assert control.codes("REIN", "USER me", "PASS secret") == [220, 331, 230]
    assert seconds_left(running) == pytest.approx(300)


@pytest.mark.req("S-SITE-4")
@pytest.mark.parametrize("argument", ["0", "7201", "-1", "x", "1.5", "9" * 5000, "\u0661", "60 s", " 60"])
def test_a_wrong_idle_time_changes_nothing(control: Control, argument: str) -> None:
    assert control.ask(f"SITE IDLE {argument}").code == 501
    assert "for 300 seconds" in control.ask("SITE IDLE").text


@pytest.mark.req("S-SITE-4", "S-1123-IDLE-1")
def test_a_session_that_is_idle_for_so_long_ends(control: Control) -> None:
    assert control.ask("SITE IDLE 1").code == 200
    assert control.read().code == 421
    assert control.at_end()


def test_more_than_the_usual_time_is_never_refused(root: Path) -> None:
    with (
        closing(LocalStorage(root)) as storage,
        serving(
            storage,
            accounts=MemoryAccounts.sharing(storage, {"me": "secret"}),
            idle_timeout=500.5,
            max_idle_timeout=100,
        ) as running,
        running.login() as control,
    ):
        assert control.ask("SITE IDLE").text == "The session may be idle for 500.5 seconds; at most for 500.5."
        assert control.codes("SITE IDLE 500", "SITE IDLE 501") == [200, 501]


# WHO


@contextmanager
def an_administrator(root: Path) -> Iterator[tuple[Running, Control]]:
    rules = (Rule("/", Right.WRITER),)
    with closing(LocalStorage(root)) as storage:
        users = [
            User(Account("me", storage, rules), KeyedDigest("secret")),
            User(Account("boss", storage, rules, admin=True), KeyedDigest("secret")),
        ]
        with (
            serving(storage, accounts=MemoryAccounts(users)) as running,
            running.login("boss") as control,
        ):
            yield running, control


@pytest.mark.req("S-SITE-4")
def test_an_administrator_sees_who_is_there(root: Path) -> None:
    with an_administrator(root) as (running, control), running.login() as other, running.connect(6):
        with other.passive() as data:
            assert other.ask("STOR file").code == 150
            reply = control.ask("SITE WHO")
            data.close()
            assert other.read().code == 226
        assert reply.code == 200
        assert reply.lines[0] == "The sessions:"
        assert [line.replace(" 1s ", " 0s ") for line in reply.lines[1:-1]] == [
            " boss 127.0.0.1 0s -",
            " me 127.0.0.1 0s STOR /file, 0 octets",
            " - ::1 0s -",
        ]
        assert control.ask("SITE WHO x").code == 501


@pytest.mark.req("S-SITE-4")
def test_nobody_else_does(running: Running, control: Control) -> None:
    assert control.ask("SITE WHO").code == 550
    with running.connect() as early:
        assert early.ask("SITE WHO").code == 530
