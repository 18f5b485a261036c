"""The client behind proxies that nobody here wrote, which call the server from addresses of their own."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from fairlead.cli import main
from fairlead.errors import ConnectError
from fairlead.events import DataConnected
from fairlead.integrations.proxies import proxy
from fairlead.testing import FtpServer, serve
from tests.peers.proxies import PROXIES, Running

Connect = Callable[..., Any]
OCTETS = os.urandom(1_000_003)


@pytest.fixture(scope="module")
def started() -> Iterator[Callable[..., Running]]:
    """Each proxy, started when the first test asks."""
    known: dict[tuple[str, bool], Running] = {}
    with ExitStack() as stack:

        def start(scheme: str, *, login: bool = False) -> Running:
            if (scheme, login) not in known:
                known[scheme, login] = stack.enter_context(PROXIES[scheme](login=login))
            return known[scheme, login]

        yield start


def called_from(server: FtpServer) -> set[str]:
    """Where the server's connections came from."""
    data = [event.remote[0] for event in server.events if isinstance(event, DataConnected)]
    assert data, "no data connection was made"
    return {*data, *(event.peer for event in server.events)}


@pytest.mark.parametrize("tls", ["off", "require"])
@pytest.mark.parametrize("mode", ["auto", "epsv", "pasv"])
@pytest.mark.parametrize("login", [False, True], ids=["", "login"])
@pytest.mark.parametrize("scheme", PROXIES)
def test_files_and_listings(
    started: Callable[..., Running], connect: Connect, tmp_path: Path, scheme: str, login: bool, mode: str, tls: Any
) -> None:
    there = started(scheme, login=login)
    (tmp_path / "a.bin").write_bytes(OCTETS)
    with serve(tmp_path, tls=tls) as server:
        url = f"ftp://me:secret@localhost:{server.port}"
        with connect(url, proxy=proxy(there.url(scheme, login=login)), mode=mode, tls=tls, ca=server.ca) as ftp:
            got = io.BytesIO()
            ftp.download("a.bin", got)
            ftp.upload(io.BytesIO(OCTETS), "b.bin")
            assert sorted(entry.name for entry in ftp.scandir()) == ["a.bin", "b.bin"]
        assert called_from(server) == {there.source}
    assert got.getvalue() == OCTETS
    assert (tmp_path / "b.bin").read_bytes() == OCTETS


@pytest.mark.parametrize("scheme", PROXIES)
def test_the_command_line_and_the_environment(
    started: Callable[..., Running],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    scheme: str,
) -> None:
    there = started(scheme)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("ftp_proxy", there.url(scheme))
    monkeypatch.setenv("no_proxy", "elsewhere.example")
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "a.txt").write_text("hello")
    with serve(tmp_path / "root") as server:
        assert main(["ls", "-d", f"{server.url}/"]) == 0
        assert called_from(server) == {there.source}
        assert f"STATUS  by way of the proxy {there.url(scheme)}" in capsys.readouterr().err
    with serve(tmp_path / "root") as server:
        assert main(["ls", "--proxy", "", f"{server.url}/"]) == 0
        monkeypatch.setenv("no_proxy", "127.0.0.0/8")
        assert main(["ls", f"{server.url}/"]) == 0
        assert called_from(server) == {"127.0.0.1"}


@pytest.mark.parametrize("scheme", PROXIES)
def test_trees_are_mirrored(started: Callable[..., Running], tmp_path: Path, scheme: str) -> None:
    there = started(scheme)
    for name in ("root", "root/d", "home", "here"):
        (tmp_path / name).mkdir()
    for number in range(20):
        (tmp_path / "root" / "d" / f"{number}.txt").write_text("hello")
    with serve(tmp_path / "root") as server:
        assert main(["mirror", "--proxy", there.url(scheme), f"{server.url}/", str(tmp_path / "here")]) == 0
        assert called_from(server) == {there.source}
    assert len(list((tmp_path / "here" / "d").iterdir())) == 20


@pytest.mark.parametrize("scheme", PROXIES)
def test_wrong_password_of_the_proxy(started: Callable[..., Running], connect: Connect, scheme: str) -> None:
    there = started(scheme, login=True)
    with pytest.raises(ConnectError, match=f"the proxy {scheme}://.*refuses"):
        connect("ftp.example.com", proxy=proxy(f"{scheme}://me:wrong@{there.host}:{there.port}")).__enter__()


@pytest.mark.parametrize("scheme", PROXIES)
def test_server_that_is_not_there(
    started: Callable[..., Running], tmp_path: Path, connect: Connect, scheme: str
) -> None:
    with serve(tmp_path) as server:
        port = server.port
    with pytest.raises(ConnectError, match=f"127.0.0.1:{port}: "):
        connect(f"127.0.0.1:{port}", proxy=proxy(started(scheme).url(scheme))).__enter__()
