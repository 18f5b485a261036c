"""``--proxy`` and the variables that curl reads, on the command line."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from fairlead.cli import main
from tests.cli.session import EPSV, Terminal
from tests.client.script import HOST, NO_FEATURES, data, on

Against = Callable[..., Terminal]
URL = "ftp://me:secret@ftp.example.com/"
LISTED = (EPSV, on("LIST", "150 go", data(b"-rw-r--r-- 1 a b 5 Jan 02 2020 file\r\n"), "226 ok"))
BY_SITE = (on("USER gate", "331 ?"), on("PASS key", "230 in"), on("SITE ftp.example.com", "220 there"))
IN = (on("USER me", "331 ?"), on("PASS secret", "230 in"), *NO_FEATURES)
BY_NAME = (on("USER me@ftp.example.com", "331 ?"), on("PASS secret", "230 in"), *NO_FEATURES)


def test_ftp_proxy_with_a_style_of_its_own(against: Against) -> None:
    terminal = against(*BY_SITE, *IN, *LISTED)
    assert terminal.run("ls", "-d", "--proxy", f"ftp://gate:key@{HOST}", "--proxy-style", "site", URL) == 0
    assert b"file" in terminal.out
    assert f"STATUS  by way of the proxy ftp://{HOST}:21" in terminal.err
    assert "key" not in terminal.err


def test_ftp_proxy_of_the_environment(against: Against, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("all_proxy", f"ftp://{HOST}")
    terminal = against(*BY_NAME, *LISTED)
    assert terminal.run("ls", URL) == 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--proxy", "gopher://gate"], "is no proxy"),
        (["--proxy", "socks5h://gate", "--mode", "port"], "cannot go through the proxy"),
        (["--proxy", "socks5h://gate", "--proxy-style", "site"], "is of FTP proxies"),
        (["--proxy", "ftp://gate", "--proxy-style", "joined"], "needs a user of the proxy"),
        (["--proxy", "ftp://gate", "--tls", "require"], "reads along"),
        (["--proxy-style", "sideways"], "invalid choice"),
    ],
)
def test_what_cannot_be(against: Against, options: list[str], said: str) -> None:
    terminal = against()
    assert terminal.run("ls", *options, URL) == 2
    assert said in terminal.err


def test_bookmark_keeps_a_proxy_but_no_password_of_it(against: Against, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = against(*BY_NAME, *LISTED)
    assert main(["bookmark", "add", "work", URL.replace(":secret", ""), "--proxy", f"ftp://gate:key@{HOST}"]) == 2
    assert main(["bookmark", "add", "work", URL.replace(":secret", ""), "--proxy", f"ftp://{HOST}"]) == 0
    monkeypatch.setenv("FAIRLEAD_PASSWORD", "secret")
    assert terminal.run("ls", "@work") == 0
