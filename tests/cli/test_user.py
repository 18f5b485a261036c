from __future__ import annotations

import asyncio
import getpass
import io
import json
import sys
from pathlib import Path

import pytest

from fairlead.accounts import hashed
from fairlead.cli import main
from fairlead.config.build import build
from fairlead.config.loader import load

HASH = "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$L1qnTgpsWMa/dMHjDHhQFw"
"""Of "secret"."""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "fairlead.toml"


def pipe_in(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))


def type_in(monkeypatch: pytest.MonkeyPatch, *passwords: str) -> None:
    terminal = io.StringIO()
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stdin", terminal)
    typed = iter(passwords)
    monkeypatch.setattr(getpass, "getpass", lambda _: next(typed))


def test_a_user_is_added_to_a_new_file_that_only_its_owner_reads(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pipe_in(monkeypatch, "s3cret word\n")

    assert main(["user", "add", "alice", "--config", str(file), "--write"]) == 0

    accounts = build(load(file, environment={})).accounts
    assert asyncio.run(accounts.authenticate("alice", "s3cret word", peer="")).name == "alice"
    assert load(file, environment={}).users[0].write
    assert file.stat().st_mode & 0o777 == 0o600
    output = capsys.readouterr()
    assert output.out == f"added alice to {file}; a running server takes it up on SIGHUP\n"
    assert "s3cret" not in file.read_text() + output.out + output.err
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_a_file_keeps_its_text_its_mode_and_its_links(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hashed, "hash_password", lambda _: HASH)
    text = f'# mine\n[server]\nworkers = 2 # two\n\n[[users]]\nname = "bob"\npassword = "{HASH}"\n'
    file.write_text(text)
    file.chmod(0o640)
    link = tmp_path / "link.toml"
    link.symlink_to(file)
    type_in(monkeypatch, "secret", "secret")

    assert main(["user", "add", "alice", "--config", str(link)]) == 0

    assert link.is_symlink()
    assert file.read_text() == f'{text}\n[[users]]\nname = "alice"\npassword = "{HASH}"\n'
    assert file.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize(
    ("name", "text", "typed", "error"),
    [
        ("alice", "", ["a", "b"], "the two passwords differ; nothing is changed"),
        ("alice", "", ["", ""], "the password is empty; nothing is changed"),
        ("", "", [], "'' can name no user; take some printable characters"),
        (
            "alice",
            f'[[users]]\nname = "alice"\npassword = "{HASH}"\n',
            [],
            "{} has a user 'alice' already; `fairlead user passwd` changes the password",
        ),
        (
            "alice",
            f'users = [{{ name = "bob", password = "{HASH}" }}]\n',
            ["secret", "secret"],
            "{}: it sets users = […]; write each of them as a [[users]] table first",
        ),
        ("alice", "[server\n", [], "{}, line 1: no valid TOML: Expected ']' at the end of a table declaration"),
    ],
)
def test_what_cannot_be_added_changes_nothing(
    file: Path,
    name: str,
    text: str,
    typed: list[str],
    error: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file.write_text(text)
    type_in(monkeypatch, *typed)

    assert main(["user", "add", name, "--config", str(file)]) == 2

    assert file.read_text() == text
    assert capsys.readouterr().err == f"fairlead: {error.format(file)}\n"


def test_an_empty_pipe_gives_no_password(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pipe_in(monkeypatch, "")

    assert main(["user", "add", "alice", "--config", str(file)]) == 2
    assert not file.exists()


TWO = f"""\
# mine
[server]
workers = 2 # two

# The one in accounting.
[[users]]
name = "alice"
password = "{HASH}" # since May
root = "/srv/alice"

[[users.rules]]
path = "/"
rights = ["reader"]

# The other one.
[[users]]
name = "bob"
password = '{HASH}'
write = true
"""
NEW = HASH.replace("L1q", "L2q")


@pytest.fixture
def two(file: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(hashed, "hash_password", lambda _: NEW)
    file.write_text(TWO)
    return file


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("alice", f'password = "{HASH}" # since May', f'password = "{NEW}" # since May'),
        ("bob", f"password = '{HASH}'", f'password = "{NEW}"'),
    ],
)
def test_a_password_is_changed_and_nothing_else(
    two: Path, name: str, old: str, new: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pipe_in(monkeypatch, "other\n")
    assert main(["user", "passwd", name, "--config", str(two)]) == 0
    assert two.read_text() == TWO.replace(old, new)
    assert capsys.readouterr().out == (
        f"changed the password of {name} in {two}; a running server takes it up on SIGHUP\n"
    )


def test_a_removed_user_leaves_the_others_and_their_comments(two: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["user", "remove", "alice", "--config", str(two)]) == 0
    begin, end = TWO.index("[[users]]"), TWO.index("# The other one.")
    assert two.read_text() == TWO[:begin] + TWO[end:]
    assert main(["user", "remove", "bob", "--config", str(two)]) == 0
    assert two.read_text() == TWO[:begin] + "# The other one.\n"
    assert capsys.readouterr().out.count("on SIGHUP, for sessions to come\n") == 2


def test_the_users_are_listed(two: Path, capsys: pytest.CaptureFixture[str]) -> None:
    two.write_text(
        TWO + f'[[users]]\nname = "carol"\npassword = "{HASH}"\nwrite = false\nhosts = ["h.example"]\nadmin = true\n'
        'certificates = ["carol.example"]\nallow_fxp = true\n'
    )
    assert main(["user", "list", "--config", str(two)]) == 0
    assert capsys.readouterr().out == (
        "alice  writes when --write is given, rights by path, in /srv/alice\n"
        "bob    reads and writes\n"
        "carol  reads, at h.example, certificate, admin, third parties\n"
    )


def test_an_empty_list_is_none(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text("")
    assert main(["user", "list", "--config", str(file)]) == 0
    assert main(["user", "list", "--config", str(file), "--json"]) == 0
    assert capsys.readouterr().out == "[]\n"


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_a_user_is_shown_without_the_hash(two: Path, form: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["user", "show", "bob", "--config", str(two), *form]) == 0
    output = capsys.readouterr().out
    assert "$argon2" not in output
    if form:
        (shown,) = json.loads(output)
        assert (shown["name"], shown["write"], shown["password"]) == ("bob", True, "(not shown)")
    else:
        assert output.startswith('[[users]]\nname = "bob"\npassword = "(not shown)"\n')
    assert main(["user", "list", "--config", str(two), "--json"]) == 0
    assert [user["name"] for user in json.loads(capsys.readouterr().out)] == ["alice", "bob"]


HAND = "is written in a way that cannot be changed from here; edit the file by hand"


@pytest.mark.parametrize("verb", ["passwd", "remove"])
@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", "there is no user 'alice'; `fairlead user list` shows who there is"),
        (f'users = [{{ name = "alice", password = "{HASH}" }}]\n', HAND),
        (
            "".join(f'[[users]]\nname = "alice"\npassword = "{HASH}"\nhosts = ["{host}"]\n' for host in "ab"),
            "there are 2 users 'alice', for different hosts",
        ),
        (f'[[users]]\nname = "alice"\npassword = """{HASH}"""\nhome = """\n/\\\n"""\n[[ "users" ]]\n', "name must be"),
    ],
)
def test_what_cannot_be_changed_stays(
    two: Path, verb: str, text: str, error: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    two.write_text(text)
    pipe_in(monkeypatch, "other\n")
    assert main(["user", verb, "alice", "--config", str(two)]) == 2
    assert two.read_text() == text
    assert error in capsys.readouterr().err


@pytest.mark.parametrize(
    "text",
    [
        f'[[users]]\nname = "alice"\n"password" = "{HASH}"\n',
        f'[[users]]\nname = "alice"\npassword = """{HASH}"""\n',
        f'[[users]]\nname = "alice"\npassword = "{HASH}"\nroot = """\npassword = "x"\n"""\n',
    ],
)
def test_a_password_that_is_written_in_an_odd_way_stays(
    two: Path, text: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    two.write_text(text)
    pipe_in(monkeypatch, "other\n")
    assert main(["user", "passwd", "alice", "--config", str(two)]) == 2
    assert two.read_text() == text
    assert HAND in capsys.readouterr().err


def test_a_user_that_is_not_there_cannot_be_shown(two: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["user", "show", "carol", "--config", str(two)]) == 2
    assert "has no user 'carol'" in capsys.readouterr().err
