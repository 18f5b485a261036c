"""Both faces against servers that nobody here wrote; the whole range of peers has its own tests in tests/interop."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fairlead.errors import LoginError, PermanentError
from fairlead.proto.entry import Kind
from tests.peers.servers import SERVERS, Server, clear

Connect = Callable[..., Any]
OCTETS = os.urandom(1_234_567)
MODES = {"127.0.0.1": ("auto", "epsv", "pasv", "eprt", "port"), "::1": ("auto", "epsv", "eprt")}
HOSTS = [(name, host) for name in ("pyftpdlib", "vsftpd") for host in MODES]
NOT_SERVED = {("pyftpdlib", "caf\udce9"), ("vsftpd", "~")}
"""Names that a server cannot have: pyftpdlib knows UTF-8 only, vsftpd takes ~ for the home directory."""


@pytest.fixture(scope="module", params=HOSTS, ids="-".join)
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    name, host = request.param
    with SERVERS[name](host) as running:
        yield running


@pytest.fixture
def url(server: Server) -> str:
    clear(server.root)
    return server.url.replace("://", f"://{server.user}:{server.password.replace(' ', '%20')}@")


def own(server: Server, path: Path) -> Path:
    """Give ``path`` to the user that the server works as."""
    if os.geteuid() == 0:
        os.chown(path, server.root.stat().st_uid, server.root.stat().st_gid)
    return path


def test_every_mode(connect: Connect, server: Server, url: str, tmp_path: Path) -> None:
    local = tmp_path / "local"
    local.write_bytes(OCTETS)
    for mode in MODES[server.host]:
        with connect(url, mode=mode) as ftp:
            stored = ftp.upload(local, f"{mode}.bin")
            fetched = ftp.download(f"{mode}.bin", tmp_path / mode)
            assert (tmp_path / mode).read_bytes() == OCTETS
            assert (server.root / f"{mode}.bin").read_bytes() == OCTETS
            assert stored.mode == fetched.mode == ("EPSV" if mode == "auto" else mode.upper())
            listed = {entry.name: (entry.kind, entry.size) for entry in ftp.scandir()}
            assert listed[f"{mode}.bin"] == (Kind.FILE, len(OCTETS))
            assert f"{mode}.bin" in ftp.names()


def test_directories(connect: Connect, url: str) -> None:
    with connect(url) as ftp:
        assert ftp.pwd() == "/"
        assert ftp.mkdir('a "quoted" name').endswith('a "quoted" name')
        ftp.cwd('a "quoted" name')
        assert ftp.pwd() == '/a "quoted" name'
        ftp.upload(io.BytesIO(b"x"), "first")
        ftp.rename("first", "second")
        assert [entry.name for entry in ftp.scandir()] == ["second"]
        assert ftp.size("second") == 1
        assert ftp.mtime("second").year >= 2024
        ftp.remove("second")
        assert ftp.scandir() == []
        ftp.cwd("..")
        ftp.rmdir('a "quoted" name')
        with pytest.raises(PermanentError):
            ftp.cwd('a "quoted" name')


@pytest.mark.parametrize("name", ["two words", "-l", "*", "grüße", "caf\udce9", "[x]", ";type=a", "~"])
def test_names_of_all_kinds(connect: Connect, server: Server, url: str, name: str) -> None:
    if (server.name, name) in NOT_SERVED:
        pytest.skip("the server cannot have this name")
    with connect(url) as ftp:
        ftp.mkdir(name)
        ftp.upload(io.BytesIO(b"octets"), f"./{name}/{name}")
        assert [entry.name for entry in ftp.scandir(name)] == [name]
        target = io.BytesIO()
        ftp.download(f"./{name}/{name}", target)
        assert target.getvalue() == b"octets"


def test_resume_both_ways(connect: Connect, server: Server, url: str, tmp_path: Path) -> None:
    local = tmp_path / "f"
    local.write_bytes(OCTETS)
    half = own(server, server.root)
    (half / "f").write_bytes(OCTETS[:500_000])
    own(server, half / "f")
    with connect(url) as ftp:
        os.utime(local, (1, 1))
        assert ftp.upload(local, "f", resume=True).offset == 500_000
        assert (server.root / "f").read_bytes() == OCTETS
        part = tmp_path / "g.part"
        part.write_bytes(OCTETS[:700_000])
        os.utime(server.root / "f", (1, 1))
        assert ftp.download("f", tmp_path / "g", resume=True).offset == 700_000
        assert (tmp_path / "g").read_bytes() == OCTETS


@pytest.mark.req("C-959-ABOR-1", "C-959-SYNC-1")
@pytest.mark.parametrize("mode", ["epsv", "eprt"])
def test_session_goes_on_after_an_abort(connect: Connect, server: Server, url: str, mode: str) -> None:
    with (server.root / "big").open("wb") as file:
        file.truncate(1 << 30)
    own(server, server.root / "big")

    def stop(_done: int, _total: int | None) -> None:
        raise InterruptedError

    with connect(url, mode=mode) as ftp:
        for _ in range(3):
            with pytest.raises(InterruptedError):
                ftp.download("big", io.BytesIO(), on_progress=stop)
            assert ftp.pwd() == "/"
            assert ftp.size("big") == 1 << 30


def test_text(connect: Connect, url: str) -> None:
    with connect(url) as ftp:
        ftp.upload(io.BytesIO(b"one\ntwo\n"), "t", text=True)
        assert ftp.size("t") in {8, 10}  # vsftpd keeps what came
        target = io.BytesIO()
        ftp.download("t", target, text=True)
        assert target.getvalue() == b"one\ntwo\n"


def test_refusals(connect: Connect, url: str, tmp_path: Path) -> None:
    with connect(url) as ftp:
        with pytest.raises(PermanentError):
            ftp.download("none", tmp_path / "none")
        assert list(tmp_path.iterdir()) == []
        assert ftp.size("none") is None


def test_refused_login(connect: Connect, server: Server) -> None:
    if server.name == "pyftpdlib":
        pytest.skip("it takes three seconds to refuse")
    with pytest.raises(LoginError), connect(server.url, user="nobody else", password="wrong"):
        pass
