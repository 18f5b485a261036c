"""Links within the root are followed, links out of it never; nothing but files and directories is opened."""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from fairlead.errors import AlreadyExists, Denied, IsADirectory, NotADirectory, NotFound, StorageError
from fairlead.storage.base import Intent
from fairlead.storage.local import LocalStorage
from tests.storage.acts import OWNER, begin, cut, get, listed, put

ACTS: dict[str, Callable[[LocalStorage, str], object]] = {
    "stat": lambda store, path: store.stat(path),
    "stat of a partial": lambda store, path: store.stat(path, owner=OWNER),
    "scan": lambda store, path: store.scan(path),
    "open": lambda store, path: store.open(path),
    "replace": lambda store, path: put(store, path, b"x"),
    "resume": lambda store, path: put(store, path, b"x", offset=1),
    "append": lambda store, path: put(store, path, b"x", intent=Intent.APPEND),
    "unique": lambda store, path: put(store, path, b"x", intent=Intent.UNIQUE),
    "mkdir": lambda store, path: store.mkdir(path),
    "rmdir": lambda store, path: store.rmdir(path),
    "remove": lambda store, path: store.remove(path),
    "rename from": lambda store, path: store.rename(path, "/taken"),
    "rename to": lambda store, path: store.rename("/file", path),
    "change mode": lambda store, path: store.change(path, mode=0o777),
    "change times": lambda store, path: store.change(path, modified_ns=1),
    "free": lambda store, path: store.free(path),
}
ON_THE_LINK_ITSELF = {"unique", "mkdir", "rmdir", "remove", "rename from", "rename to"}


@pytest.fixture
def outside(root: Path) -> Path:
    """A tree that nobody may reach; the root's ``file`` is what may be moved about."""
    outside = root.parent / "outside"
    (outside / "empty").mkdir(parents=True)
    (outside / "f").write_text("secret")
    (root / "file").write_text("mine")
    return outside


def picture(directory: Path) -> list[tuple[str, os.stat_result | str]]:
    """All that could change below a directory, but for times of reading."""
    rows: list[tuple[str, os.stat_result | str]] = []
    for path in [directory, *sorted(directory.rglob("*"))]:
        status = path.lstat()
        rows.append((str(path), f"{status.st_mode} {status.st_size} {status.st_mtime_ns} {status.st_nlink}"))
    return rows


@pytest.mark.long
@pytest.mark.req("S-SEC-6")
@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("below", ["/f", "/empty", "/new", "/empty/new"])
@pytest.mark.parametrize("link", ["absolute", "relative", "through a directory", "over a link", "root"])
def test_no_act_leaves_the_root_by_a_link(
    local: LocalStorage, root: Path, outside: Path, act: str, below: str, link: str
) -> None:
    (root / "d").mkdir()
    texts = {
        "absolute": str(outside),
        "relative": "../outside",
        "through a directory": "d/../../outside",
        "over a link": "second",
        "root": f"/proc/self/root{outside}",
    }
    (root / "second").symlink_to("../outside")
    (root / "link").symlink_to(texts[link])
    before = picture(outside)
    with pytest.raises((Denied, NotFound)) as caught:
        ACTS[act](local, "/link" + below)
    assert str(root.parent) not in str(caught.value) + repr(caught.value)
    assert picture(outside) == before


@pytest.mark.req("S-SEC-6")
@pytest.mark.parametrize("act", sorted(ACTS.keys() - ON_THE_LINK_ITSELF))
@pytest.mark.parametrize("name", ["f", "empty", "new"])
@pytest.mark.parametrize("absolute", [False, True])
def test_no_act_follows_a_last_link_out(
    local: LocalStorage, root: Path, outside: Path, act: str, name: str, absolute: bool
) -> None:
    (root / "link").symlink_to(outside / name if absolute else f"../outside/{name}")
    before = picture(outside)
    with pytest.raises((Denied, NotFound)):
        ACTS[act](local, "/link")
    assert picture(outside) == before
    assert (root / "link").is_symlink()


@pytest.mark.req("S-SEC-6")
def test_what_works_on_the_link_itself_leaves_its_target_alone(local: LocalStorage, root: Path, outside: Path) -> None:
    before = picture(outside)
    for name in ("f", "empty"):
        (root / "link").symlink_to(outside / name)
        with pytest.raises(AlreadyExists):
            local.mkdir("/link")
        with pytest.raises(AlreadyExists):
            begin(local, "/link", intent=Intent.UNIQUE)
        with pytest.raises(NotADirectory):
            local.rmdir("/link")
        local.rename("/link", "/moved")
        assert (root / "moved").is_symlink()
        put(local, "/a", b"1")
        local.rename("/a", "/moved")
        assert get(local, "/moved") == b"1"
        (root / "link").symlink_to(outside / name)
        local.remove("/link")
        assert not os.path.lexists(root / "link")
    assert picture(outside) == before


def test_links_within_the_root_are_followed(local: LocalStorage, root: Path) -> None:
    local.mkdir("/d")
    local.mkdir("/d/e")
    put(local, "/d/a", b"123")
    (root / "file").symlink_to("d/a")
    (root / "dir").symlink_to("d")
    (root / "d" / "e" / "up").symlink_to("../..")
    assert local.stat("/file").st_size == 3
    assert stat.S_ISLNK(local.stat("/file", follow=False).st_mode)
    assert stat.S_ISLNK(local.stat("/dir/e/up", follow=False).st_mode)
    assert get(local, "/dir/e/up/d/a") == b"123"
    assert get(local, "/d/e/up/file") == b"123"
    assert listed(local, "/dir") == ["a", "e"]
    local.mkdir("/dir/new")
    assert (root / "d" / "new").is_dir()
    local.change("/file", mode=0o600)
    assert stat.S_IMODE((root / "d" / "a").stat().st_mode) == 0o600


@pytest.mark.parametrize("text", ["d/a", "./d/../d/a", "chain", "up/d/a"])
@pytest.mark.parametrize("exists", [True, False])
def test_an_upload_to_a_link_goes_where_it_leads(local: LocalStorage, root: Path, text: str, exists: bool) -> None:
    (root / "d").mkdir()
    (root / "up").symlink_to("d/..")
    (root / "chain").symlink_to("d/a")
    (root / "link").symlink_to(text)
    if exists:
        (root / "d" / "a").write_text("old")
    cut(local, "/link", b"12")
    assert local.stat("/link", owner=OWNER).st_size == (3 if exists else 2)
    put(local, "/link", b"3", offset=2)
    assert (root / "link").is_symlink()
    assert (root / "d" / "a").read_text() == "123"
    put(local, "/link", b"4", intent=Intent.APPEND)
    assert (root / "d" / "a").read_text() == "1234"


@pytest.mark.parametrize("text", ["d", "d/", "d/.", ".", "..", "d/.."])
def test_an_upload_to_a_link_to_a_directory(local: LocalStorage, root: Path, text: str) -> None:
    (root / "d").mkdir()
    (root / "link").symlink_to(text)
    with pytest.raises((IsADirectory, Denied)):
        begin(local, "/link")


def test_a_link_cannot_stand_for_a_partial(local: LocalStorage, root: Path) -> None:
    cut(local, "/a", b"123")
    [partial] = os.listdir(root)
    (root / "link").symlink_to(partial)
    with pytest.raises(Denied):
        begin(local, "/link")


def test_links_that_lead_in_a_circle(local: LocalStorage, root: Path) -> None:
    (root / "a").symlink_to("b")
    (root / "b").symlink_to("a")
    for act in ("stat", "open", "scan", "replace", "change mode"):
        with pytest.raises(Denied):
            ACTS[act](local, "/a")
        with pytest.raises(Denied):
            ACTS[act](local, "/a/x")
    assert listed(local) == ["a", "b"]


def test_a_listing_shows_where_links_lead_but_not_the_real_tree(local: LocalStorage, root: Path, outside: Path) -> None:
    (root / "a").symlink_to("file")
    (root / "b").symlink_to("../outside/f")
    (root / "c").symlink_to(outside / "f")
    (root / "d").symlink_to(b"\xff")
    targets = {item.name: item.target for batch in local.scan("/") for item in batch}
    assert targets == {"a": "file", "b": "../outside/f", "c": None, "d": "\udcff", "file": None}


@pytest.mark.req("S-SEC-6")
@pytest.mark.timeout(20)
@pytest.mark.parametrize("kind", ["fifo", "socket", "device"])
def test_nothing_but_files_is_opened(
    local: LocalStorage, root: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    path = root / "x"
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as listener:
            monkeypatch.chdir(root)  # the name of a socket must be short
            listener.bind("x")
    else:
        try:
            os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, 3))
        except PermissionError:
            pytest.skip("needs the right to make a device")
    for act in ("open", "replace", "resume", "append", "change mode", "change times"):
        with pytest.raises(Denied):
            ACTS[act](local, "/x")
    assert listed(local) == ["x"]
    local.remove("/x")


@pytest.mark.req("S-SEC-6")
def test_errors_never_show_the_real_path(local: LocalStorage, root: Path) -> None:
    (root / "link").symlink_to(root.parent / "secret")
    for act in ACTS.values():
        for path in ("/none/x", "/link/x", "/..", "/" + "x" * 300):
            with pytest.raises(StorageError) as caught:
                act(local, path)
            shown = f"{caught.value} {caught.value!r} {caught.value.__cause__} {caught.value.__cause__!r}"
            assert str(root) not in shown
