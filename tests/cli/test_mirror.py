"""``fairlead mirror`` as its users run it, with our own server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from fairlead.cli import main
from tests.client.mirror.trees import contents, grow
from tests.peers.fairlead import fairlead
from tests.peers.servers import Server, clear

FILES = {"a.txt": b"first", "d/b.txt": b"second", "d/c.tmp": b"third"}
Captured = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def _served() -> Iterator[Server]:
    with fairlead(hosts=("127.0.0.1",)) as running:
        yield running.at("127.0.0.1")


@pytest.fixture
def server(_served: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Server:
    clear(_served.root)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("FAIRLEAD_NO_MEMORY", "1")
    monkeypatch.setenv("FAIRLEAD_PASSWORD", _served.password)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return _served


@pytest.fixture
def url(server: Server) -> str:
    return server.url.replace("://", f"://{server.user}@")


def test_both_ways_with_a_summary(server: Server, url: str, capsys: Captured) -> None:
    grow(server.root / "pub", FILES)
    assert main(["mirror", f"{url}/pub/", "copy"]) == 0
    assert contents(Path("copy")) == contents(server.root / "pub")
    out, err = capsys.readouterr()
    assert out.startswith("3 files copied (16 bytes), 1 directory made in ")
    assert out.endswith("; 0 the same already\n")
    assert err == ""
    assert main(["mirror", "copy", f"{url}/back/again"]) == 0
    assert contents(server.root / "back" / "again") == contents(Path("copy"))


def test_dry_run_shows_the_plan(server: Server, url: str, capsys: Captured) -> None:
    grow(server.root, FILES)
    grow(Path("x"), {"old": b"1"})
    assert main(["mirror", "-n", "--delete", "--exclude", "*.tmp", f"{url}/", "x"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "mkdir   new                           d/",
        "copy    new                  5 bytes  a.txt",
        "copy    new                  6 bytes  d/b.txt",
        "remove  not in the source             old",
        "2 files to copy (11 bytes), 1 directory to make, 1 file to remove; 0 the same already",
    ]
    assert contents(Path("x")) == {"old": b"1"}


def test_json_tells_the_plan_and_what_came_of_it(server: Server, url: str, capsys: Captured) -> None:
    grow(server.root, FILES)
    assert main(["mirror", "--json", "--include", "*.txt", f"{url}/", "x"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [(step["action"], step["path"]) for step in told["plan"]] == [
        ("mkdir", "d"),
        ("copy", "a.txt"),
        ("copy", "d/b.txt"),
    ]
    assert (told["done"]["copy"], told["octets"], told["troubles"]) == (2, 11, [])
    assert told["source"] == f"{url}/"


def test_troubles_are_told_and_make_it_fail(server: Server, url: str, capsys: Captured) -> None:
    grow(server.root, {"d/f": b"1"})
    grow(Path("x"), {"d": b"in the way", "old": b"2"})
    assert main(["mirror", f"{url}/", "x"]) == 1
    out, err = capsys.readouterr()
    assert "nothing was to be done" in out
    assert err == (
        "fairlead: d: a directory of the source would take the place of a file; remove it, or let --delete do it\n"
    )


def test_verbose_prints_each_step(server: Server, url: str, capsys: Captured) -> None:
    grow(server.root, {"d/f": b"1"})
    assert main(["mirror", "--verbose", f"{url}/", "x"]) == 0
    assert capsys.readouterr().err == "mkdir d: new\ncopy d/f: new\n"


def test_debug_shows_which_session_says_what(server: Server, url: str, capsys: Captured) -> None:
    grow(server.root, {"f": b"1"})
    assert main(["mirror", "--debug", f"{url}/", "x"]) == 0
    err = capsys.readouterr().err
    assert "[1] ---> RETR f\n" in err
    assert server.password not in err


def test_ladder_shows_all_sessions(server: Server, url: str) -> None:
    grow(server.root, {f"f{number}": b"1" for number in range(8)})
    assert main(["mirror", "--ladder=l.txt", f"{url}/", "x"]) == 0
    assert "RETR f0" in Path("l.txt").read_text()


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["a", "b"], 2, "one of SOURCE and TARGET is a directory here"),
        (["{url}/", "{url}/x"], 2, "one of SOURCE and TARGET is a directory here"),
        (["{url}/none/", "b"], 1, "there is no directory none on the server; check the path"),
        (["none", "{url}/"], 1, "there is no directory none here; check the path"),
        (["--parallel", "0", "{url}/", "b"], 2, "'0' is no number of sessions"),
        (["ftp://127.0.0.1:1/", "b"], 3, "cannot connect"),
        (["ftp://{host}/", "b"], 4, "check the user name and the password"),
    ],
)
def test_what_cannot_be_done_has_its_code(
    server: Server, url: str, capsys: Captured, arguments: list[str], code: int, said: str
) -> None:
    host = f"nobody:wrong@{server.host}:{server.port}"
    assert main(["mirror", *(text.format(url=url, host=host) for text in arguments)]) == code
    assert said in capsys.readouterr().err
    assert not Path("b").exists()
