"""Uploads that are killed or fail at each of their system calls (reliability.md, figures 1, 2 and 6)."""

from __future__ import annotations

import os
import shutil
import signal
from collections import Counter
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from fairlead.errors import NotFound
from fairlead.storage.base import Intent
from fairlead.storage.local import LocalStorage
from tests.faults.storage.tracing import CALLS, Call, upload
from tests.storage.acts import OWNER, cut, get, listed, put

pytestmark = pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")

OLD = b"old" * 5_000
NEW = os.urandom(40_000)


@dataclass(frozen=True)
class Scenario:
    """An upload to ``/a`` and what lay there before."""

    intent: str
    offset: int = 0
    old: bytes | None = None
    partial: bytes | None = None

    @property
    def whole(self) -> bytes:
        """The file once the upload is done."""
        if self.intent == "append":
            return (self.old or self.partial or b"") + NEW
        return NEW

    @property
    def copies(self) -> bool:
        """Whether it begins with a copy of the file."""
        return self.old is not None and (self.intent == "append" or (self.offset > 0 and self.partial is None))


SCENARIOS = {
    "new": Scenario("replace"),
    "replace": Scenario("replace", old=OLD),
    "replace, older partial": Scenario("replace", old=OLD, partial=b"older" * 9_000),
    "resume a partial": Scenario("replace", offset=10_000, partial=NEW[:15_000]),
    "resume a partial beside a file": Scenario("replace", offset=10_000, partial=NEW[:15_000], old=OLD),
    "resume a file": Scenario("replace", offset=10_000, old=NEW[:12_000]),
    "append": Scenario("append", old=OLD),
    "append to a partial": Scenario("append", partial=OLD),
    "append to nothing": Scenario("append"),
    "unique": Scenario("unique"),
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "file").write_bytes(NEW)
    return tmp_path / "root"


def prepare(root: Path, scenario: Scenario) -> None:
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir()
    with closing(LocalStorage(root)) as store:
        if scenario.old is not None:
            put(store, "/a", scenario.old)
        if scenario.partial is not None:
            cut(store, "/a", scenario.partial)


def content(root: Path) -> bytes | None:
    return (root / "a").read_bytes() if (root / "a").exists() else None


@pytest.mark.req("S-SEC-9")
@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=SCENARIOS)
def test_killed_at_each_call(root: Path, scenario: Scenario) -> None:
    file = root.parent / "file"
    prepare(root, scenario)
    clean = upload(root, "/a", scenario.intent, scenario.offset, file)
    assert (clean.said, content(root)) == ("committed", scenario.whole)
    turns = Counter(call.name for call in clean.calls)
    assert {"write": 5, "fsync": 2, "renameat": 1}.items() <= turns.items()
    for name, count in turns.items():
        for turn in range(1, count + 1):
            prepare(root, scenario)
            killed = upload(
                root, "/a", scenario.intent, scenario.offset, file, inject=f"{name}:signal=KILL:when={turn}"
            )
            assert killed.status == -signal.SIGKILL, (name, turn)
            assert killed.said in {"", "committed"}
            check_after_death(root, scenario, acknowledged=bool(killed.said))


def check_after_death(root: Path, scenario: Scenario, *, acknowledged: bool) -> None:
    """The file is the old or the new one, what lies beside it can be continued, and nothing blocks the next upload."""
    before = content(root)
    reserved = scenario.intent == "unique" and before == b""
    assert before in {scenario.old, scenario.whole} or reserved
    assert not acknowledged or before == scenario.whole
    with closing(LocalStorage(root)) as store:
        if reserved:
            store.remove("/a")
        if before != scenario.whole and scenario.intent != "append":
            resume(store, scenario)
            assert get(store, "/a") == NEW
        put(store, "/a", b"next")
        assert get(store, "/a") == b"next"
        put(store, "/a", b"+", intent=Intent.APPEND)
        assert get(store, "/a") == b"next+"
        assert listed(store) == ["a"]
        store.sweep(-1)
    assert os.listdir(root) == ["a"]


def resume(store: LocalStorage, scenario: Scenario) -> None:
    """As a client does that asks for the size, or where the old file hides the partial, counts by itself."""
    held = scenario.offset
    if scenario.old is None:
        held = 0
        with suppress(NotFound):
            held = store.stat("/a", owner=OWNER).st_size
        if scenario.partial is not None:
            assert held >= min(scenario.offset, len(scenario.partial))
    put(store, "/a", NEW[held:], offset=held)


@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=SCENARIOS)
def test_flushed_before_it_is_acknowledged(root: Path, scenario: Scenario) -> None:
    prepare(root, scenario)
    calls = upload(root, "/a", scenario.intent, scenario.offset, root.parent / "file").calls
    partial = next(call for call in calls if call.name == "write" and ".part>" in call.arguments)
    marks = [
        max(place(calls, "write", ".part>")),
        *place(calls, "fsync", ".part>"),
        *place(calls, "renameat", '"a"'),
        *place(calls, "fsync", f"{root}>"),
        *place(calls, "write", '"committed"'),
    ]
    assert marks == sorted(marks)
    assert len(marks) == 5
    assert partial.result == "10000" or scenario.offset


def place(calls: list[Call], name: str, text: str) -> list[int]:
    return [number for number, call in enumerate(calls) if call.name == name and text in call.arguments]


@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=SCENARIOS)
def test_each_call_that_fails(root: Path, scenario: Scenario) -> None:
    check_faults(root, scenario, "EIO", "StorageFault")


@pytest.mark.parametrize("number", ["ENOSPC", "EDQUOT"])
def test_no_room_at_each_call(root: Path, number: str) -> None:
    check_faults(root, SCENARIOS["resume a file"], number, "NoSpace")


def check_faults(root: Path, scenario: Scenario, number: str, error: str) -> None:
    """Whichever call fails: the error says so, the old file stands, the next upload works."""
    file = root.parent / "file"
    turns = [("write", 1), ("write", 3), ("fsync", 1), ("renameat", 1)]
    if scenario.copies:
        turns.append(("copy_file_range", 1))
    for name, turn in turns:
        prepare(root, scenario)
        failed = upload(root, "/a", scenario.intent, scenario.offset, file, inject=f"{name}:error={number}:when={turn}")
        assert failed.said == error, (name, turn)
        assert content(root) == scenario.old
        with closing(LocalStorage(root)) as store:
            put(store, "/a", b"next")
            assert get(store, "/a") == b"next"
        assert os.listdir(root) == ["a"]


def test_no_success_where_the_directory_could_not_be_flushed(root: Path) -> None:
    scenario = SCENARIOS["replace"]
    prepare(root, scenario)
    failed = upload(root, "/a", "replace", 0, root.parent / "file", inject="fsync:error=EIO:when=2")
    assert (failed.said, content(root)) == ("StorageFault", NEW)


def test_an_upload_makes_few_calls(root: Path) -> None:
    prepare(root, SCENARIOS["new"])
    calls = upload(root, "/a", "replace", 0, root.parent / "file").calls
    assert set(CALLS) >= {call.name for call in calls}
    assert [call.name for call in calls] == ["flock", *["write"] * 4, "fsync", "renameat", "fsync", "write"]
