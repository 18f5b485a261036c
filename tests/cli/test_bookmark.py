"""Servers with a name of one's own."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from fairlead.cli import main
from fairlead.cli.bookmarks import applied, read
from fairlead.cli.mirror import _place
from fairlead.cli.options import add_session_options, ftp_url
from tests.cli.session import EPSV, IN, URL, Terminal
from tests.client.script import HOST, LOGIN, NO_FEATURES, data, on

Against = Callable[..., Terminal]
HERE = f"ftp://me@{HOST}/pub/"
ASKED = (on("USER me", "331 password?"), on("PASS secret", "230 in"), *NO_FEATURES)
LIST = (EPSV, on("LIST", "150 go", data(b""), "226 done"))


@pytest.fixture(autouse=True)
def file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path / "config/fairlead/bookmarks.toml"


@pytest.fixture
def asked(against: Against, monkeypatch: pytest.MonkeyPatch) -> Against:
    """As ``against``, with a password for whoever is asked for one."""
    monkeypatch.setenv("FAIRLEAD_PASSWORD", "secret")
    return against


def add(*words: str) -> int:
    return main(["bookmark", "add", *words])


def test_bookmark_stands_for_its_url(asked: Against) -> None:
    add("work", HERE)
    server = asked(*ASKED, on("CWD pub", "250 ok"), *LIST)
    assert server.run("ls", "@work") == 0
    server = asked(*ASKED, on("CWD pub", "250 ok"), on("CWD a", "250 ok"), on("CWD b", "250 ok"), *LIST)
    assert server.run("ls", "@work/a/b/") == 0


def test_pattern_below_a_bookmark(asked: Against) -> None:
    add("work", HERE)
    server = asked(*ASKED, EPSV, on("LIST pub", "150 go", data(b"-rw-r--r-- 1 a b 1 Jan 1 2020 x*\r\n"), "226 done"),
        on("DELE pub/x*", "250 ok"))  # fmt: skip
    assert server.run("rm", "@work/x%2A") == 0


def test_options_of_a_bookmark_are_used(asked: Against) -> None:
    add("work", HERE, "--mode", "pasv")
    server = asked(*ASKED, on("CWD pub", "250 ok"), on("PASV", "502 no"))
    assert server.run("ls", "@work", "--retries", "0") == 5


def test_command_line_goes_before_the_bookmark(asked: Against) -> None:
    add("work", HERE, "--mode", "pasv")
    server = asked(*ASKED, on("CWD pub", "250 ok"), *LIST)
    assert server.run("ls", "@work", "--mode", "auto") == 0


@pytest.mark.parametrize(("said", "retries"), [([], 0), (["--retries", "3"], 3), (["--retries", "5"], 5)])
def test_number_goes_before_the_bookmark_also_where_it_is_the_default(said: list[str], retries: int) -> None:
    add("work", HERE, "--retries", "0")
    parser = argparse.ArgumentParser()
    add_session_options(parser)
    assert applied(parser.parse_args(said), ftp_url("@work")).retries == retries


def test_default_is_kept_where_it_was_said() -> None:
    add("work", HERE, "--retries", "3")
    assert read()["work"] == {"url": HERE, "retries": 3}


def test_options_are_kept_as_they_were_given(file: Path) -> None:
    words = (
        "--mode port --tls require --ca /ca.pem --insecure --ccc -4 --active-ports 5000-5010 --limit-rate 2k".split()
    )
    assert add("work", HERE, *words) == 0
    assert read()["work"] == {
        "url": HERE, "mode": "port", "tls": "require", "ca": "/ca.pem", "insecure": True, "ccc": True, "family": 4,
        "active-ports": "5000-5010", "limit-rate": 2048,
    }  # fmt: skip
    assert file.stat().st_mode & 0o077 == 0
    assert main(["ls", "--help"]) == 0


def test_every_kept_option_can_be_used(capsys: pytest.CaptureFixture[str]) -> None:
    add("work", "ftp://127.0.0.1:1/", *"--mode port --ca /ca.pem -4 --active-ports 5000-5010 --limit-rate 2k".split())
    assert main(["ls", "@work", "--retries", "0"]) == 3
    assert "connection refused" in capsys.readouterr().err


def test_list_show_and_remove(capsys: pytest.CaptureFixture[str]) -> None:
    add("b", HERE, "--mode", "pasv")
    add("longer", "ftp://host/")
    assert main(["bookmark", "list"]) == 0
    assert capsys.readouterr().out == f"b       {HERE}\nlonger  ftp://host/\n"
    assert main(["bookmark", "show", "b"]) == 0
    assert capsys.readouterr().out == f'[b]\nurl = "{HERE}"\nmode = "pasv"\n'
    assert main(["bookmark", "show", "b", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"url": HERE, "mode": "pasv"}
    assert main(["bookmark", "remove", "b"]) == 0
    assert list(read()) == ["longer"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("ls", "@none"), "there is no bookmark 'none'"),
        (("ls", "@wrk"), "did you mean @work"),
        (("bookmark", "remove", "none"), "there is no bookmark"),
        (("bookmark", "add", "a b", HERE), "is no name for a bookmark"),
        (("bookmark", "add", "x", "http://host/"), "an FTP URL begins with"),
        (("bookmark", "add", "x", f"ftp://me:secret@{HOST}/"), "keeps no password"),
        (("bookmark", "add", "x", HERE, "--proxy", "socks5h://me:secret@proxy"), "out of the proxy's URL"),
    ],
)
def test_mistakes(words: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    add("work", HERE)
    assert main(words) == 2
    err = capsys.readouterr().err
    assert said in err
    assert "secret" not in err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[work", "cannot be used"),
        ("[work]\nmode = 'pasv'\n", "[work] has no url"),
        ("work = 'x'\n", "[work] has no url"),
        ("[work]\nurl = 'ftp://h/'\nmoed = 'pasv'\n", "did you mean mode"),
        ("[work]\nurl = 'ftp://h/'\nmode = 'pasive'\n", "invalid choice: 'pasive'"),
    ],
)
def test_file_that_is_wrong(file: Path, text: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    file.parent.mkdir(parents=True)
    file.write_text(text)
    assert main(["ls", "@work"]) == 2
    assert said in capsys.readouterr().err


def test_local_directory_of_a_name_like_a_bookmark_is_reached_by_its_path() -> None:
    assert _place("./@work") == "./@work"
    add("work", HERE)
    assert str(_place("@work")) == HERE


def test_shell_keeps_where_it_is(against: Against) -> None:
    server = against(*IN, on("PWD", '257 "/home/me"'), on("CWD pub", "250 ok"), on("PWD", '257 "/home/me/pub"'))
    assert server.run("sh", "--mode", "pasv", "-c", "cd pub", "-c", "bookmark work", "-c", "bookmark", URL) == 0
    assert read() == {"work": {"url": HERE, "mode": "pasv"}}
    assert server.out.decode() == f"@work  {HERE}\n"


def test_shell_opens_a_bookmark(asked: Against) -> None:
    add("work", HERE)
    server = asked(*LOGIN, *NO_FEATURES, on("CWD pub", "250 ok"), on("PWD", '257 "/pub"'))
    assert server.run("sh", "-c", "open @work") == 0


def test_link_to_the_file_stays_one(file: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "kept.toml"
    elsewhere.touch()
    file.parent.mkdir(parents=True)
    file.symlink_to(elsewhere)
    assert add("work", HERE) == 0
    assert file.is_symlink()
    assert "[work]" in elsewhere.read_text()


@pytest.mark.parametrize(
    ("went", "url"),
    [
        ("/home/pub", f"ftp://me@{HOST}/pub/"),
        ("/home/pub/a/b", f"ftp://me@{HOST}/pub/a/b/"),
        ("/etc", f"ftp://me@{HOST}/%2Fetc/"),
        ("/home/publisher", f"ftp://me@{HOST}/%2Fhome%2Fpublisher/"),
    ],
)
def test_shell_keeps_a_directory_below_that_of_its_url_or_elsewhere(against: Against, went: str, url: str) -> None:
    begin = (*IN, on("CWD pub", "250 ok"), on("PWD", '257 "/home/pub"'))
    server = against(*begin, on("CWD x", "250 ok"), on("PWD", f'257 "{went}"'))
    assert server.run("sh", "-c", "cd x", "-c", "bookmark work", f"{URL}/pub/") == 0
    assert read()["work"]["url"] == url
