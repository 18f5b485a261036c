"""Where user names and passwords come from: the environment, ~/.netrc, the keyring, and nobody sees them."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import keyring
import keyring.backend
import pytest
from keyring.errors import KeyringError, PasswordDeleteError

from fairlead.cli import main
from tests.cli.session import Terminal
from tests.cli.test_ls_options import ASKED, netrc
from tests.client.script import HOST, on
from tests.peers.fairlead import PROGRAM

Against = Callable[..., Terminal]
URL = f"ftp://me@{HOST}"


class Keyring(keyring.backend.KeyringBackend):
    priority = 1.0

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.kept: dict[tuple[str, str], str] = {}
        self.locked = False

    def get_password(self, service: str, username: str) -> str | None:
        if self.locked:
            raise KeyringError("it is locked.\nAnd so on.")
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        if self.locked:
            raise KeyringError("it is locked.\nAnd so on.")
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        raise PasswordDeleteError


@pytest.fixture
def kept() -> Iterator[Keyring]:
    before, own = keyring.get_keyring(), Keyring()
    keyring.set_keyring(own)
    yield own
    keyring.set_keyring(before)


@pytest.fixture(autouse=True)
def _nobody_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO())


@pytest.mark.parametrize("mode", [0o644, 0o620, 0o666])
def test_netrc_that_others_can_read_or_write_is_not_used_which_is_said(against: Against, mode: int) -> None:
    server = against(on("USER me", "331 password?"))
    netrc(f"machine {HOST} login me password known\n")
    Path("~/.netrc").expanduser().chmod(mode)
    assert server.run("ls", URL) == 2
    assert "~/.netrc is not used" in server.err
    assert "chmod 600" in server.err
    assert "known" not in server.err


def test_netrc_that_others_can_read_is_no_matter_where_it_says_nothing(against: Against) -> None:
    server = against(on("USER me", "331 password?"))
    netrc("machine elsewhere login me password known\n")
    Path("~/.netrc").expanduser().chmod(0o644)
    assert server.run("ls", URL) == 2
    assert "netrc is not used" not in server.err


def test_netrc_of_somebody_else_is_not_used(against: Against) -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root to give a file away")
    server = against(on("USER me", "331 password?"))
    netrc(f"machine {HOST} login me password known\n")
    os.chown(Path("~/.netrc").expanduser(), 1, 1)
    assert server.run("ls", URL) == 2
    assert "belongs to somebody else" in server.err


def test_macros_of_netrc_are_never_run(against: Against) -> None:
    server = against(*ASKED)
    netrc(f"machine {HOST} login me password secret\nmacdef init\n! touch run\nbye\n\n")
    assert server.run("ls", URL) == 0
    assert list(Path().iterdir()) == []


def test_password_from_the_keyring(against: Against, kept: Keyring) -> None:
    kept.kept[f"ftp://{HOST}", "me"] = "secret"
    assert against(*ASKED).run("ls", URL) == 0


@pytest.mark.parametrize("locked", [False, True])
def test_keyring_without_the_password_leads_to_the_question(against: Against, kept: Keyring, *, locked: bool) -> None:
    kept.locked = locked
    server = against(on("USER me", "331 password?"))
    assert server.run("ls", URL) == 2
    assert "the keyring" in server.err


def test_keyring_that_is_not_installed_is_no_matter(against: Against, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    server = against(on("USER me", "331 password?"))
    assert server.run("ls", URL) == 2
    assert main(["bookmark", "add", "work", URL, "--save-password"]) == 2


def test_password_is_saved_with_a_bookmark(kept: Keyring, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("FAIRLEAD_PASSWORD", "secret")
    assert main(["bookmark", "add", "work", f"{URL}:2121", "--save-password"]) == 0
    assert kept.kept == {(f"ftp://{HOST}:2121", "me"): "secret"}
    assert "secret" not in (tmp_path / "config/fairlead/bookmarks.toml").read_text()


def test_password_that_cannot_be_saved(
    kept: Keyring, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("FAIRLEAD_PASSWORD", "secret")
    assert main(["bookmark", "add", "work", f"ftp://{HOST}/", "--save-password"]) == 2
    assert "names no user" in capsys.readouterr().err
    kept.locked = True
    assert main(["bookmark", "add", "work", URL, "--save-password"]) == 2
    assert "does not take the password (it is locked)" in capsys.readouterr().err
    assert not (tmp_path / "fairlead/bookmarks.toml").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux: where else arguments can be overwritten is not known")
@pytest.mark.parametrize(
    ("word", "shown"),
    [
        ("ftp://me:se:cr@et@host/pub", "ftp://me:********@host/pub"),
        ("me:secret@host", "me:******@host"),
        ("ftp://me@host:2121/pub", "ftp://me@host:2121/pub"),
        ("bob:secret", "bob:secret"),
        ("--user=bob:secret", "--user=bob:******"),
        ("--command=open ftp://me:secret@host", "--command=open ftp://me:******@host"),
        ("--command=user bob secret", "--command=user bob ******"),
        ("-cuse  bob 'my secret'", "-cuse  bob ***********"),
        ("--command=account secret", "--command=account ******"),
        ("--command=-quote PASS secret", "--command=-quote PASS ******"),
        ("--command=user bob", "--command=user bob"),
        ("--command=put user bob", "--command=put user bob"),
    ],
)
def test_process_list_shows_no_password(word: str, shown: str) -> None:
    hide = "from fairlead.cli import process_list; process_list.hide_passwords()"
    program = f"{hide}; print(open('/proc/self/cmdline').read())"
    command = [sys.executable, "-c", program, word, "--user", "bob:secret"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout.rstrip("\n").split("\0")[3:] == [shown, "--user", "bob:******", ""]


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux: where else arguments can be overwritten is not known")
def test_process_list_shows_no_password_where_a_process_may_not_write_its_own_memory() -> None:
    program = """
        import builtins
        plain = builtins.open
        def opened(path, *arguments, **named):
            if path == "/proc/self/mem":
                raise PermissionError(path)
            return plain(path, *arguments, **named)
        builtins.open = opened
        from fairlead.cli import process_list
        process_list.hide_passwords()
        print(plain("/proc/self/cmdline").read())
    """
    command = [sys.executable, "-c", textwrap.dedent(program), "ftp://me:secret@host/"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout.rstrip("\n").split("\0")[3:] == ["ftp://me:******@host/", ""]


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux: where else arguments can be overwritten is not known")
@pytest.mark.parametrize(
    ("command", "shown"),
    [
        ("-open ftp://me:secret@127.0.0.1:1/", "-open ftp://me:******@127.0.0.1:1/"),
        ("-user me secret", "-user me ******"),
    ],
)
def test_program_hides_passwords_before_it_does_anything(command: str, shown: str) -> None:
    commands = ["-c", "!cat /proc/$PPID/cmdline", "-c", command]
    done = subprocess.run([PROGRAM, "sh", *commands], capture_output=True, text=True, timeout=30, check=True)
    assert shown in done.stdout
    assert "secret" not in done.stdout + done.stderr
