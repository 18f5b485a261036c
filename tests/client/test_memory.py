"""Which mode served is remembered by server and network, in a file that nothing can spoil for long."""

from __future__ import annotations

import io
import json
import os
import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from fairlead.client._memory import network_of
from fairlead.client.memory import LIFETIME, LIMIT, ModeMemory
from fairlead.errors import DataConnectionError
from tests.client.reactive import CLOSED, LISTING, OPEN, SILENT, World

SERVER, NETWORK = "ftp://192.0.2.90", "192.0.2.0/24"


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.time = 1_800_000_000.0

    def __call__(self) -> float:
        return self.time


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def memory(tmp_path: Path, clock: Clock) -> ModeMemory:
    return ModeMemory(tmp_path / "state" / "modes.json", clock=clock)


def again(memory: ModeMemory, clock: Clock) -> ModeMemory:
    """The memory of the next session."""
    return ModeMemory(memory.path, clock=clock)


def test_mode_is_known_to_the_next_session(memory: ModeMemory, clock: Clock) -> None:
    assert memory.recall(SERVER, NETWORK) is None
    assert memory.remember(SERVER, NETWORK, "EPRT")
    assert again(memory, clock).recall(SERVER, NETWORK) == "EPRT"
    assert memory.recall(SERVER, "198.51.100.0/24") is None
    assert memory.recall("ftp://192.0.2.91", NETWORK) is None


def test_last_mode_counts(memory: ModeMemory) -> None:
    assert memory.remember(SERVER, NETWORK, "EPRT")
    assert memory.remember(SERVER, NETWORK, "PASV")
    assert not memory.remember(SERVER, NETWORK, "PASV")
    assert memory.recall(SERVER, NETWORK) == "PASV"
    assert len(json.loads(memory.path.read_text())["modes"]) == 1


def test_forgotten_is_forgotten(memory: ModeMemory) -> None:
    memory.remember(SERVER, NETWORK, "EPRT")
    memory.forget("ftp://other", NETWORK)
    assert memory.recall(SERVER, NETWORK) == "EPRT"
    memory.forget(SERVER, NETWORK)
    assert memory.recall(SERVER, NETWORK) is None


def test_only_the_owner_may_read_it(memory: ModeMemory) -> None:
    memory.remember(SERVER, NETWORK, "EPRT")
    assert stat.S_IMODE(memory.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(memory.path.parent.stat().st_mode) == 0o700
    assert os.listdir(memory.path.parent) == ["modes.json"]


def test_month_without_use_is_forgotten_and_use_is_written_down_once_a_day(memory: ModeMemory, clock: Clock) -> None:
    memory.remember(SERVER, NETWORK, "EPRT")
    first = memory.path.stat().st_ino
    clock.time += 3600
    memory.remember(SERVER, NETWORK, "EPRT")
    assert memory.path.stat().st_ino == first
    clock.time += LIFETIME / 2
    assert not memory.remember(SERVER, NETWORK, "EPRT")
    clock.time += LIFETIME - 1
    assert memory.recall(SERVER, NETWORK) == "EPRT"
    clock.time += 1
    assert memory.recall(SERVER, NETWORK) is None


def test_clock_that_was_set_back(memory: ModeMemory, clock: Clock) -> None:
    memory.remember(SERVER, NETWORK, "EPRT")
    clock.time -= 3600
    assert memory.recall(SERVER, NETWORK) is None


def test_oldest_make_room(memory: ModeMemory, clock: Clock) -> None:
    old = [{"server": f"ftp://{n}", "network": NETWORK, "mode": "EPSV", "at": clock.time - n} for n in range(LIMIT)]
    memory.path.parent.mkdir()
    memory.path.write_text(json.dumps({"modes": old}))
    memory.remember(SERVER, NETWORK, "EPRT")
    assert len(json.loads(memory.path.read_text())["modes"]) == LIMIT
    assert memory.recall("ftp://0", NETWORK) == "EPSV"
    assert memory.recall(f"ftp://{LIMIT - 1}", NETWORK) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "7",
        '{"modes": 7}',
        '{"modes": [7]}',
        '{"modes": [{"server": "s"}]}',
        '{"modes": [{"server": "s", "network": "n", "mode": "m", "at": "today"}]}',
        "[" * 100_000,
        " " * (1 << 20) + '{"modes": []}',
        "\udcff",
    ],
)
def test_damaged_file_counts_as_empty_and_is_written_anew(memory: ModeMemory, text: str) -> None:
    memory.path.parent.mkdir()
    memory.path.write_bytes(text.encode("utf-8", "surrogateescape"))
    assert memory.recall(SERVER, NETWORK) is None
    memory.forget(SERVER, NETWORK)
    memory.remember(SERVER, NETWORK, "EPRT")
    assert memory.recall(SERVER, NETWORK) == "EPRT"


def test_place_that_cannot_be_written_to_is_no_failure(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    memory = ModeMemory(tmp_path / "file" / "modes.json")
    memory.remember(SERVER, NETWORK, "EPRT")
    assert memory.recall(SERVER, NETWORK) is None
    (tmp_path / "folder").mkdir()
    ModeMemory(tmp_path / "folder").remember(SERVER, NETWORK, "EPRT")
    assert sorted(os.listdir(tmp_path)) == ["file", "folder"]


def test_many_writers_leave_a_whole_file(memory: ModeMemory, clock: Clock) -> None:
    def write(number: int) -> bool:
        return ModeMemory(memory.path, clock=clock).remember(f"ftp://{number}", NETWORK, "EPSV")

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(write, range(64)))
    kept = json.loads(memory.path.read_text())["modes"]
    assert 1 <= len(kept) <= 64
    assert os.listdir(memory.path.parent) == ["modes.json"]


@pytest.mark.parametrize(
    ("local", "network"),
    [
        ("192.168.1.77", "192.168.1.0/24"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
    ],
)
def test_network_is_that_of_the_local_address(local: str, network: str) -> None:
    assert network_of(local) == network


Visit = Callable[..., tuple[float, World]]


@pytest.fixture
def visit(memory: ModeMemory) -> Visit:
    """One session, with a server in the given surroundings: the seconds until its first listing."""

    def listing(**surroundings: Any) -> tuple[float, World]:
        world = World(**surroundings)
        with world.client(memory=memory) as ftp:
            return world.seconds(ftp), world

    return listing


def test_next_session_begins_with_what_worked(visit: Visit) -> None:
    took, world = visit(then=SILENT)
    assert took > 0.4
    assert "STATUS  remembering for this network: EPRT" in world.said
    took, world = visit(then=SILENT)
    assert took < 0.1
    assert world.heard() == ["EPRT", "LIST"]
    assert "STATUS  EPRT served last time in this network, trying it first" in world.said
    assert "remembering" not in world.said


def test_remembered_way_that_fails_gives_way_and_is_replaced(memory: ModeMemory, visit: Visit) -> None:
    memory.remember(SERVER, NETWORK, "PASV")
    took, world = visit(ports=[SILENT])
    assert 1.2 < took < 1.5
    assert world.heard() == ["PASV", "EPSV", "LIST"]
    assert memory.recall(SERVER, NETWORK) == "EPSV"


def test_remembered_active_mode_that_is_blocked_now(memory: ModeMemory, visit: Visit) -> None:
    memory.remember(SERVER, NETWORK, "PORT")
    took, world = visit(calls=SILENT, deaf=False)
    assert took < 3
    assert world.heard() == ["PORT", "LIST", "ABOR", "EPSV", "LIST"]
    assert memory.recall(SERVER, NETWORK) == "EPSV"


@pytest.mark.parametrize("eager", [False, True])
def test_new_session_takes_the_place_of_one_that_hears_nothing_any_more(memory: ModeMemory, eager: bool) -> None:
    memory.remember(SERVER, NETWORK, "EPRT")
    world = World(calls=SILENT, eager=eager)
    with world.client(memory=memory) as ftp:
        ftp.cwd("pub")
        assert world.seconds(ftp) < 2
        assert world.heard(0) == (["EPRT"] if eager else ["EPRT", "LIST"])
        assert "CWD" in world.sessions[1].heard
        assert world.heard(1) == ["EPSV", "LIST"]
        assert world.seconds(ftp) < 0.1
        assert ftp.pwd() == "/"
    assert "STATUS  the server hears nothing any more, going on in a new session from :" in world.said
    assert memory.recall(SERVER, NETWORK) == "EPSV"


def test_session_that_cannot_be_replaced_fails_in_one_sentence(memory: ModeMemory) -> None:
    for surroundings in ({"sessions": 1}, {"refusals": {"TYPE": "504 not that"}}):
        memory.remember(SERVER, NETWORK, "EPRT")
        world = World(calls=SILENT, **surroundings)
        with world.client(memory=memory) as ftp, pytest.raises(DataConnectionError, match="EPRT: the server did not"):
            ftp.scandir()
        assert memory.recall(SERVER, NETWORK) is None


def test_session_in_which_something_was_changed_is_not_replaced(memory: ModeMemory) -> None:
    memory.remember(SERVER, NETWORK, "EPRT")
    world = World(calls=SILENT)
    with world.client(memory=memory) as ftp:
        ftp.command("SITE", "UMASK 077")
        with pytest.raises(DataConnectionError, match="EPRT: the server did not call"):
            ftp.scandir()
    assert len(world.sessions) == 1
    assert memory.recall(SERVER, NETWORK) is None


@pytest.mark.parametrize("calls", [OPEN, SILENT])
def test_upload_goes_by_a_remembered_active_mode_only_once_that_is_known_to_work(
    memory: ModeMemory, calls: str
) -> None:
    memory.remember(SERVER, NETWORK, "EPRT")
    world = World(ports=[SILENT], calls=calls)
    with world.client(memory=memory) as ftp:
        ftp.upload(io.BytesIO(LISTING), "f")
    assert world.sessions[0].stored == LISTING
    assert world.heard(1) == ["EPRT", "LIST"]
    assert world.heard(0).count("STOR") == 1


def test_nothing_is_remembered_where_nothing_worked(memory: ModeMemory, visit: Visit) -> None:
    memory.remember(SERVER, NETWORK, "EPSV")
    with pytest.raises(DataConnectionError):
        visit(then=CLOSED, calls=CLOSED)
    assert memory.recall(SERVER, NETWORK) is None


def test_mode_that_does_not_exist_is_not_tried(memory: ModeMemory, visit: Visit) -> None:
    memory.remember(SERVER, NETWORK, "XYZZY")
    _, world = visit()
    assert world.heard() == ["EPSV", "LIST"]
    assert "last time" not in world.said


def test_promise_to_use_epsv_only_goes_before_what_is_remembered(memory: ModeMemory) -> None:
    memory.remember(SERVER, NETWORK, "EPRT")
    world = World()
    with world.client(memory=memory, epsv_all=True) as ftp:
        world.seconds(ftp)
    assert world.heard() == ["EPSV", "EPSV", "LIST"]


def test_chosen_mode_neither_asks_nor_tells_the_memory(memory: ModeMemory) -> None:
    memory.remember(SERVER, NETWORK, "EPRT")
    world = World()
    with world.client(memory=memory, mode="pasv") as ftp:
        world.seconds(ftp)
    assert world.heard() == ["PASV", "LIST"]
    assert memory.recall(SERVER, NETWORK) == "EPRT"


def test_file_may_be_given_by_its_name(tmp_path: Path) -> None:
    world = World()
    with world.client(memory=str(tmp_path / "modes.json")) as ftp:
        world.seconds(ftp)
    assert ModeMemory(tmp_path / "modes.json").recall(SERVER, NETWORK) == "EPSV"


def test_without_one_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    world = World()
    with world.client() as ftp:
        world.seconds(ftp)
    assert os.listdir(tmp_path) == []
