"""The client against servers that do wrong: it ends in time, takes nothing for whole that is not, and stays inside.

What ``reliability.md`` lists for clients, each through both faces of the library and through the command line.
"""

from __future__ import annotations

import io
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from fairlead import Client
from fairlead.cli import main
from fairlead.errors import ArgumentError, FairleadError, LimitError, TransferError, UnsafeName
from fairlead.proto.entry import Kind
from fairlead.testing import FAULTS, Fault, MisbehavingServer, misbehave
from fairlead.testing.faults.control import LateGreeting
from fairlead.testing.faults.data import ForeignAddress, SlowBytes
from fairlead.testing.faults.listing import ListingLoop
from fairlead.testing.faults.tls import ClearData, TlsRefused
from fairlead.testing.misbehaving import FILES

Connect = Callable[..., Any]
PATIENCE = 0.5
"""Seconds that each step may take."""
HANG = 30.0
"""Seconds after which a client hangs: more than all its deadlines together, on a busy machine."""
MEMORY = 100
"""Megabytes that a client may take, come what may."""
MEASURED = """
import sys
from fairlead.cli import main
status = main(sys.argv[1:])
sys.stderr.write(open("/proc/self/status").read())
sys.exit(status)
"""
"""A command line that tells at its end how much memory it took (VmHWM, in kilobytes)."""
FILE = "a.txt"
GENTLE: dict[str, Fault] = {"late-greeting": LateGreeting(0.1), "slow-bytes": SlowBytes(0.001)}
"""Faults that would take long without being wrong."""


def of(name: str) -> Fault:
    return GENTLE.get(name) or FAULTS[name]()


def patiently(server: MisbehavingServer) -> dict[str, Any]:
    settings: dict[str, Any] = dict.fromkeys(("connect_timeout", "reply_timeout", "data_timeout"), PATIENCE)
    return settings | ({"ca": server.ca} if server.ca is not None else {})


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Home and working directory are empty ones."""
    for name in ("home", "here"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("FAIRLEAD_NO_MEMORY", "1")
    monkeypatch.chdir(tmp_path / "here")


def options(server: MisbehavingServer) -> list[str]:
    return ["--timeout", str(PATIENCE), *(["--ca", str(server.ca)] if server.ca is not None else [])]


# No hang, and no wrong success


@pytest.mark.parametrize("tls", ["off", "offer"])
@pytest.mark.parametrize("name", FAULTS)
def test_it_ends_in_time_and_a_file_that_is_kept_is_whole(
    connect: Connect, name: str, tls: Any, tmp_path: Path
) -> None:
    target = tmp_path / "got"
    with misbehave(of(name), tls=tls) as server:
        began = time.monotonic()
        with suppress(FairleadError), connect(server.url, **patiently(server)) as ftp:
            ftp.scandir()
            ftp.download(FILE, target)
        took = time.monotonic() - began
    assert not target.exists() or target.read_bytes() == FILES[f"/{FILE}"]
    assert took < HANG


@pytest.mark.parametrize("name", FAULTS)
def test_a_command_ends_in_time_with_one_sentence(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "got"
    with misbehave(of(name)) as server:
        began = time.monotonic()
        status = main(["get", *options(server), "-o", str(target), f"{server.url}/{FILE}"])
        took = time.monotonic() - began
    said = capsys.readouterr().err.strip()
    assert target.exists() is (status == 0)
    assert not target.exists() or target.read_bytes() == FILES[f"/{FILE}"]
    assert (said == "") if status == 0 else (status in {1, 3, 5} and len(said.splitlines()) == 1), said
    assert took < HANG


@pytest.mark.parametrize("name", ["truncated-data", "reset-at"])
def test_download_that_is_cut_is_an_error_and_can_be_resumed(connect: Connect, name: str, tmp_path: Path) -> None:
    target = tmp_path / "got"
    with (
        misbehave(name) as server,
        connect(server.url, **patiently(server)) as ftp,
        pytest.raises(TransferError, match="resume"),
    ):
        ftp.download("file.bin", target)
    assert not target.exists()
    with misbehave() as server, connect(server.url, **patiently(server)) as ftp:
        ftp.download("file.bin", target, resume=True)
    assert target.read_bytes() == FILES["/file.bin"]


def test_listing_that_ends_within_a_line_is_no_listing(connect: Connect) -> None:
    with (
        misbehave("half-listing") as server,
        connect(server.url, **patiently(server)) as ftp,
        pytest.raises(TransferError, match="within a line"),
    ):
        ftp.scandir()


def test_fields_beyond_all_measure_tell_nothing(connect: Connect) -> None:
    with misbehave("long-fields") as server, connect(server.url, **patiently(server)) as ftp:
        assert (ftp.size(FILE), ftp.mtime(FILE)) == (None, None)
        assert len(ftp.pwd()) == 5001
        assert max(len(entry.name) for entry in ftp.scandir()) == 5000
        got = io.BytesIO()
        ftp.download(FILE, got)
    assert got.getvalue() == FILES[f"/{FILE}"]


# Memory


@pytest.mark.long
@pytest.mark.parametrize("verb", [["ls"], ["get"], ["-d", "ls"]], ids=["ls", "get", "debug"])
@pytest.mark.parametrize("name", ["endless-reply", "long-line", "reply-flood", "telnet-flood", "endless-listing"])
def test_what_never_ends_takes_little_memory(name: str, verb: list[str]) -> None:
    *before, word = verb
    with misbehave(name) as server:
        url = f"{server.url}/" + ("*" if word == "get" else "")
        command = [sys.executable, "-c", MEASURED, word, *before, "--timeout", "3", url]
        done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode in {1, 3}, done.stderr[-500:]
    taken = int(done.stderr.rpartition("VmHWM:")[2].split()[0])
    assert taken < MEMORY * 1024


def test_endless_listing_of_the_library_is_cut_off(connect: Connect) -> None:
    with (
        misbehave("endless-listing") as server,
        connect(server.url, listing_limit=1_000_000) as ftp,
        pytest.raises(LimitError, match="listing_limit"),
    ):
        ftp.names()


# Where files go


@contextmanager
def nothing_outside(tmp_path: Path) -> Iterator[Path]:
    """A directory that is all that may change."""
    inside = tmp_path / "here" / "inside"
    inside.mkdir()
    (tmp_path / "victim").mkdir()
    before = everything(tmp_path, but=inside)
    yield inside
    assert everything(tmp_path, but=inside) == before
    assert not Path("/tmp/fairlead-escaped").exists()
    assert not Path("/tmp/fairlead-planted").exists()
    links = [path for path in inside.rglob("*") if path.is_symlink()]
    assert [link for link in links if not link.resolve().is_relative_to(inside)] == []


def everything(root: Path, *, but: Path) -> set[Path]:
    return {path for path in root.rglob("*") if not path.is_relative_to(but)}


NASTY = list(FAULTS["hostile-names"]().names)  # type: ignore[attr-defined]


@pytest.mark.req("C-SEC-NAME-1")
def test_names_of_a_listing_lead_nowhere_else(connect: Connect, tmp_path: Path) -> None:
    with nothing_outside(tmp_path) as inside, misbehave("hostile-names") as server:
        with connect(server.url, **patiently(server)) as ftp:
            for entry in [entry for entry in ftp.scandir() if entry.kind is Kind.FILE]:
                try:
                    ftp.download(entry.name, inside)
                except (UnsafeName, ArgumentError):
                    assert not {"/", "\0"}.isdisjoint(entry.name) or entry.name == ".."
        assert {"-rf", "C:escaped", "|touch escaped"} <= {path.name for path in inside.iterdir()}


@pytest.mark.parametrize("name", NASTY)
@pytest.mark.parametrize("verb", [["get", "-o"], ["mirror"]], ids=["get", "mirror"])
def test_names_of_a_listing_lead_a_command_nowhere_else(tmp_path: Path, verb: list[str], name: str) -> None:
    word, *output = verb
    fault = FAULTS["hostile-names"](names=(name,))  # type: ignore[call-arg]
    with nothing_outside(tmp_path) as inside, misbehave(fault) as server:
        url = f"{server.url}/" + ("*" if word == "get" else "")
        place = [*output, str(inside), url] if word == "get" else [url, str(inside)]
        assert main([word, *options(server), *place]) in {0, 1}


@pytest.mark.parametrize("name", ["link-first", "listing-loop"])
@pytest.mark.parametrize("machine_listings", [True, False], ids=["MLSD", "LIST"])
def test_trees_that_lead_out_or_into_themselves(tmp_path: Path, name: str, machine_listings: bool) -> None:
    with nothing_outside(tmp_path) as inside, misbehave(name, machine_listings=machine_listings) as server:
        assert main(["mirror", *options(server), f"{server.url}/", str(inside)]) in {0, 1}


def test_walk_through_a_directory_within_itself_ends(connect: Connect) -> None:
    with (
        misbehave(ListingLoop()) as server,
        connect(server.url, **patiently(server)) as ftp,
        pytest.raises(LimitError, match="loop"),
    ):
        for _ in ftp.walk("/"):
            pass


def test_nothing_moves_the_terminals_cursor(capfd: pytest.CaptureFixture[str]) -> None:
    with misbehave("hostile-names") as server:
        assert main(["ls", "-d", *options(server), f"{server.url}/"]) == 0
    shown = capfd.readouterr()
    assert "\x1b" not in shown.out + shown.err
    assert "?[2Jescaped" in shown.out


# Whom it calls


@dataclass(frozen=True)
class Lured(ForeignAddress):
    """Announces an address at which somebody counts who calls."""

    host: str = "127.0.0.3"
    calls: list[socket.socket] = field(default_factory=list, compare=False)
    doors: list[socket.socket] = field(default_factory=list, compare=False)

    def announces(self, session: Any, host: str, port: int) -> tuple[str, int]:
        self.doors.append(socket.create_server((self.host, port)))
        return self.host, port

    def close(self) -> None:
        """Count those who have called by now."""
        for door in self.doors:
            door.setblocking(False)
            with door:
                try:
                    self.calls.append(door.accept()[0])
                except BlockingIOError:
                    continue
        for call in self.calls:
            call.close()


@pytest.mark.req("C-SEC-PASV-2")
def test_nobody_else_is_called(connect: Connect) -> None:
    lured = Lured()
    with misbehave(lured) as server, connect(server.url, mode="pasv", **patiently(server)) as ftp:
        got = io.BytesIO()
        ftp.download(FILE, got)
    lured.close()
    assert (got.getvalue(), lured.calls) == (FILES[f"/{FILE}"], [])


def test_a_command_calls_nobody_else() -> None:
    lured = Lured()
    with misbehave(lured) as server:
        assert main(["get", "--mode", "pasv", *options(server), f"{server.url}/{FILE}"]) == 0
    lured.close()
    assert lured.calls == []


def test_no_server_is_sent_to_somebody_else(connect: Connect) -> None:
    lured = Lured()
    with (
        misbehave(lured) as one,
        misbehave() as other,
        connect(one.url, **patiently(one)) as source,
        connect(other.url, **patiently(other)) as target,
    ):
        source.copy(FILE, getattr(target, "_target", target), "copy.txt")
    lured.close()
    assert lured.calls == []
    assert [line for line in other.heard if line.startswith("PORT") and "127,0,0,3" in line] == []
    assert other.files["/copy.txt"] == FILES[f"/{FILE}"]


# What goes out


@pytest.mark.req("C-2640-CMD-1")
@pytest.mark.parametrize("path", ["a\nDELE b", "a\r\nDELE b", "a\0b"])
def test_line_ends_are_refused_before_a_byte_is_sent(connect: Connect, path: str, tmp_path: Path) -> None:
    with misbehave() as server, connect(server.url, **patiently(server)) as ftp:
        heard = list(server.heard)
        for operation in (ftp.mkdir, ftp.remove, ftp.scandir, ftp.cwd, ftp.size, ftp.stat):
            with pytest.raises(ArgumentError):
                operation(path)
        with pytest.raises((ArgumentError, UnsafeName)):
            ftp.download(path, tmp_path / "got")
        with pytest.raises(ArgumentError):
            ftp.upload(io.BytesIO(b"x"), path)
        assert server.heard == heard


@pytest.mark.parametrize("part", ["a%0D%0ADELE%20b", "a%0ADELE%20b", "%00"])
def test_line_ends_in_a_url_are_refused_before_anybody_is_called(part: str) -> None:
    with misbehave() as server:
        assert main(["get", *options(server), f"{server.url}/{part}"]) == 2
        assert server.sessions == 0


# TLS


@pytest.mark.parametrize("name", ["tls-refused", "data-not-protected", "clear-data"])
def test_nothing_falls_back_to_clear(connect: Connect, name: str, tmp_path: Path) -> None:
    target = tmp_path / "got"
    with misbehave(name, tls="offer") as server:
        with pytest.raises(FairleadError), connect(server.url, **patiently(server)) as ftp:
            ftp.download(FILE, target)
        secured = "AUTH TLS" in server.heard
        assert [line for line in server.heard if line.startswith("PASS")] == (
            ["PASS secret"] if name != "tls-refused" else []
        )
    assert secured
    assert not target.exists()


@pytest.mark.parametrize("name", ["tls-refused", "data-not-protected", "clear-data"])
def test_no_command_falls_back_to_clear(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "got"
    with misbehave(name, tls="offer") as server:
        assert main(["get", *options(server), "-o", str(target), f"{server.url}/{FILE}"]) in {1, 3, 5}
    assert "clear" in (said := capsys.readouterr().err) or "TLS" in said
    assert not target.exists()


@pytest.mark.parametrize(
    "reply", ["500 What?", "502 Command not implemented.", "504 Not that one.", "530 Log in first."]
)
def test_whoever_strips_tls_gets_no_password_where_it_is_required(connect: Connect, reply: str) -> None:
    with misbehave(TlsRefused(reply), tls="offer") as server:
        with pytest.raises(FairleadError, match="nothing goes in clear"):
            connect(server.url, tls="require", **patiently(server)).__enter__()
        assert server.heard == ["AUTH TLS"]


def test_upload_in_clear_is_not_made_after_prot_p(connect: Connect) -> None:
    with misbehave(ClearData(), tls="offer") as server:
        with pytest.raises(FairleadError), connect(server.url, **patiently(server)) as ftp:
            ftp.upload(io.BytesIO(b"nobody is to read this"), "b.txt")
        assert b"nobody" not in server.files.get("/b.txt", b"")


def test_what_was_said_before_tls_is_nobodys_word(connect: Connect) -> None:
    with misbehave("injected-reply", tls="offer") as server:
        try:
            with connect(server.url, **patiently(server)) as ftp:
                assert ftp.names() == ["file.bin", "a.txt", "docs"]
        except FairleadError:
            assert "PASS secret" not in server.heard  # TLS took it for what it is not
        else:
            assert "PASS secret" in server.heard


@pytest.mark.parametrize("verb", ["RETR", "MLSD"])
def test_data_cut_under_tls_is_not_whole(connect: Connect, verb: str) -> None:
    """An attacker can end a connection, but not say close_notify; SIZE proves a file to be whole all the same."""
    with misbehave("cut-tls", tls="offer") as server, connect(server.url, **patiently(server)) as ftp:
        if verb == "RETR":
            got = io.BytesIO()
            ftp.download(FILE, got)
            assert got.getvalue() == FILES[f"/{FILE}"]
        else:
            with pytest.raises(TransferError, match="close_notify"):
                ftp.scandir()


def test_sessions_of_two_users_share_no_connection() -> None:
    with misbehave() as server:
        with closing(Client(server.url)) as one, closing(Client(server.url, user="other")) as two:
            one.connect()
            two.connect()
            one.login()
            two.login()
        assert server.sessions == 2
        assert {"USER me", "USER other"} <= set(server.heard)
