"""Every verb of the command line as a user gives it, to each server, in each mode, in clear and under TLS."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from fairlead.cli import main
from tests.interop.matrix import MODES, Served

OCTETS = random.Random(2428).randbytes(300_001)
Ran = tuple[str, str]


@dataclass(frozen=True)
class Shell:
    """Runs verbs with the options that the server and the mode ask for."""

    url: str
    options: tuple[str, ...]
    capture: Callable[[], Ran]

    def __call__(self, verb: str, *words: str, status: int = 0) -> str:
        """Standard output of the verb; ``/`` at the front of a word stands for the server."""
        arguments = [f"{self.url}{word}" if word.startswith("/") else word for word in words]
        ended = main([verb, *self.options, *arguments])
        out, err = self.capture()
        assert ended == status, err
        assert "Traceback" not in err
        return out


@pytest.fixture(params=MODES["v4"])
def shell(
    request: pytest.FixtureRequest,
    served: Served,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Shell:
    monkeypatch.setenv("FAIRLEAD_PASSWORD", served.server.password)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in [name for name in os.environ if name.startswith("XDG_")]:
        monkeypatch.delenv(name)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    tls = ("--tls", "require", "--ca", str(served.certificate)) if served.certificate else ("--tls", "off")
    url = served.server.url.replace("//", f"//{served.server.user}@")
    return Shell(url, ("--mode", request.param, *tls), capsys.readouterr)


def test_a_file_through_its_life(shell: Shell, served: Served) -> None:
    here, there = Path(), served.server.root
    (here / "two words.bin").write_bytes(OCTETS)
    shell("mkdir", "/in", "/in/deep")
    shell("put", "two words.bin", "/in/deep/")
    assert (there / "in/deep/two words.bin").read_bytes() == OCTETS
    assert "two words.bin" in shell("ls", "/in/deep/")
    [entry] = json.loads(shell("ls", "--json", "/in/deep/"))
    assert (entry["name"], entry["size"], entry["kind"]) == ("two words.bin", len(OCTETS), "file")
    [facts] = json.loads(shell("stat", "--json", "/in/deep/two%20words.bin"))
    assert facts["size"] == len(OCTETS)
    shell("mv", "/in/deep/two%20words.bin", "/in/one.bin")
    shell("get", "--verify", "/in/one.bin")
    assert (here / "one.bin").read_bytes() == OCTETS
    shell("rm", "/in/one.bin")
    shell("rmdir", "/in/deep", "/in")
    assert list(there.iterdir()) == []


def test_text_and_what_is_not_there(shell: Shell, served: Served) -> None:
    (served.server.root / "note.txt").write_bytes(b"a note\n")
    assert shell("cat", "/note.txt") == "a note\n"
    assert shell("cat", "/none.txt", status=1) == ""
    assert shell("get", "/none.txt", status=1) == ""
    assert list(Path().iterdir()) == []


def test_patterns_and_what_went_over(shell: Shell, served: Served) -> None:
    for name in ("a.txt", "b.txt", "c.bin"):
        Path(name).write_text(name)
    stored = json.loads(shell("put", "--json", "a.txt", "b.txt", "c.bin", "/"))
    assert [(one["path"], one["file"], one["size"]) for one in stored] == [
        (name, name, 5) for name in ("a.txt", "b.txt", "c.bin")
    ]
    listed = json.loads(shell("ls", "--json", "/*.txt"))
    assert [entry["name"] for entry in listed] == ["a.txt", "b.txt"]
    assert shell("cat", "/[ac].*") == "a.txtc.bin"
    shell("mkdir", "/d")
    shell("mv", "/*.txt", "/d/")
    fetched = json.loads(shell("get", "--json", "-o", ".", "/d/*.txt"))
    assert [(one["path"], one["file"], one["size"]) for one in fetched] == [
        ("d/a.txt", "a.txt", 5),
        ("d/b.txt", "b.txt", 5),
    ]
    shell("rm", "/d/*.txt", "/*.bin")
    assert [path.name for path in served.server.root.rglob("*")] == ["d"]


def test_a_transfer_that_was_cut_goes_on(shell: Shell, served: Served) -> None:
    (served.server.root / "big").write_bytes(OCTETS)
    os.utime(served.server.root / "big", (1_000_000_000, 1_000_000_000))
    Path("big.part").write_bytes(OCTETS[:200_000])
    shell("get", "--resume", "--times", "/big")
    assert Path("big").read_bytes() == OCTETS
    assert Path("big").stat().st_mtime == 1_000_000_000


def test_trees_both_ways(shell: Shell, served: Served) -> None:
    for name in ("a", "b/c", "b/d/e"):
        path = Path("mine", name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode() * 999)
    # pyftpdlib 2.2 often leaves EPRT and PORT without a reply where several sessions send them at once.
    side_by_side = ("--parallel", "1" if served.server.name == "pyftpdlib" else "3")
    shell("mirror", *side_by_side, "mine", "/tree/")
    shell("mirror", *side_by_side, "--delete", "/tree/", "back")
    shell("get", *side_by_side, "-r", "-o", "fetched", "/tree/")
    for place in (served.server.root / "tree", Path("back"), Path("fetched")):
        found = {str(path.relative_to(place)) for path in place.rglob("*") if path.is_file()}
        assert found == {"a", "b/c", "b/d/e"}
        assert (place / "b/d/e").read_bytes() == b"b/d/e" * 999
    shell("rm", "-r", "/tree")
    assert not (served.server.root / "tree").exists()


def test_copies_through_the_client_where_a_server_talks_to_itself(shell: Shell, served: Served) -> None:
    (served.server.root / "from").write_bytes(OCTETS)
    told = json.loads(shell("copy", "--json", "/from", "/to"))
    assert (served.server.root / "to").read_bytes() == OCTETS
    assert told["size"] == len(OCTETS)


def test_a_script_of_the_interactive_client(shell: Shell, served: Served) -> None:
    Path("local").write_bytes(OCTETS)
    Path("script").write_text(
        "mkdir d\ncd d\nput local remote\nls\nrename remote other\nget other back\ndelete other\n"
    )
    assert "remote" in shell("sh", "--file", "script", "/")
    assert Path("back").read_bytes() == OCTETS
    assert [path.name for path in served.server.root.rglob("*")] == ["d"]


def test_the_ladder_of_a_session(shell: Shell, served: Served) -> None:
    (served.server.root / "f").write_bytes(b"octets")
    shell("get", "--ladder=session.jsonl", "/f")
    steps = Path("session.jsonl").read_text()
    assert "RETR" in steps
    assert served.server.password not in steps
