"""Scripts of the interactive client against our server and those of others, in every mode, in clear and under TLS."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.certificates import Pair, make
from tests.peers.fairlead import PROGRAM, fairlead
from tests.peers.keyboard import at_keyboard
from tests.peers.process import DEADLINE
from tests.peers.servers import SERVERS, Server, Tls, clear

HOST = "127.0.0.1"
NAMES = (*SERVERS, "fairlead")
MODES = ("auto", "epsv", "pasv", "eprt", "port")
OCTETS = os.urandom(1_234_567)
Served = Callable[..., Server]

SCRIPT = """\
# a tour of what people do
system
mkdir 'two words'
cd two\\ words
pwd
put big
put big copy
append small copy
size copy
rename copy renamed
ls
mput *.txt
nlist
mget *.txt
get big fetched
reget big part
cat a.txt
ascii
put lines lines.text
get lines.text lines.back
binary
-delete none
mdelete *.txt
delete big
delete renamed
delete lines.text
dir
cdup
rmdir 'two words'
quote NOOP
quit
"""


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    return make(tmp_path_factory.mktemp("certificates"), "server", HOST)


@pytest.fixture(scope="module")
def served(pair: Pair) -> Iterator[Served]:
    """Gives the server of a name, in clear or under TLS only, its directory empty."""
    running: dict[tuple[str, bool], Server] = {}
    with ExitStack() as stack:

        def server(name: str, *, tls: bool) -> Server:
            if (name, tls) not in running and name == "fairlead":
                certified = ("--tls-cert", str(pair.certificate), "--tls-key", str(pair.key), "--require-tls")
                options = certified if tls else ()
                running[name, tls] = stack.enter_context(fairlead(*options, hosts=(HOST,))).at(HOST)
            elif (name, tls) not in running:
                running[name, tls] = stack.enter_context(SERVERS[name](HOST, Tls(pair, "1.3") if tls else None))
            clear(running[name, tls].root)
            return running[name, tls]

        yield server


def run(script: str, server: Server, here: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Feed ``script`` to the program, in the directory ``here``."""
    url = server.url.replace("://", f"://{server.user}@")
    command = [str(PROGRAM), "sh", "--no-memory", "--retries", "0", *options, url]
    env = {**os.environ, "HOME": str(here), "FAIRLEAD_PASSWORD": server.password}
    return subprocess.run(
        command, input=script, capture_output=True, text=True, cwd=here, env=env, timeout=3 * DEADLINE, check=False
    )


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """A directory with files to store, and the beginning of one that was fetched."""
    (tmp_path / "big").write_bytes(OCTETS)
    (tmp_path / "small").write_bytes(b"small")
    (tmp_path / "lines").write_bytes(b"one\ntwo\n")
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text(f"{name}\n")
    (tmp_path / "part.part").write_bytes(OCTETS[:500_000])
    os.utime(tmp_path / "part.part", (4e9, 4e9))
    return tmp_path


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("tls", [False, True], ids=["clear", "tls"])
@pytest.mark.parametrize("name", NAMES)
def test_tour(served: Served, pair: Pair, here: Path, name: str, mode: str, *, tls: bool) -> None:
    server = served(name, tls=tls)
    trust = ("--tls", "require", "--ca", str(pair.certificate)) if tls else ()
    done = run(SCRIPT, server, here, "--mode", mode, *trust)
    assert done.stderr.count("\n") == 1, done.stderr  # the file that was not there to be deleted
    assert done.returncode == 0
    assert (here / "fetched").read_bytes() == OCTETS
    assert (here / "part").read_bytes() == OCTETS
    assert (here / "lines.back").read_bytes() == b"one\ntwo\n"
    assert list(server.root.iterdir()) == []
    lines = done.stdout.splitlines()
    assert lines[0].startswith("215 ")
    assert lines[1] == "/two words"
    assert lines[2:5] == [str(len(OCTETS) + 5), "big", "renamed"]
    assert sorted(lines[5:9]) == ["a.txt", "b.txt", "big", "renamed"]
    assert lines[9] == "a.txt"
    assert lines[-1].startswith("2")


@pytest.mark.parametrize("name", NAMES)
def test_script_stops_where_the_server_refuses(served: Served, here: Path, name: str) -> None:
    server = served(name, tls=False)
    done = run("delete none\nput big\n", server, here)
    assert done.returncode == 1
    assert "'DELE none' with: 5" in done.stderr
    assert list(server.root.iterdir()) == []


@pytest.mark.req("C-959-ABOR-1")
@pytest.mark.parametrize("tls", [False, True], ids=["clear", "tls"])
@pytest.mark.parametrize("name", NAMES)
def test_interrupt_keeps_the_session(served: Served, pair: Pair, here: Path, name: str, *, tls: bool) -> None:
    server = served(name, tls=tls)
    with (server.root / "giant").open("wb") as file:
        file.truncate(1 << 36)
    url = server.url.replace("://", f"://{server.user}@")
    trust = ("--ca", str(pair.certificate)) if tls else ()
    command = [str(PROGRAM), "sh", "--no-memory", "--retries", "0", "--limit-rate", "20M", *trust, url]
    env = {**os.environ, "HOME": str(here), "FAIRLEAD_PASSWORD": server.password, "PROMPT_TOOLKIT_NO_CPR": "1"}
    prompt = f"{server.user}@{HOST}:/>"
    with at_keyboard(command, env=env, cwd=here) as keyboard:
        keyboard.output(", in /", prompt)
        for turn in range(2):
            keyboard.type(f"get giant giant{turn}\r")
            keyboard.wait_for(rf"> get giant giant{turn}\n.* [1-9][0-9.]* [kM]B/s")
            keyboard.type("\x03")
            assert "interrupted" in keyboard.output(f"> get giant giant{turn}", prompt)
            (here / f"giant{turn}.part").unlink()
            assert keyboard.run("pwd", prompt) == "/"
        assert "connecting again" not in keyboard.text
        assert "bytes in" in keyboard.run("put big", prompt)
    assert (server.root / "big").read_bytes() == OCTETS


@pytest.mark.req("C-FXP-1")
@pytest.mark.parametrize("name", ["proftpd", "pureftpd", "vsftpd", "pyftpdlib"])
def test_second_session(served: Served, here: Path, name: str) -> None:
    first, second = served("fairlead", tls=False), served(name, tls=False)
    there = second.url.replace("://", f"://{second.user}@")
    script = f"""
        verbose on
        put big
        proxy open {there}
        proxy mkdir in
        proxy cd in
        proxy get big copied
        proxy put copied back
        get back
    """
    done = run(script, first, here)
    assert (done.returncode, done.stderr) == (0, "")
    assert (here / "back").read_bytes() == OCTETS
    assert (second.root / "in/copied").read_bytes() == OCTETS
    assert done.stdout.count("big → copied") == 1
