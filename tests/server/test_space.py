"""AVBL, DSIZ and RMDA."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from fairlead.accounts.base import Account, Right, Rule
from fairlead.accounts.memory import MemoryAccounts, User
from fairlead.accounts.password import KeyedDigest
from fairlead.errors import LimitError
from fairlead.events import Changed
from fairlead.server import walking
from fairlead.server.walking import Removal, tree_size
from fairlead.storage.base import Intent, Item
from fairlead.storage.local import LocalStorage
from fairlead.storage.memory import MemoryStorage
from tests.server.session import Control, Running, serving
from tests.storage.acts import begin, put


@contextmanager
def session_of(storage: LocalStorage | MemoryStorage, *rules: Rule) -> Iterator[tuple[Running, Control]]:
    account = Account("me", storage, rules or (Rule("/", Right.WRITER),))
    with (
        serving(storage, accounts=MemoryAccounts([User(account, KeyedDigest("secret"))])) as running,
        running.login() as control,
    ):
        yield running, control


@pytest.fixture
def tree(root: Path) -> Path:
    """Eleven octets in three files, and links out of it."""
    (root / "tree" / "sub" / "deep").mkdir(parents=True)
    (root / "tree" / "empty").mkdir()
    (root / "tree" / "a").write_bytes(b"1")
    (root / "tree" / "sub" / "b").write_bytes(b"2" * 3)
    (root / "tree" / "sub" / "deep" / "c").write_bytes(b"3" * 7)
    (root / "kept").mkdir()
    (root / "kept" / "file").write_bytes(b"4" * 100)
    (root / "tree" / "sub" / "directory").symlink_to("../../kept")
    (root / "tree" / "file").symlink_to("../kept/file")
    (root / "tree" / "dangling").symlink_to("none")
    (root / "tree" / "out").symlink_to("/etc")
    return root / "tree"


# AVBL


@pytest.mark.req("S-STRM-1")
def test_what_is_available_is_told_in_octets(control: Control, root: Path) -> None:
    (root / "d").mkdir()
    system = os.statvfs(root)
    for line in ("AVBL", "AVBL d", "AVBL /d", "avbl ."):
        reply = control.ask(line)
        assert reply.code == 213
        assert abs(int(reply.text) - system.f_bavail * system.f_frsize) < 1 << 30


@pytest.mark.req("S-STRM-1")
def test_a_full_store_has_nothing_available() -> None:
    storage = MemoryStorage(capacity=3)
    put(storage, "/a", b"123")
    with session_of(storage) as (_, control):
        assert control.ask("AVBL").text == "0"


@pytest.mark.req("S-STRM-1")
def test_what_may_not_be_listed_has_no_room_that_is_told() -> None:
    storage = MemoryStorage()
    storage.mkdir("/closed")
    with session_of(storage, Rule("/", Right.WRITER), Rule("/closed", Right.NONE)) as (_, control):
        assert control.codes("AVBL", "AVBL closed", "AVBL none", "DSIZ closed", "RMDA closed") == [
            213, 550, 550, 550, 550,
        ]  # fmt: skip


# DSIZ


@pytest.mark.req("S-STRM-2")
def test_the_size_of_a_tree_counts_each_file_below_but_no_link(control: Control, tree: Path) -> None:
    for line, size in [("DSIZ tree", 11), ("DSIZ /tree/sub", 10), ("DSIZ tree/empty", 0), ("DSIZ", 111)]:
        reply = control.ask(line)
        assert (reply.code, reply.text) == (213, str(size))
    assert control.codes("CWD tree", "DSIZ") == [250, 213]
    assert tree.exists()


@pytest.mark.req("S-STRM-2")
@pytest.mark.parametrize("name", ["tree/a", "none", "tree/file", "tree/sub/directory", "tree/out", "none/x"])
@pytest.mark.usefixtures("tree")
def test_only_a_directory_has_a_size(control: Control, name: str) -> None:
    assert control.ask(f"DSIZ {name}").code == 550


@pytest.mark.req("S-STRM-2")
@pytest.mark.usefixtures("tree")
def test_what_may_not_be_listed_is_not_counted(root: Path) -> None:
    with (
        closing(LocalStorage(root)) as storage,
        session_of(storage, Rule("/", Right.READER), Rule("/tree/sub/deep", Right.READ)) as (_, control),
    ):
        assert control.ask("DSIZ tree").text == "4"


def test_more_directories_than_can_be_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    storage = MemoryStorage()
    for number in range(5):
        storage.mkdir(f"/{number}")
    account = Account("me")
    assert list(tree_size(storage, account, "/")) == [0] * 7
    monkeypatch.setattr(walking, "WAITING", 4)
    with pytest.raises(LimitError):
        list(tree_size(storage, account, "/"))


# RMDA


@pytest.mark.req("S-STRM-3")
def test_a_tree_is_removed_and_links_lead_nowhere(running: Running, control: Control, root: Path, tree: Path) -> None:
    assert " RMDA <path>" in control.ask("FEAT").lines
    assert control.ask("RMDA tree").code == 250
    assert sorted(path.name for path in root.rglob("*")) == ["file", "kept"]
    event = running.await_event(Changed)
    assert (event.verb, event.path, event.detail) == ("RMDA", "/tree", "11 entries")
    assert not tree.exists()


@pytest.mark.req("S-STRM-3")
def test_many_directories_in_one(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walking, "AT_ONCE", 2)
    for number in range(5):
        (root / "tree" / str(number) / "sub").mkdir(parents=True)
        (root / "tree" / str(number) / "file").touch()
    with closing(LocalStorage(root)) as storage:
        removal = Removal(storage, "/tree")
        list(removal.pieces())
        assert removal.removed == 16
    assert list(root.iterdir()) == []


@pytest.mark.req("S-STRM-3")
@pytest.mark.usefixtures("tree")
@pytest.mark.parametrize(
    "name", ["tree/a", "tree/file", "tree/sub/directory", "tree/dangling", "tree/out", "none", "/", "..", "/tree/../"]
)
def test_what_is_no_directory_itself_stays(control: Control, root: Path, name: str) -> None:
    before = sorted(root.rglob("*"))
    assert control.ask(f"RMDA {name}").code == 550
    assert sorted(root.rglob("*")) == before


@pytest.mark.req("S-STRM-3", "S-959-GRAM-10")
def test_a_directory_must_be_named(control: Control) -> None:
    assert control.ask("RMDA").code == 501


@pytest.mark.req("S-STRM-3")
@pytest.mark.usefixtures("tree")
@pytest.mark.parametrize(
    "rules",
    [
        (Rule("/", Right.WRITER & ~Right.DELETE),),
        (Rule("/", Right.WRITER), Rule("/tree/sub/deep", Right.WRITER & ~Right.DELETE)),
        (Rule("/", Right.WRITER), Rule("/tree", Right.READER)),
    ],
)
def test_rules_hold(root: Path, rules: tuple[Rule, ...]) -> None:
    before = sorted(root.rglob("*"))
    with closing(LocalStorage(root)) as storage, session_of(storage, *rules) as (_, control):
        assert control.ask("RMDA tree").code == 550
    assert sorted(root.rglob("*")) == before


@pytest.mark.req("S-STRM-3")
def test_a_removal_that_breaks_off_is_recorded() -> None:
    storage = MemoryStorage()
    storage.mkdir("/tree")
    put(storage, "/tree/file", b"1")
    storage.mkdir("/tree/d")
    upload = begin(storage, "/tree/d/live", intent=Intent.REPLACE)
    with session_of(storage) as (running, control):
        assert control.ask("RMDA tree").code == 550
        assert running.await_event(Changed).detail == "1 entries"
        upload.commit()
        assert control.ask("RMDA tree").code == 250


class Deep(MemoryStorage):
    """A tree without an end."""

    def scan(self, path: str) -> Iterator[list[Item]]:
        return super().scan("/")

    def stat(self, path: str, *, follow: bool = True, owner: str | None = None) -> os.stat_result:
        return super().stat("/")


@pytest.mark.req("S-STRM-2", "S-STRM-3")
@pytest.mark.parametrize("verb", ["DSIZ", "RMDA"])
def test_abor_stops_a_walk_without_end(verb: str) -> None:
    storage = Deep()
    storage.mkdir("/d")
    with session_of(storage) as (_, control):
        control.send(f"{verb} d")
        control.send("ABOR")
        assert control.read_codes(2) == [426, 226]
        assert control.ask("NOOP").code == 200
