"""A file in several sessions at once, from our own server."""

from __future__ import annotations

import errno
import io
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fairlead.client._transfer import Transfers
from fairlead.client.segments import fetch as segments
from fairlead.client.segments.board import SMALLEST
from fairlead.client.segments.gapped import GappedFile
from fairlead.client.trace import InSegments, Record
from fairlead.errors import SessionLost, TransferError, UnsafeName
from tests.peers.embedded import Embedded, embedded
from tests.peers.faces import connect

__all__ = ["connect"]
Connect = Callable[..., Any]
OCTETS = os.urandom(6 * SMALLEST + 17)


SLOWLY = 12 * SMALLEST
"""Octets a second, so that one session is not done before the next one begins."""


class Stopped(Exception):
    pass


@pytest.fixture(scope="module")
def _server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedded]:
    with embedded(tmp_path_factory.mktemp("served")) as server:
        yield server


@pytest.fixture
def server(_server: Embedded) -> Embedded:
    """A server with the file ``f``."""
    (_server.root / "f").write_bytes(OCTETS)
    return _server


@pytest.fixture
def records() -> list[Record]:
    return []


def spans(records: list[Record]) -> list[InSegments]:
    return [record for record in records if isinstance(record, InSegments)]


def test_file_comes_in_segments_side_by_side(
    connect: Connect, server: Embedded, tmp_path: Path, records: list[Record]
) -> None:
    done: list[tuple[int, int | None]] = []
    with connect(server.url, trace=records.append, limit_rate=SLOWLY) as ftp:
        result = ftp.download(
            "f",
            tmp_path,
            parallel=3,
            verify=True,
            times=True,
            on_progress=lambda so_far, total: done.append((so_far, total)),
        )
    assert (tmp_path / "f").read_bytes() == OCTETS
    assert (result.size, result.offset, result.mode, result.verified) == (len(OCTETS), 0, "EPSV", "HASH SHA-256")
    assert int((tmp_path / "f").stat().st_mtime) == int((server.root / "f").stat().st_mtime)
    assert len(spans(records)) >= 2
    assert done[-1] == (len(OCTETS), len(OCTETS))
    assert done == sorted(done)
    assert [path.name for path in tmp_path.iterdir()] == ["f"]


def test_stopped_download_goes_on(connect: Connect, server: Embedded, tmp_path: Path) -> None:
    def stop(done: int, _total: int | None) -> None:
        if done > len(OCTETS) // 2:
            raise Stopped

    with connect(server.url) as ftp:
        with pytest.raises(Stopped):
            ftp.download("f", tmp_path / "f", parallel=3, on_progress=stop)
        assert [path.name for path in tmp_path.iterdir()] == ["f.parts"]
        result = ftp.download("f", tmp_path / "f", parallel=3, resume=True, verify=True)
    assert result.offset > len(OCTETS) // 2
    assert result.offset + result.size == len(OCTETS)
    assert (tmp_path / "f").read_bytes() == OCTETS


def test_path_is_that_of_the_clients_directory(connect: Connect, server: Embedded, tmp_path: Path) -> None:
    (server.root / "d").mkdir(exist_ok=True)
    (server.root / "d" / "g").write_bytes(OCTETS[::-1])
    with connect(server.url) as ftp:
        ftp.cwd("d")
        ftp.download("g", tmp_path, parallel=2)
    assert (tmp_path / "g").read_bytes() == OCTETS[::-1]


@pytest.mark.parametrize("why", ["short", "text", "stream", "records", "no REST", "REST refused"])
def test_one_session_serves_where_several_cannot(
    why: str,
    connect: Connect,
    server: Embedded,
    tmp_path: Path,
    records: list[Record],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if why == "short":
        (server.root / "f").write_bytes(b"short")
    if why == "no REST":
        monkeypatch.setattr("fairlead.client._login.parse_features", lambda _reply: {"SIZE": "", "MDTM": ""})
    if why == "REST refused":

        async def refused(*_: object) -> int:
            return 0

        monkeypatch.setattr(Transfers, "_restart", refused)
    structure = "R" if why == "records" else "F"
    with connect(server.url, structure=structure, trace=records.append) as ftp:
        target = io.BytesIO() if why == "stream" else tmp_path / "f"
        ftp.download("f", target, parallel=3, text=why == "text")
    if why not in {"text", "records"}:
        expected = b"short" if why == "short" else OCTETS
        assert (target.getvalue() if isinstance(target, io.BytesIO) else target.read_bytes()) == expected
    assert bool(spans(records)) is (why == "REST refused")
    assert not (tmp_path / "f.parts").exists()


def test_server_that_takes_no_further_session(connect: Connect, tmp_path: Path, records: list[Record]) -> None:
    served = tmp_path / "served"
    served.mkdir()
    (served / "f").write_bytes(OCTETS)
    with embedded(served, max_sessions=1) as server, connect(server.url, trace=records.append) as ftp:
        ftp.download("f", tmp_path / "f", parallel=3)
    assert (tmp_path / "f").read_bytes() == OCTETS
    assert spans(records) == []


def test_server_that_takes_few_sessions(connect: Connect, tmp_path: Path) -> None:
    served = tmp_path / "served"
    served.mkdir()
    (served / "f").write_bytes(OCTETS)
    with embedded(served, max_sessions=2) as server, connect(server.url) as ftp:
        ftp.download("f", tmp_path / "f", parallel=4)
    assert (tmp_path / "f").read_bytes() == OCTETS


def test_others_take_over_from_a_session_that_fails(
    connect: Connect, server: Embedded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch = segments._Fetch._segment
    failed: list[object] = []

    async def failing(self: segments._Fetch, session: Any, segment: Any) -> None:
        if not failed:
            failed.append(segment)
            raise SessionLost("gone")
        await fetch(self, session, segment)

    monkeypatch.setattr(segments._Fetch, "_segment", failing)
    with connect(server.url) as ftp:
        ftp.download("f", tmp_path / "f", parallel=3)
    assert failed
    assert (tmp_path / "f").read_bytes() == OCTETS


def test_failure_of_all_sessions_is_that_of_the_download(
    connect: Connect, server: Embedded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def failing(*_: object) -> None:
        raise SessionLost("gone")

    monkeypatch.setattr(segments._Fetch, "_segment", failing)
    with connect(server.url) as ftp, pytest.raises(SessionLost, match="gone"):
        ftp.download("f", tmp_path / "f", parallel=3)


def test_failure_to_write_is_raised_as_it_is(
    connect: Connect, server: Embedded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(GappedFile, "write", full)
    with connect(server.url) as ftp, pytest.raises(OSError, match="No space left"):
        ftp.download("f", tmp_path / "f", parallel=3)


def test_file_that_changes_meanwhile_is_not_kept(connect: Connect, server: Embedded, tmp_path: Path) -> None:
    def change(_done: int, _total: int | None) -> None:
        os.utime(server.root / "f", (1, 1))

    with connect(server.url) as ftp, pytest.raises(TransferError, match="was changed"):
        ftp.download("f", tmp_path / "f", parallel=3, on_progress=change)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.req("C-SEC-NAME-1")
def test_name_leads_nowhere_else(connect: Connect, server: Embedded, tmp_path: Path) -> None:
    with connect(server.url) as ftp, pytest.raises(UnsafeName):
        ftp.download("d/..", tmp_path, parallel=3)
