"""``--ladder`` of the verbs that talk to a server."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from fairlead.cli import ladder as option
from fairlead.ladder.jsonl import load
from tests.cli.session import EPSV, IN, TYPE_I, URL, Terminal
from tests.client.script import HOST, Step, data, door, on, take
from tests.ladder.sessions import ACTIVE_DROPPED

Against = Callable[..., Terminal]
LIST = (EPSV, on("LIST", "150 go", data(b""), "226 done"))
FETCH = (TYPE_I, on("SIZE f", "213 6"), EPSV, on("RETR f", "150 go", data(b"octets"), "226 done"))
STORE = (TYPE_I, on("EPSV", door(5001, take("226 done")), "229 ok (|||5001|)"), on("STOR f", "150 go"))


class Tty(io.StringIO):
    """A terminal."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("arguments", "steps"),
    [
        (("ls", "--ladder", f"{URL}/"), LIST),
        (("get", "--ladder", f"{URL}/f"), FETCH),
        (("cat", "--ladder", f"{URL}/f"), FETCH),
        (("put", "--ladder", "f", f"{URL}/f"), STORE),
    ],
)
def test_ladder_is_drawn_on_standard_error(
    against: Against, arguments: tuple[str, ...], steps: tuple[Step, ...]
) -> None:
    server = against(*IN, *steps)
    if arguments[0] == "put":
        Path("f").write_bytes(b"octets")

    assert server.run(*arguments) == 0

    assert f"server {HOST}" in server.err
    assert ":5001" in server.err
    assert "PASS ****" in server.err
    assert "secret" not in server.err
    assert "ladder" not in server.out.decode()
    assert "\x1b" not in server.err


def test_nothing_is_drawn_unasked(against: Against) -> None:
    server = against(*IN, *LIST)
    assert server.run("ls", f"{URL}/") == 0
    assert server.err == ""


@pytest.mark.parametrize(
    ("name", "begins"),
    [
        ("a.svg", b"<?xml"),
        ("a.SVG", b"<?xml"),
        ("a.txt", b"       client "),
        ("a.jsonl", b'{"ladder": 1'),
        ("a.pcapng", b"\n\r\r\n"),
        ("a.mmd", b"sequenceDiagram\n"),
        ("a.md", b"```mermaid\nsequenceDiagram\n"),
    ],
)
def test_name_of_the_file_chooses_the_format(against: Against, name: str, begins: bytes) -> None:
    server = against(*IN, *LIST)
    assert server.run("ls", f"--ladder={name}", f"{URL}/") == 0
    assert server.err == ""
    octets = Path(name).read_bytes()
    assert octets.startswith(begins)
    assert b"secret" not in octets


@pytest.mark.parametrize(
    ("name", "said"), [("a.png", ".svg, .txt"), ("svg", ".svg, .txt"), ("no/where.svg", "make it first")]
)
def test_unknown_kind_of_file_is_said_before_anything_is_connected(against: Against, name: str, said: str) -> None:
    server = against()
    assert server.run("get", f"--ladder={name}", f"{URL}/f") == 2
    assert said in server.err
    assert server.play.heard == []


def test_word_after_the_bare_option_is_no_file(against: Against) -> None:
    server = against(*IN, *FETCH)
    assert server.run("cat", "--ladder", f"{URL}/f", "--timeout", "5") == 0
    assert server.out == b"octets"


def test_ladder_of_a_failure_is_drawn_before_it_is_told(against: Against) -> None:
    server = against(*IN, on("EPSV", "229 ok (|||5001|)"))
    assert server.run("ls", "--ladder", "--mode", "epsv", f"{URL}/") == 5
    drawn, _, told = server.err.partition("fairlead: ")
    assert "(passive-rejected)" in drawn
    assert "✕ RST" in drawn
    assert "no data connection" in told


def test_ladder_of_a_failure_is_written_into_the_file_too(against: Against) -> None:
    server = against(*IN, on("EPSV", "229 ok (|||5001|)"))
    assert server.run("ls", "--ladder=a.jsonl", "--mode", "epsv", f"{URL}/") == 5
    assert "passive-rejected" in [step.cause for step in load(Path("a.jsonl").read_text()).steps]


def test_server_that_refuses_the_login_is_marked(against: Against) -> None:
    server = against(on("USER me", "331 password?"), on("PASS secret", "530 no"))
    assert server.run("ls", "--ladder", f"{URL}/") == 4
    assert "(login-refused)" in server.err


def test_several_files_make_one_ladder(against: Against) -> None:
    server = against(*IN, *FETCH, *IN, *FETCH)
    assert server.run("cat", "--ladder=a.jsonl", f"{URL}/f", f"{URL}/f") == 0
    steps = load(Path("a.jsonl").read_text()).steps
    assert [step.text for step in steps].count("RETR f") == 2
    assert {step.connection for step in steps} == {0, 1, 2}


def test_file_that_cannot_be_written_fails_the_verb(against: Against) -> None:
    Path("a.svg").mkdir()
    server = against(*IN, *LIST)
    assert server.run("ls", "--ladder=a.svg", f"{URL}/") == 1
    assert server.err == "fairlead: a.svg: Is a directory; choose another name\n"


def test_file_in_whose_place_a_directory_stands_is_told_beside_the_failure(against: Against) -> None:
    Path("a.svg").mkdir()
    server = against(*IN, on("EPSV", "229 ok (|||5001|)"))
    assert server.run("ls", "--ladder=a.svg", "--mode", "epsv", f"{URL}/") == 5
    assert "fairlead: a.svg: Is a directory; choose another name\n" in server.err
    assert "no data connection" in server.err


def test_debug_and_ladder_go_together(against: Against) -> None:
    server = against(*IN, *LIST)
    assert server.run("ls", "-d", "--ladder", f"{URL}/") == 0
    assert "---> LIST" in server.err
    assert "── LIST ─" in server.err


@pytest.mark.parametrize(("columns", "widest"), [("80", 80), ("120", 120)])
def test_drawing_is_as_wide_as_the_terminal_and_in_colour(
    monkeypatch: pytest.MonkeyPatch, columns: str, widest: int
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    terminal = Tty()

    option.draw(ACTIVE_DROPPED, terminal)

    assert "\x1b[1;31m" in terminal.getvalue()
    lines = re.sub(r"\x1b\[[0-9;]*m", "", terminal.getvalue()).splitlines()
    assert widest - 15 < max(map(len, lines)) <= widest


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_colour_can_be_declined(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv(name, value)
    terminal = Tty()

    option.draw(ACTIVE_DROPPED, terminal)

    assert "\x1b" not in terminal.getvalue()


def test_terminal_of_another_encoding_gets_ascii() -> None:
    octets = io.BytesIO()
    option.draw(ACTIVE_DROPPED, stream := io.TextIOWrapper(octets, "ascii"))
    stream.flush()
    assert b"<==" in octets.getvalue()


@pytest.mark.parametrize("name", ["a.pcapng", "a.jsonl"])
def test_explain_reads_what_was_written(against: Against, name: str) -> None:
    pytest.importorskip("dpkt")
    server = against(*IN, on("EPSV", "229 ok (|||5001|)"))
    assert server.run("ls", f"--ladder={name}", "--mode", "epsv", f"{URL}/") == 5
    server.run("explain", name)
    assert "passive-rejected" in server.out.decode()
    assert "PASS ****" in server.out.decode()
