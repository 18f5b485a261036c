from __future__ import annotations

import asyncio
import getpass
import io
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
            "{} has a user 'alice' already; remove that table first",
        ),
        (
            "alice",
            f'users = [{{ name = "bob", password = "{HASH}" }}]\n',
            ["secret", "secret"],
            "{} sets users = […]; write each of them as a [[users]] table first",
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
