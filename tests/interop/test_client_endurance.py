"""Our client with real servers whose control connections are lost at the worst moments, and in several sessions."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from fairlead import AsyncClient, Client
from fairlead.client.pool import Pool
from fairlead.client.trace import CommandSent, InSegments, Record, Settled, TryingAgain
from tests.peers.fairlead import fairlead
from tests.peers.middle import middle
from tests.peers.servers import OWNER_ID, SERVERS

if TYPE_CHECKING:
    from tests.peers.servers import Server

    ServerOf = Callable[..., Server]

NAMES = ["fairlead", *SERVERS]
OCTETS = os.urandom(8 << 20)
SLOWLY = 16 << 20
"""Octets a second: half a second for all of them."""


@pytest.fixture
def any_server(server_of: ServerOf, request: pytest.FixtureRequest) -> Callable[[str], Server]:
    """Gives our own server or that of others by its name."""

    def of(name: str) -> Server:
        if name != "fairlead":
            return server_of(name, "v4")
        own: Server = request.getfixturevalue("own").at("127.0.0.1")
        return own

    return of


def settings(server: Server, **more: Any) -> dict[str, Any]:
    return {"user": server.user, "password": server.password, "tls": "off", "retry_delay": 0.05} | more


def lay(server: Server, name: str, octets: bytes) -> None:
    path = server.root / name
    path.write_bytes(octets)
    if os.geteuid() == 0:
        os.chown(path, OWNER_ID, OWNER_ID)


@pytest.mark.req("C-1123-RPL-10")
@pytest.mark.parametrize("name", NAMES)
def test_swallowed_final_reply_is_settled(any_server: Callable[[str], Server], tmp_path: Path, name: str) -> None:
    server = any_server(name)
    lay(server, "down", OCTETS)
    (tmp_path / "up").write_bytes(OCTETS)
    records: list[Record] = []
    with (
        middle(server.host, server.port) as between,
        Client(f"ftp://{between.host}:{between.port}", **settings(server), trace=records.append) as ftp,
    ):
        between.swallow = lambda line: line[:4] == b"226 "
        ftp.download("down", tmp_path / "down")
        ftp.upload(tmp_path / "up", "up")
        between.swallow = lambda _line: False
        assert ftp.size("up") == len(OCTETS)
    assert (tmp_path / "down").read_bytes() == OCTETS
    assert (server.root / "up").read_bytes() == OCTETS
    assert [record.path for record in records if isinstance(record, Settled)] == ["down", "up"]
    assert between.connections == 3


@pytest.mark.req("C-3659-RST-1")
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("direction", ["down", "up"])
def test_transfer_that_loses_its_session_comes_to_its_end(
    any_server: Callable[[str], Server], tmp_path: Path, name: str, direction: str
) -> None:
    server = any_server(name)
    lay(server, "down", OCTETS)
    (tmp_path / "up").write_bytes(OCTETS)
    records: list[Record] = []
    cut: list[int] = []
    with (
        middle(server.host, server.port) as between,
        Client(
            f"ftp://{between.host}:{between.port}",
            **settings(server, retries=3, limit_rate=SLOWLY),
            trace=records.append,
        ) as ftp,
    ):

        def progress(done: int, _total: int | None) -> None:
            if done > len(OCTETS) // 2 and not cut:
                cut.append(done)
                between.cut()

        if direction == "down":
            ftp.download("down", tmp_path / "down", verify=True, on_progress=progress)
        else:
            ftp.upload(tmp_path / "up", "up", verify=True, on_progress=progress)
    here, there = (tmp_path / direction).read_bytes(), (server.root / direction).read_bytes()
    assert here == there == OCTETS
    assert cut
    assert any(isinstance(record, TryingAgain | Settled) for record in records)


@pytest.mark.req("C-959-SYNC-1")
@pytest.mark.parametrize("name", NAMES)
def test_noop_during_transfers_leaves_replies_in_step(
    any_server: Callable[[str], Server], tmp_path: Path, name: str
) -> None:
    server = any_server(name)
    lay(server, "down", OCTETS)
    (tmp_path / "up").write_bytes(OCTETS)
    records: list[Record] = []
    choices = settings(server, noop_interval=0.1, limit_rate=SLOWLY)
    with Client(server.url, **choices, trace=records.append) as ftp:
        ftp.download("down", tmp_path / "down")
        assert ftp.size("down") == len(OCTETS)
        ftp.upload(tmp_path / "up", "up")
        assert ftp.size("up") == len(OCTETS)
        assert ftp.pwd() == "/"
    assert (tmp_path / "down").read_bytes() == (server.root / "up").read_bytes() == OCTETS
    assert sum(isinstance(record, CommandSent) and record.text == "NOOP" for record in records) >= 4


@pytest.mark.req("C-3659-RST-1")
@pytest.mark.parametrize("name", NAMES)
def test_file_comes_in_segments(any_server: Callable[[str], Server], tmp_path: Path, name: str) -> None:
    server = any_server(name)
    lay(server, "down", OCTETS)
    records: list[Record] = []
    choices = settings(server, limit_rate=SLOWLY)
    with Client(server.url, **choices, trace=records.append) as ftp:
        ftp.download("down", tmp_path / "down", parallel=4, verify=True)
        assert ftp.size("down") == len(OCTETS)
    assert (tmp_path / "down").read_bytes() == OCTETS
    assert sum(isinstance(record, InSegments) for record in records) > 1


@pytest.mark.parametrize("name", NAMES)
def test_many_files_go_side_by_side(any_server: Callable[[str], Server], name: str) -> None:
    server = any_server(name)
    contents = {f"f{number}": bytes([number]) * 10_000 for number in range(20)}

    async def store_and_fetch(pool: Pool, title: str, into: dict[str, bytes]) -> None:
        async with pool.client() as ftp:
            place = server.root.parent / title
            place.write_bytes(contents[title])
            await ftp.upload(place, title)
            await ftp.download(title, place)
            into[title] = place.read_bytes()

    async def main() -> dict[str, bytes]:
        fetched: dict[str, bytes] = {}
        async with Pool(server.url, size=4, **settings(server)) as pool:
            async with asyncio.TaskGroup() as group:
                for title in contents:
                    group.create_task(store_and_fetch(pool, title, fetched))
            async with pool.metadata() as ftp:
                assert isinstance(ftp, AsyncClient)
                assert {entry.name for entry in await ftp.scandir()} == set(contents)
        return fetched

    assert asyncio.run(main()) == contents


@pytest.mark.parametrize("name", ["fairlead", "vsftpd", "proftpd", "pureftpd"])
def test_limit_of_sessions_is_learned_and_kept(name: str) -> None:
    """ProFTPD and Pure-FTPd say so at the login or before it, vsftpd before the greeting."""

    async def main(server: Server) -> None:
        async with Pool(server.url, size=6, **settings(server)) as pool:
            while pool.limit > 2:
                both = asyncio.Barrier(2)
                await asyncio.gather(*(ask(pool, both) for _ in range(24)))
            assert (pool.limit, pool.sessions) == (2, 2)

    async def ask(pool: Pool, both: asyncio.Barrier) -> None:
        async with pool.client() as ftp:
            await both.wait()
            assert await ftp.pwd() == "/"

    with ExitStack() as stack:
        if name == "fairlead":
            server = stack.enter_context(fairlead("--max-sessions", "2", hosts=("127.0.0.1",))).at("127.0.0.1")
        else:
            server = stack.enter_context(SERVERS[name]("127.0.0.1", sessions=2))
        asyncio.run(main(server))
