"""Our server with clients that nobody here wrote."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.interop.matrix import CONTENTS, HOSTS, NAMES
from tests.peers.clients import CLIENTS

if TYPE_CHECKING:
    from pathlib import Path

    from tests.peers.fairlead import Fairlead

ROUTES = [(name, family, mode) for name, caller in CLIENTS.items() for family in HOSTS for mode in caller.modes[family]]


@pytest.mark.parametrize(("name", "family", "mode"), ROUTES)
def test_files_go_both_ways_whole_in_every_mode(
    own: Fairlead, tmp_path: Path, name: str, family: str, mode: str
) -> None:
    server, caller = own.at(HOSTS[family]), CLIENTS[name]
    began = own.now()
    expected = 0
    for title, content in CONTENTS.items():
        source = tmp_path / "source"
        source.write_bytes(content)
        if caller.stores:
            caller.store(server, mode, source, title.encode())
            assert (own.root / title).read_bytes() == content
        else:
            (own.root / title).write_bytes(content)
        caller.fetch(server, mode, title.encode(), tmp_path / title)
        assert (tmp_path / title).read_bytes() == content
        expected += 1 + caller.stores

    assert caller.names(server, mode, tmp_path) == {title.encode() for title in CONTENTS}

    records = own.wait_for("transfer", expected + 1, since=began)
    assert {record["mode"] for record in records} == {mode.upper()}
    assert own.records("transfer-failed", since=began) == []


@pytest.mark.parametrize(("name", "family", "mode"), ROUTES)
def test_transfers_go_on_where_they_ended_in_every_mode(
    own: Fairlead, tmp_path: Path, name: str, family: str, mode: str
) -> None:
    server, caller = own.at(HOSTS[family]), CLIENTS[name]
    content, cut = CONTENTS["3 MB"], 1_234_567
    (own.root / "down").write_bytes(content)
    os.utime(own.root / "down", (0, 0))
    (tmp_path / "back").write_bytes(content[:cut])
    began = own.now()

    caller.fetch(server, mode, b"down", tmp_path / "back", resume=True)

    assert (tmp_path / "back").read_bytes() == content
    sizes = [len(content) - cut]
    if caller.resumes_storing:
        (tmp_path / "source").write_bytes(content)
        (own.root / "up").write_bytes(content[:cut])
        caller.store(server, mode, tmp_path / "source", b"up", resume=cut)
        assert (own.root / "up").read_bytes() == content
        sizes *= 2
    records = own.wait_for("transfer", len(sizes), since=began)
    assert [record["size"] for record in records if record["verb"] in {"RETR", "STOR", "APPE"}] == sizes


@pytest.mark.req("S-2640-UTF-1", "S-2640-UTF-2", "S-3659-TEL-3", "S-2640-SP-5")
@pytest.mark.parametrize("octets", NAMES, ids=ascii)
@pytest.mark.parametrize("name", CLIENTS)
def test_a_name_is_kept_as_it_is(own: Fairlead, tmp_path: Path, name: str, octets: bytes) -> None:
    caller = CLIENTS[name]
    mode = caller.modes["v4"][-1]
    server = own.at(HOSTS["v4"])
    (tmp_path / "source").write_bytes(octets)
    if caller.stores:
        caller.store(server, mode, tmp_path / "source", octets)
        assert os.listdir(os.fsencode(own.root)) == [octets]
    else:
        with open(os.fsencode(own.root) + b"/" + octets, "wb") as file:
            file.write(octets)

    caller.fetch(server, mode, octets, tmp_path / "back")

    assert (tmp_path / "back").read_bytes() == octets
    assert caller.names(server, mode, tmp_path) == {octets}
