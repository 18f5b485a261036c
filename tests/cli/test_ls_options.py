"""What all of the client's verbs share: how to connect, passwords, exit codes."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.session import EPSV, IN, URL, Terminal
from tests.client.script import HOST, NO_FEATURES, call, data, hang_up, on

Against = Callable[..., Terminal]
LIST = on("LIST", "150 go", data(b""), "226 done")
ASKED = (on("USER me", "331 password?"), on("PASS secret", "230 in"), *NO_FEATURES, EPSV, LIST)


def test_mode_and_active_options(against: Against) -> None:
    active = (on("PORT 203,0,113,7,195,80", "200 ok"), on("LIST", "150 go", call(data(b"")), "226 done"))
    server = against(*IN, *active)
    options = ["--mode", "port", "--active-ports", "50000-50000", "--active-address", "203.0.113.7", "-4"]
    assert server.run("ls", *options, URL) == 0


@pytest.mark.parametrize(
    "options",
    [
        ["--mode", "fast"],
        ["--active-ports", "0-5"],
        ["--active-ports", "70000"],
        ["--active-ports", "5-4"],
        ["--active-ports", "x"],
        ["--active-address", "host"],
        ["--timeout", "0"],
        ["--timeout", "soon"],
        ["--timeout", "inf"],
        ["-4", "-6"],
    ],
)
def test_bad_options_are_usage_errors_in_one_sentence(against: Against, options: list[str]) -> None:
    server = against()
    assert server.run("ls", *options, URL) == 2
    assert server.err.startswith("fairlead ls: ")
    assert server.err.count("\n") == 1


def test_timeout_is_for_every_wait(against: Against) -> None:
    server = against(*IN, on("EPSV"))
    assert server.run("ls", "--retries", "0", "--timeout", "3", URL) == 1
    assert server.err == "fairlead: no reply to EPSV within 3.0 s; try again later, or allow more time by --timeout\n"
    assert server.play.wire.time < 4


def test_nobody_there(against: Against) -> None:
    server = against()
    assert server.run("ls", "ftp://192.0.2.1") == 3
    assert server.err == "fairlead: cannot connect (192.0.2.1:21: connection refused); check host and port\n"


@pytest.mark.parametrize("greeting", [("421 too many users", hang_up), (hang_up,), ("SSH-2.0-x",), ()])
def test_server_that_takes_no_session(against: Against, greeting: tuple[str, ...]) -> None:
    assert against(greeting=greeting).run("ls", URL) == 3


@pytest.mark.parametrize("refusal", ["530 wrong", "430 wrong"])
def test_refused_login(against: Against, refusal: str) -> None:
    server = against(on("USER me", "331 password?"), on("PASS secret", refusal))
    assert server.run("ls", URL) == 4
    assert "secret" not in server.err


def test_no_data_connection_in_any_mode(against: Against) -> None:
    refused = [on(line, "500 what?") for line in ("EPSV", "PASV", "EPRT |1|192.0.2.80|34121|")]
    server = against(*IN, *refused, on("PORT 192,0,2,80,133,74", "500 what?"))
    assert server.run("ls", URL) == 5
    assert server.err.startswith("fairlead: no data connection (EPSV: the server answered 500 what?, not-supported; ")
    assert server.err.endswith("; fairlead doctor ftp://192.0.2.90 finds out more\n")
    assert server.err.count("\n") == 1


def test_session_that_ends_midway(against: Against) -> None:
    assert against(*IN, on("EPSV", hang_up)).run("ls", URL) == 1


def test_interrupt(against: Against, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("fairlead.cli.ls.table", interrupt)
    server = against(*IN, EPSV, LIST)
    assert server.run("ls", URL) == 130
    assert server.err == "fairlead: interrupted\n"


def test_traceback_only_under_debug(against: Against) -> None:
    server = against(*IN, on("CWD x", "550 none"))
    assert server.run("ls", f"{URL}/x/") == 1
    assert "Traceback" not in server.err
    server = against(*IN, on("CWD x", "550 none"))
    assert server.run("ls", "--debug", f"{URL}/x/") == 1
    assert "Traceback" in server.err
    assert "secret" not in server.err


@pytest.mark.req("U-1738-5")
def test_password_from_the_environment(against: Against, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAIRLEAD_PASSWORD", "secret")
    assert against(*ASKED).run("ls", f"ftp://me@{HOST}") == 0


def netrc(text: str) -> None:
    path = Path("~/.netrc").expanduser()
    path.write_text(text)
    path.chmod(0o600)


@pytest.mark.req("U-1738-5")
@pytest.mark.parametrize("url", [f"ftp://{HOST}", f"ftp://me@{HOST}"])
def test_password_from_netrc(against: Against, url: str) -> None:
    server = against(*ASKED)
    netrc(f"machine {HOST} login me password secret\n")
    assert server.run("ls", url) == 0


def test_password_of_another_user_is_not_used(against: Against, monkeypatch: pytest.MonkeyPatch) -> None:
    server = against(on("USER me", "331 password?"))
    netrc(f"machine {HOST} login other password hers\n")
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    assert server.run("ls", f"ftp://me@{HOST}") == 2
    assert "set FAIRLEAD_PASSWORD" in server.err


def test_unreadable_netrc(against: Against) -> None:
    server = against()
    netrc("machine")
    assert server.run("ls", f"ftp://{HOST}") == 2
    assert "~/.netrc" in server.err


@pytest.mark.req("U-1738-5")
def test_password_is_asked_for_at_a_terminal(against: Against, monkeypatch: pytest.MonkeyPatch) -> None:
    class Keyboard(io.StringIO):
        def isatty(self) -> bool:
            return True

    questions: list[str] = []

    def ask(question: str) -> str:
        questions.append(question)
        return "secret"

    monkeypatch.setattr(sys, "stdin", Keyboard())
    monkeypatch.setattr("getpass.getpass", ask)
    assert against(*ASKED).run("ls", f"ftp://me@{HOST}") == 0
    assert questions == [f"Password of me at {HOST}: "]


@pytest.mark.req("U-1738-5", "C-1635-LOGIN-2")
def test_nobody_is_asked_for_an_anonymous_login(against: Against) -> None:
    steps = (on("USER anonymous", "331 e-mail?"), on("PASS anonymous@example.com", "230 in"), *NO_FEATURES)
    assert against(*steps, EPSV, LIST).run("ls", f"ftp://{HOST}") == 0


@pytest.mark.req("C-7151-HOST-1")
def test_virtual_host_is_told_which_it_is(against: Against) -> None:
    server = against(on(f"HOST {HOST}", "504 no such host"))
    assert server.run("ls", "--virtual-host", f"{URL}/") == 3
    assert server.err.startswith(f"fairlead: the server has no virtual host {HOST}: 504")
