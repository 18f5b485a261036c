"""Mirrors to and from servers that nobody here wrote, in clear and under TLS."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from fairlead.client.mirror.local import scan
from fairlead.client.mirror.parts import part_of
from fairlead.client.sync import Client
from tests.client.mirror.trees import contents, grow, times
from tests.interop.matrix import Served
from tests.peers.servers import Server

BIG = os.urandom(3_000_001)
FILES = {
    "plain.txt": b"plain",
    "empty": b"",
    ".hidden/.too": b"dots",
    "d/two words.txt": b"two words" * 999,
    "d/naïve 日本 🚢.txt": b"letters",
    "d e/[f]/*": b"magic",
    "-dash/-l": b"dash",
    "d/nothing in it/": b"",
    "big": BIG,
}


@pytest.fixture
def server(served: Served) -> Server:
    return served.server


@pytest.fixture
def ftp(served: Served) -> Iterator[Client]:
    with Client(
        served.server.url,
        user=served.server.user,
        password=served.server.password,
        tls="require" if served.certificate else "off",
        ca=served.certificate,
        retry_delay=0.001,
    ) as client:
        yield client


def test_there_and_back_again(ftp: Client, server: Server, tmp_path: Path) -> None:
    mine = grow(tmp_path / "mine", FILES)
    stored = ftp.mirror("in/it", mine, upload=True, delete=True)
    assert stored.troubles == []
    assert contents(server.root / "in" / "it") == contents(mine)
    assert times(server.root / "in" / "it") == times(mine)
    assert ftp.mirror("in/it", mine, upload=True, delete=True).plan.steps == ()
    fetched = ftp.mirror("in/it", tmp_path / "back", verify=True)
    assert fetched.troubles == []
    assert contents(tmp_path / "back") == contents(mine)
    assert times(tmp_path / "back") == times(mine)
    assert ftp.mirror("in/it", tmp_path / "back", delete=True).plan.steps == ()


@pytest.mark.parametrize("upload", [False, True])
def test_only_what_differs_moves(ftp: Client, server: Server, tmp_path: Path, upload: bool) -> None:
    mine = tmp_path / "mine"
    source, target = (mine, server.root / "x") if upload else (server.root / "x", mine)
    grow(source, {"same": b"1", "changed": b"22", "new/f": b"3", "was": b"4"}, owner=None if upload else server.root)
    grow(target, {"same": b"1", "changed": b"2", "old/f": b"3", "was/": b""}, owner=server.root if upload else None)
    result = ftp.mirror("x", mine, upload=upload, delete=True)
    assert result.troubles == []
    assert contents(target) == contents(source)
    assert result.octets == 4


@pytest.mark.parametrize("upload", [False, True])
def test_part_is_gone_on_with(ftp: Client, server: Server, tmp_path: Path, upload: bool) -> None:
    mine = tmp_path / "mine"
    source, target = (mine, server.root / "x") if upload else (server.root / "x", mine)
    grow(source, {"big": BIG}, owner=None if upload else server.root)
    part = part_of(scan(source, lambda *_: True).items["big"])
    if not upload and not {"MLSD", "MLST"} & set(ftp.features or ()):  # its listings have no seconds
        part = ""
    grow(target, {part or "other": BIG[:2_000_000]}, owner=server.root if upload else None)
    os.utime(target / (part or "other"))
    result = ftp.mirror("x", mine, upload=upload, verify=True)
    assert result.troubles == []
    assert contents(target)["big"] == BIG
    assert result.octets == (1_000_001 if part else len(BIG))


def test_link_on_the_server_is_removed_and_not_what_it_leads_to(ftp: Client, server: Server, tmp_path: Path) -> None:
    grow(server.root, {"other/f": b"theirs", "x/old": b"theirs"}, owner=server.root)
    (server.root / "x" / "link").symlink_to("../other")
    ftp.mirror("x", grow(tmp_path / "mine", {"new": b"mine"}), upload=True, delete=True)
    assert contents(server.root) == {"other": None, "other/f": b"theirs", "x": None, "x/new": b"mine"}


def test_nothing_is_removed_where_a_directory_cannot_be_listed(ftp: Client, server: Server, tmp_path: Path) -> None:
    if os.geteuid() != 0 or server.name in {"fairlead", "pyftpdlib"}:
        pytest.skip("nothing is forbidden to root, as whom the server works")
    grow(server.root, {"d/f": b"theirs", "g": b"theirs"})
    (server.root / "d").chmod(0o711)
    mine = grow(tmp_path / "mine", {"d/kept": b"mine", "old": b"mine"})
    result = ftp.mirror("", mine, delete=True)
    assert contents(mine) == {"d": None, "d/kept": b"mine", "old": b"mine", "g": b"theirs"}
    assert [trouble.path for trouble in result.troubles] == ["d"]
    assert result.kept == 2
