"""``fairlead sh`` as a person at a terminal has it, against our own server."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Event

import pytest

from fairlead.testing.peer import DEADLINE, Peer, scripted
from tests.peers.fairlead import PROGRAM, Fairlead, fairlead
from tests.peers.keyboard import Keyboard, at_keyboard
from tests.peers.servers import PASSWORD, USER, clear

HOST = "127.0.0.1"
Begin = Callable[..., Keyboard]
pytestmark = pytest.mark.long  # a program for each test


def prompt(directory: str) -> str:
    return f"{USER}@{HOST}:{directory}>"


@pytest.fixture(scope="module")
def _server() -> Iterator[Fairlead]:
    with fairlead(hosts=(HOST,)) as server:
        yield server


@pytest.fixture
def server(_server: Fairlead) -> Fairlead:
    clear(_server.root)
    return _server


def url_of(server: Fairlead) -> str:
    return server.at(HOST).url.replace("://", f"://{USER}@")


@contextmanager
def shell(folder: Path, *arguments: str, password: bool = True, **environment: str) -> Iterator[Keyboard]:
    """The program in a directory ``here`` of ``folder``, with a home of its own."""
    for name in ("home", "here"):
        (folder / name).mkdir(exist_ok=True)
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder / "home"),
        "XDG_STATE_HOME": str(folder / "state"),
        "PROMPT_TOOLKIT_NO_CPR": "1",  # nobody answers where the cursor is
        "PYTHONUTF8": "1",
        **({"FAIRLEAD_PASSWORD": PASSWORD} if password else {}),
        **environment,
    }
    with at_keyboard([str(PROGRAM), "sh", *arguments], env=env, cwd=folder / "here") as keyboard:
        yield keyboard


@pytest.fixture
def begin(server: Fairlead, tmp_path: Path) -> Iterator[Begin]:
    """Begins a session at the prompt."""
    (tmp_path / "here").mkdir()
    with ExitStack() as stack:

        def make(*arguments: str, pager: str = "") -> Keyboard:
            keyboard = stack.enter_context(shell(tmp_path, *arguments, url_of(server), PAGER=pager))
            keyboard.output(", in /", prompt("/"))
            return keyboard

        yield make


def test_session(begin: Begin, server: Fairlead, tmp_path: Path) -> None:
    (server.root / "pub").mkdir()
    (server.root / "pub/two words").write_text("octets")
    keyboard = begin()
    assert f"connected to {HOST} as {USER} (in clear), in /" in keyboard.text
    assert keyboard.run("cd pub", prompt("/pub")) == "/pub"
    assert keyboard.run("ls", prompt("/pub")) == "two words"
    assert "two words → copy: 6 bytes in" in keyboard.run("get 'two words' copy", prompt("/pub"))
    assert (tmp_path / "here/copy").read_text() == "octets"
    assert "550" in keyboard.run("delete none", prompt("/pub"))
    keyboard.type("quit\r")
    assert keyboard.wait_for_end() == 0


def test_end_of_input_leaves(begin: Begin) -> None:
    keyboard = begin()
    keyboard.type("\x04")
    assert keyboard.wait_for_end() == 0


def test_names_are_completed(begin: Begin, server: Fairlead, tmp_path: Path) -> None:
    (server.root / "pub/two words").mkdir(parents=True)
    (server.root / "pub/other").write_text("x")
    keyboard = begin()
    keyboard.type("mdel\tp\t\x03")
    keyboard.wait_for("> mdelete pub/")
    keyboard.type("cd pu\ttw\t\r")
    keyboard.output(r"> cd pub/two\ words/", prompt("/pub/two words"))
    (tmp_path / "here/local file").write_text("x")
    keyboard.type("put lo\t\r")
    keyboard.output(r"> put local\ file", prompt("/pub/two words"))
    keyboard.type("size \t\r")  # the directory was not listed before the file was stored
    assert keyboard.output(r"> size local\ file", prompt("/pub/two words")) == "1"


def test_what_is_stored_is_completed_although_the_directory_was_listed_before(begin: Begin, tmp_path: Path) -> None:
    (tmp_path / "here/file").write_text("x")
    keyboard = begin()
    keyboard.type("size fi\t\x03")
    keyboard.wait_for("> size fi")
    keyboard.run("put file", prompt("/"))
    keyboard.type("size fi\t\r")
    assert keyboard.output("> size file", prompt("/")) == "1"


def test_directory_is_listed_once_for_completion(begin: Begin, server: Fairlead) -> None:
    (server.root / "file").write_text("x")
    since = server.now()
    keyboard = begin()
    for _ in range(3):
        keyboard.type("size f\t\r")
        keyboard.output("> size file", prompt("/"))
    keyboard.type("get f\t\r")
    keyboard.output("> get file", prompt("/"))
    verbs = [record["verb"] for record in server.wait_for("transfer", 2, since=since)]
    assert verbs == ["MLSD", "RETR"]


def test_history_is_kept_without_passwords(begin: Begin, tmp_path: Path) -> None:
    keyboard = begin()
    keyboard.run(f"user {USER} '{PASSWORD}'", prompt("/"))
    keyboard.run(f"quote PASS {PASSWORD}", prompt("/"))
    keyboard.run("pwd", prompt("/"))
    keyboard.type("quit\r")
    assert keyboard.wait_for_end() == 0
    kept = tmp_path / "state/fairlead/history"
    lines = [line for line in kept.read_text().splitlines() if line.startswith("+")]
    assert lines == [f"+user {USER}", "+pwd", "+quit"]
    assert kept.stat().st_mode & 0o077 == 0
    again = begin()
    again.type("\x1b[A\x1b[A\r")
    assert again.output("> pwd", prompt("/")) == "/"


@pytest.mark.req("C-959-ABOR-1")
def test_interrupt_aborts_the_transfer_and_the_session_goes_on(begin: Begin, server: Fairlead) -> None:
    with (server.root / "big").open("wb") as file:
        file.truncate(1 << 36)
    keyboard = begin("--debug")
    for number in range(3):
        keyboard.type(f"get big copy{number}\r")
        keyboard.wait_for(rf"> get big copy{number}\n(.+\n)*150 ")
        keyboard.type("\x03")
        said = keyboard.output(f"> get big copy{number}", prompt("/"))
        assert "---> ABOR" in said
        assert "interrupted" in said
        assert keyboard.run("pwd", prompt("/")).endswith("\n/")


def test_questions_of_mget_and_mdelete(begin: Begin, server: Fairlead, tmp_path: Path) -> None:
    for name in "abcde":
        (server.root / name).write_text(name)
    keyboard = begin()
    keyboard.type("mget [a-e]\r")
    for name, answer in zip("abc", ("y", "n", "a"), strict=True):
        keyboard.wait_for(rf"mget {name} .*\? *$")
        keyboard.type(f"{answer}\r")
    keyboard.output("> mget [a-e]", prompt("/"))
    assert {path.name for path in (tmp_path / "here").iterdir()} == {"a", "c", "d", "e"}
    keyboard.type("mdelete *\r")
    keyboard.wait_for(r"mdelete a .*\? *$")
    keyboard.type("q\r")
    keyboard.output("> mdelete *", prompt("/"))
    assert (server.root / "a").exists()


def test_session_that_the_server_ended_is_begun_anew_in_the_same_directory(tmp_path: Path) -> None:
    with ExitStack() as stack:
        with fairlead(hosts=(HOST,)) as server:
            (server.root / "pub").mkdir()
            keyboard = stack.enter_context(shell(tmp_path, url_of(server)))
            keyboard.output(", in /", prompt("/"))
            keyboard.run("cd pub", prompt("/pub"))
        with fairlead(hosts=(HOST,), port=server.at(HOST).port) as server:
            (server.root / "pub").mkdir()
            said = keyboard.run("pwd", prompt("/pub"))
            assert said == f"the session with {HOST} is over; connecting again\n/pub"


def test_password_is_asked_for_and_not_shown(server: Fairlead, tmp_path: Path) -> None:
    with shell(tmp_path, url_of(server), password=False) as keyboard:
        keyboard.wait_for("Password of .*:")
        keyboard.type(f"{PASSWORD}\r")
        keyboard.output(", in /", prompt("/"))
        assert PASSWORD not in keyboard.text


def test_server_that_cannot_be_reached_leaves_the_prompt(tmp_path: Path) -> None:
    with shell(tmp_path, "ftp://127.0.0.1:1") as keyboard:
        keyboard.output("check host and port", "fairlead>")
        assert "there is no session; open URL begins one" in keyboard.run("ls", "fairlead>")


def test_file_is_paged(begin: Begin, server: Fairlead) -> None:
    (server.root / "f").write_text("octets\n")
    keyboard = begin(pager=f"{shutil.which('sed')} s/^/paged/")
    assert keyboard.run("page f", prompt("/")) == "pagedoctets"


def test_progress_by_marks_and_by_count(begin: Begin, server: Fairlead) -> None:
    (server.root / "f").write_bytes(bytes(640 * 1024))
    keyboard = begin()
    keyboard.run("hash", prompt("/"))
    assert keyboard.run("get f", prompt("/")).startswith("##########\nf → f: 655360 bytes")
    keyboard.run("hash off", prompt("/"))
    keyboard.run("tick on", prompt("/"))
    assert keyboard.run("get f again", prompt("/")).startswith("655360 of 655360 bytes\n")


def test_directories_are_mirrored_either_way(begin: Begin, server: Fairlead, tmp_path: Path) -> None:
    (server.root / "pub/inner").mkdir(parents=True)
    (server.root / "pub/inner/file").write_text("octets")
    keyboard = begin()
    assert "1 file to copy" in keyboard.run("mirror -n pub", prompt("/"))
    assert not (tmp_path / "here/pub").exists()
    assert "1 file copied" in keyboard.run("mirror pub", prompt("/"))
    assert (tmp_path / "here/pub/inner/file").read_text() == "octets"
    assert "1 file copied" in keyboard.run("rmirror pub copy", prompt("/"))
    assert (server.root / "copy/inner/file").read_text() == "octets"
    assert "there is no directory" in keyboard.run("mirror none", prompt("/"))


def test_doctor_examines_the_server_of_the_session(begin: Begin) -> None:
    assert "Every mode that the server offers works from here." in begin().run("doctor", prompt("/"))


def test_session_is_drawn(begin: Begin) -> None:
    drawn = begin().run("ladder", prompt("/"))
    assert "PASS ****" in drawn
    assert PASSWORD not in drawn


def test_completion_that_a_server_does_not_answer_can_be_given_up(tmp_path: Path) -> None:
    asked, given_up = Event(), Event()

    def script(peer: Peer) -> None:
        peer.log_in()
        peer.expect("PWD", '257 "/"')
        peer.expect("EPSV")
        asked.set()
        given_up.wait(DEADLINE)

    with scripted(script) as peer, shell(tmp_path, peer.url) as keyboard:
        keyboard.output(", in /", f"{HOST}:/>")
        keyboard.type("get \t")
        assert asked.wait(DEADLINE)
        keyboard.type("\x03")
        keyboard.wait_for(rf"{HOST}:/> get *\n{HOST}:/ \(lost\)>$")
        given_up.set()


def test_interrupted_script_ends(server: Fairlead, tmp_path: Path) -> None:
    with (server.root / "big").open("wb") as file:
        file.truncate(1 << 36)
    words = ("-d", "--limit-rate", "20M", "--command=-get big", "--command=pwd")
    with shell(tmp_path, *words, url_of(server)) as keyboard:
        keyboard.wait_for("150 ")
        keyboard.type("\x03")
        assert keyboard.wait_for_end() == 130
        assert "---> ABOR" in keyboard.text
        assert "257" not in keyboard.text.partition("ABOR")[2]
