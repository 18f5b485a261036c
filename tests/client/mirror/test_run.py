"""Whole mirrors, both ways, with our own server."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from fairlead.client._local import Part
from fairlead.client.mirror.local import scan
from fairlead.client.mirror.parts import part_of
from fairlead.client.mirror.plan import Action
from fairlead.client.mirror.run import Again, Began, Done, Event, Failed, Moved, Planned
from fairlead.client.mirror.tree import Trouble
from fairlead.client.sync import Client
from fairlead.errors import NoSuchName, TransferError
from fairlead.proto.entry import Entry
from fairlead.testing import misbehave
from fairlead.testing.answering import Session
from tests.client.mirror.trees import THEN, contents, grow, times
from tests.peers.fairlead import fairlead
from tests.peers.servers import Server, clear

Connect = Callable[..., Any]
FILES = {
    "a.txt": b"first",
    "empty": b"",
    "d/b.txt": b"second" * 1000,
    "d/e/ä ö.txt": b"third",
    "d/e/-l": b"fourth",
    "nothing/": b"",
}
BIG = os.urandom(2_000_000)


@pytest.fixture(scope="module")
def _served() -> Iterator[Server]:
    with fairlead(hosts=("127.0.0.1",)) as running:
        yield running.at("127.0.0.1")


@pytest.fixture
def server(_served: Server) -> Server:
    clear(_served.root)
    return _served


@pytest.fixture
def login(server: Server) -> dict[str, Any]:
    return {"url": server.url, "user": server.user, "password": server.password, "tls": "off", "retry_delay": 0.001}


@pytest.fixture
def ftp(login: dict[str, Any]) -> Iterator[Client]:
    with Client(**login) as client:
        yield client


def done(result: Any) -> dict[str, int]:
    return {action.value: count for action, count in result.done.items() if count}


def test_fetch_a_tree_and_nothing_the_second_time(
    connect: Connect, login: dict[str, Any], server: Server, tmp_path: Path
) -> None:
    grow(server.root / "pub", FILES)
    with connect(**login) as ftp:
        result = ftp.mirror("pub", tmp_path / "here" / "pub")
        again = ftp.mirror("/pub/", tmp_path / "here" / "pub")
    assert contents(tmp_path / "here" / "pub") == contents(server.root / "pub")
    assert times(tmp_path / "here" / "pub") == times(server.root / "pub")
    assert done(result) == {"mkdir": 3, "copy": 5}
    assert result.octets == sum(map(len, FILES.values()))
    assert (done(again), again.plan.unchanged, again.complete) == ({}, 5, True)


def test_store_a_tree_and_nothing_the_second_time(
    connect: Connect, login: dict[str, Any], server: Server, tmp_path: Path
) -> None:
    grow(tmp_path / "mine", FILES)
    with connect(**login) as ftp:
        result = ftp.mirror("in/box", tmp_path / "mine", upload=True, verify=True)
        again = ftp.mirror("in/box", tmp_path / "mine", upload=True)
    assert contents(server.root / "in" / "box") == contents(tmp_path / "mine")
    assert times(server.root / "in" / "box") == times(tmp_path / "mine")
    assert done(result) == {"mkdir": 3, "copy": 5}
    assert (done(again), again.plan.unchanged) == ({}, 5)


@pytest.mark.parametrize("upload", [False, True])
def test_target_becomes_like_the_source(ftp: Client, server: Server, tmp_path: Path, upload: bool) -> None:
    grow(server.root / "x", {"same": b"1", "changed": b"22", "new": b"3", "d/f": b"4", "was": b"5", "now/": b""})
    mine = grow(tmp_path / "x", {"same": b"1", "changed": b"9", "old": b"3", "e/g/h": b"4", "now": b"5", "was/": b""})
    result = ftp.mirror("x", mine, upload=upload, delete=True)
    assert contents(mine) == contents(server.root / "x")
    assert ("changed" in contents(mine), ("old" in contents(mine))) == (True, upload)
    assert result.complete
    assert not ftp.mirror("x", mine, upload=upload, delete=True).plan.steps


@pytest.mark.parametrize("upload", [False, True])
def test_dry_run_touches_nothing(ftp: Client, server: Server, tmp_path: Path, upload: bool) -> None:
    grow(server.root / "x", {"a": b"1", "b": b"2"})
    mine = grow(tmp_path / "x", {"b": b"22", "c": b"3"})
    before = contents(server.root), contents(mine)
    result = ftp.mirror("x", mine, upload=upload, delete=True, dry_run=True)
    assert len(result.plan.steps) == 3
    assert not ftp.mirror("x", tmp_path / "none", dry_run=True).done[Action.COPY]
    assert (contents(server.root), contents(mine)) == before
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("upload", [False, True])
def test_only_newer_files_replace_others(ftp: Client, server: Server, tmp_path: Path, upload: bool) -> None:
    grow(server.root, {"old": b"server", "new": b"server"})
    mine = grow(tmp_path / "x", {"new": b"mine", "old": b"mine"})
    source, target = (mine, server.root) if upload else (server.root, mine)
    ftp.mirror("", mine, upload=upload, newer=True)
    newer = "old" if upload else "new"
    assert (target / newer).read_bytes() == (source / newer).read_bytes()
    other = "new" if upload else "old"
    assert (target / other).read_bytes() != (source / other).read_bytes()


@pytest.mark.parametrize("upload", [False, True])
@pytest.mark.parametrize("verify", [False, True])
def test_part_is_gone_on_with(ftp: Client, server: Server, tmp_path: Path, upload: bool, verify: bool) -> None:
    mine = tmp_path / "x"
    source, target = (mine, server.root / "x") if upload else (server.root / "x", mine)
    grow(source, {"d/big": BIG})
    (item,) = (item for path, item in scan(source, lambda *_: True).items.items() if path == "d/big")
    grow(target, {part_of(item): BIG[:1_500_000]}, owner=server.root if upload else None)
    os.utime(target / part_of(item))
    result = ftp.mirror("x", mine, upload=upload, verify=verify)
    assert result.octets == 500_000
    assert contents(mine) == contents(server.root / "x") == {"d": None, "d/big": BIG}


@pytest.mark.parametrize("upload", [False, True])
def test_part_that_is_whole_is_not_transferred_again(ftp: Client, server: Server, tmp_path: Path, upload: bool) -> None:
    mine = tmp_path / "x"
    source, target = (mine, server.root / "x") if upload else (server.root / "x", mine)
    grow(source, {"f": b"octets"})
    grow(target, {part_of(scan(source, lambda *_: True).items["f"]): b"octets"}, owner=server.root if upload else None)
    os.utime(next(target.iterdir()))
    result = ftp.mirror("x", mine, upload=upload)
    assert (result.octets, done(result)) == (0, {"copy": 1})
    assert times(mine) == times(server.root / "x") == {"f": THEN}


@pytest.mark.parametrize("upload", [False, True])
def test_part_of_another_version_is_no_beginning(ftp: Client, server: Server, tmp_path: Path, upload: bool) -> None:
    mine = tmp_path / "x"
    source, target = (mine, server.root / "x") if upload else (server.root / "x", mine)
    grow(source, {"f": b"old octets"})
    outdated = part_of(scan(source, lambda *_: True).items["f"])
    grow(target, {outdated: b"old oc"}, owner=server.root if upload else None)
    grow(source, {"f": b"new octets, more of them"})
    ftp.mirror("x", mine, upload=upload)
    assert contents(target) == {"f": b"new octets, more of them"}


def test_file_that_changes_after_it_was_listed_is_not_mixed_with_its_part(
    ftp: Client, server: Server, tmp_path: Path
) -> None:
    grow(server.root, {"big": BIG})
    grow(tmp_path / "x", {part_of(scan(server.root, lambda *_: True).items["big"]): BIG[:1_500_000]})

    def change(event: Event) -> None:
        if isinstance(event, Began):
            grow(server.root, {"first": b"", "big": BIG[::-1]})

    result = ftp.mirror("", tmp_path / "x", listener=change)
    assert contents(tmp_path / "x") == {"big": BIG[::-1]}
    assert result.octets == len(BIG)


def test_file_that_was_written_in_place_is_not_mixed_with_another_version(
    ftp: Client, server: Server, tmp_path: Path
) -> None:
    mine = grow(tmp_path / "x", {"big": BIG})
    (server.root / "big").write_bytes(BIG[::-1][:1_500_000])
    ftp.mirror("", mine, upload=True, in_place=True)
    assert contents(server.root) == {"big": BIG}


@pytest.mark.req("C-SEC-NAME-1")
@pytest.mark.parametrize("delete", [False, True])
def test_link_in_the_target_is_never_written_through(ftp: Client, server: Server, tmp_path: Path, delete: bool) -> None:
    grow(server.root, {"d/f": b"theirs", "g": b"theirs"})
    outside = grow(tmp_path / "outside", {"f": b"mine", "kept": b"mine"})
    target = tmp_path / "x"
    target.mkdir()
    (target / "d").symlink_to(outside)
    (target / "g").symlink_to(outside / "f")
    result = ftp.mirror("", target, delete=delete)
    assert contents(outside) == {"f": b"mine", "kept": b"mine"}
    assert result.complete is delete
    assert [trouble.path for trouble in result.troubles] == ([] if delete else ["d", "g"])
    assert (target / "d").is_symlink() is not delete


@pytest.mark.req("C-SEC-NAME-1")
def test_link_on_the_server_is_removed_and_not_what_it_leads_to(ftp: Client, server: Server, tmp_path: Path) -> None:
    grow(server.root, {"other/e/f": b"theirs", "x/d/g": b"old", "x/d/h/i": b"old"})
    (server.root / "x" / "d" / "link").symlink_to("../../other")
    (server.root / "x" / "clear").symlink_to("../other")
    result = ftp.mirror("x", grow(tmp_path / "x", {"clear": b"mine"}), upload=True, delete=True)
    assert contents(server.root) == {
        "other": None,
        "other/e": None,
        "other/e/f": b"theirs",
        "x": None,
        "x/clear": b"mine",
    }
    assert result.complete


def test_top_may_be_a_link(ftp: Client, server: Server, tmp_path: Path) -> None:
    grow(server.root, {"f": b"theirs"})
    (tmp_path / "real").mkdir()
    (tmp_path / "x").symlink_to("real")
    ftp.mirror("", tmp_path / "x")
    assert contents(tmp_path / "real") == {"f": b"theirs"}


def test_links_here_are_passed_over_or_followed(ftp: Client, server: Server, tmp_path: Path) -> None:
    mine = grow(tmp_path / "x", {"d/f": b"octets"})
    (mine / "link").symlink_to("d")
    assert [item.path for item in ftp.mirror("x", mine, upload=True).plan.passed_over] == ["link"]
    ftp.mirror("x", mine, upload=True, follow_links=True)
    assert contents(server.root / "x") == {"d": None, "d/f": b"octets", "link": None, "link/f": b"octets"}


def test_what_is_not_wanted_is_neither_copied_nor_removed(ftp: Client, server: Server, tmp_path: Path) -> None:
    grow(server.root, {"a.txt": b"1", "b.tmp": b"2", "cache/c": b"3"})
    mine = grow(tmp_path / "x", {"old.txt": b"4", "mine.tmp": b"5", "d/mine.tmp": b"6"})
    result = ftp.mirror("", mine, delete=True, wanted=lambda path, _: not path.endswith((".tmp", "cache")))
    assert contents(mine) == {"a.txt": b"1", "mine.tmp": b"5", "d": None, "d/mine.tmp": b"6"}
    assert result.complete


def test_no_source_is_no_reason_to_remove_anything(ftp: Client, server: Server, tmp_path: Path) -> None:
    mine = grow(tmp_path / "x", {"f": b"mine"})
    grow(server.root, {"f": b"theirs"})
    with pytest.raises(NoSuchName, match="there is no directory gone on the server"):
        ftp.mirror("gone", mine, delete=True)
    with pytest.raises(NoSuchName, match=r"there is no directory .*gone here"):
        ftp.mirror("", tmp_path / "gone", upload=True, delete=True)
    with pytest.raises(NoSuchName):
        ftp.mirror("f", mine, delete=True)
    assert contents(mine) == {"f": b"mine"}


def test_nothing_is_removed_once_a_copy_failed(
    ftp: Client, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    grow(server.root, {"good": b"1", "bad": b"2"})
    mine = grow(tmp_path / "x", {"old": b"3"})
    write = Part.write

    def fail(part: Part, data: memoryview) -> None:
        if bytes(data) == b"2":
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        write(part, data)

    monkeypatch.setattr(Part, "write", fail)
    result = ftp.mirror("", mine, delete=True)
    assert contents(mine) == {"good": b"1", "old": b"3"}
    assert result.troubles == [Trouble("bad", "Input/output error")]
    assert (result.kept, result.complete) == (1, False)


def test_no_room_ends_it_all(ftp: Client, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_part: Part, _data: memoryview) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Part, "write", fail)
    grow(server.root, {f"f{number}": b"1" for number in range(50)})
    heard: list[Event] = []
    with pytest.raises(OSError, match="No space"):
        ftp.mirror("", tmp_path / "x", listener=heard.append)
    assert len([event for event in heard if isinstance(event, Began)]) <= 4


def test_listener_hears_of_each_step(ftp: Client, server: Server, tmp_path: Path) -> None:
    grow(server.root, {"d/f": b"octets"})
    heard: list[Event] = []
    ftp.mirror("", tmp_path / "x", listener=heard.append)
    kinds = [type(event) for event in heard]
    assert kinds == [Planned, Began, Done, Began, Moved, Done]
    moved = heard[4]
    assert isinstance(moved, Moved)
    assert (moved.step.path, moved.done, moved.total) == ("d/f", 6, 6)


def test_file_that_was_cut_is_gone_on_with(
    ftp: Client, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    grow(server.root, {"big": BIG})
    write = Part.write
    cut: list[int] = []

    def break_once(part: Part, data: memoryview) -> None:
        write(part, data)
        if not cut:
            cut.append(len(data))
            raise TransferError("cut by the test")

    monkeypatch.setattr(Part, "write", break_once)
    heard: list[Event] = []
    result = ftp.mirror("", tmp_path / "x", listener=heard.append)
    assert (tmp_path / "x" / "big").read_bytes() == BIG
    assert [event.why for event in heard if isinstance(event, Again)] == ["cut by the test"]
    assert result.octets == len(BIG) - cut[0]


@pytest.mark.parametrize(("told", "attempts"), [({}, 4), ({"retries": 0}, 1), ({"retries": 1}, 2)])
def test_file_is_tried_again_as_often_as_the_client_was_told(
    login: dict[str, Any],
    server: Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    told: dict[str, int],
    attempts: int,
) -> None:
    grow(server.root, {"f": b"octets"})
    began: list[int] = []

    def fail(_part: Part, _data: memoryview) -> None:
        began.append(1)
        raise TransferError("cut by the test")

    monkeypatch.setattr(Part, "write", fail)
    with Client(**login | told) as ftp:
        result = ftp.mirror("", tmp_path / "x")
    assert [trouble.path for trouble in result.troubles] == ["f"]
    assert len(began) == attempts


def test_failure_of_a_directory_spares_what_is_below(
    ftp: Client, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    grow(server.root, {"d/e/f": b"1", "g": b"2"})
    mkdir = os.mkdir

    def fail(name: Any, *args: Any, **kwargs: Any) -> None:
        if name == "d":
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        mkdir(name, *args, **kwargs)

    monkeypatch.setattr(os, "mkdir", fail)
    heard: list[Event] = []
    result = ftp.mirror("", tmp_path / "x", listener=heard.append)
    assert contents(tmp_path / "x") == {"g": b"2"}
    assert [(event.step.path, event.why) for event in heard if isinstance(event, Failed)] == [
        ("d", "Permission denied"),
        ("d/e", "its directory could not be made"),
        ("d/e/f", "its directory could not be made"),
    ]
    assert len(result.troubles) == 3


def test_nothing_is_removed_where_the_listing_has_a_line_that_nobody_can_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = Session.line

    def strange(session: Session, verb: str, entry: Entry) -> bytes:
        return b"b <<file>> 2 KB\r\n" if entry.name == "b" else line(session, verb, entry)

    monkeypatch.setattr(Session, "line", strange)
    mine = grow(tmp_path / "x", {"a": b"old", "b": b"mine", "c": b"mine"})
    files = {"/a": b"new one", "/b": b"theirs"}
    with misbehave(files=files, machine_listings=False) as server, Client(server.url) as ftp:
        result = ftp.mirror("/", mine, delete=True)
    assert contents(mine) == {"a": b"new one", "b": b"mine", "c": b"mine"}
    assert result.kept == 2
    assert not result.complete


def test_mirror_in_place(ftp: Client, server: Server, tmp_path: Path) -> None:
    mine = grow(tmp_path / "x", {"f": b"octets"})
    ftp.mirror("x", mine, upload=True, in_place=True)
    assert contents(server.root / "x") == {"f": b"octets"}
    assert times(server.root / "x") == {"f": THEN}


def test_times_are_left_alone_where_nobody_wants_them(ftp: Client, server: Server, tmp_path: Path) -> None:
    grow(server.root, {"f": b"octets"})
    ftp.mirror("", tmp_path / "x", times=False)
    assert datetime.fromtimestamp((tmp_path / "x" / "f").stat().st_mtime, UTC).year >= 2024
    assert ftp.mirror("", tmp_path / "x", times=False).plan.unchanged == 1


def test_what_a_link_leads_to_on_the_server_stays_when_the_link_goes(
    ftp: Client, server: Server, tmp_path: Path
) -> None:
    grow(server.root, {"outside/d/kept": b"octets", "x/extra/f": b"gone"})
    (server.root / "x/link").symlink_to("../outside")
    (server.root / "x/extra/inner").symlink_to("../../outside/d")
    grow(tmp_path, {"mine/new": b"new"})

    result = ftp.mirror("x", tmp_path / "mine", upload=True, delete=True)

    assert result.complete
    left = {path: octets for path, octets in contents(server.root).items() if octets is not None}
    assert left == {"outside/d/kept": b"octets", "x/new": b"new"}
    assert [path.name for path in (server.root / "x").iterdir()] == ["new"]
