"""A local disk that makes its callers wait holds up nobody but those who ask for what lies there."""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from benchmarks import delayed
from fairlead.accounts.memory import MemoryAccounts
from fairlead.storage.local import LocalStorage
from fairlead.storage.local.pace import LIMIT, Pace, Thread
from tests.server.session import DEADLINE, Control, Running, serving

DELAY = 0.05
ENTRIES = 20


class Stuck(LocalStorage):
    """A store one of whose files is found only once that is allowed."""

    def __init__(self, root: Path) -> None:
        super().__init__(root, durability="relaxed")
        self.asked = threading.Event()
        self.allowed = threading.Event()

    def stat(self, path: str, *, follow: bool = True, owner: str | None = None) -> os.stat_result:
        if path == "/stuck":
            self.asked.set()
            assert self.allowed.wait(DEADLINE)
        return super().stat(path, follow=follow, owner=owner)


def waiting(each: float) -> Pace:
    """The pace of a store whose calls all wait for so many seconds."""
    times, switches = itertools.count(0.0, each), itertools.count()
    return Pace(times.__next__, lambda: Thread(next(switches), 0.0))


def test_a_store_that_has_made_the_loop_wait_is_asked_in_threads(root: Path) -> None:
    (root / "stuck").touch()
    with closing(Stuck(root)) as storage:
        storage.pace = waiting(2 * LIMIT)
        with serving(storage) as running, running.login("anonymous") as one, running.login("anonymous") as other:
            assert one.codes("SIZE none", "SIZE none") == [550, 550]
            one.send("SIZE stuck")
            assert storage.asked.wait(DEADLINE)
            assert other.ask("NOOP").code == 200
            storage.allowed.set()
            assert one.read().code == 213


def test_a_store_that_has_become_slow_serves_as_before(root: Path) -> None:
    (root / "d").mkdir()
    (root / "d/file").write_bytes(b"content")
    with closing(LocalStorage(root)) as storage:
        accounts = MemoryAccounts.sharing(storage, {"me": "secret"}, write=True)
        with serving(storage, accounts=accounts) as running, running.login() as control:
            storage.pace = waiting(2 * LIMIT)
            for _ in range(3):
                assert control.codes("CWD d", "SIZE file", "CDUP") == [250, 213, 250]
                assert control.fetch("RETR d/file") == b"content"
                assert b"file" in control.fetch("MLSD d")
                assert b"file" in control.fetch("LIST d")
                assert control.store("STOR new", b"stored").code == 226
                assert control.fetch("RETR new") == b"stored"
                assert control.codes("RNFR new", "RNTO newer", "DELE newer") == [350, 250, 250]
            assert not storage.inline


@pytest.fixture
def slow_disk(root: Path, tmp_path: Path) -> Iterator[Path]:
    """A file system that takes its time for each answer, as a directory of what is served."""
    if not delayed.available():
        pytest.skip("mounting a slow file system takes root and /dev/fuse")
    source = tmp_path / "source"
    (source / "list").mkdir(parents=True)
    for number in range(ENTRIES):
        (source / f"list/{number}").touch()
    (source / "small").write_bytes(b"x" * 1000)
    (root / "slow").mkdir()
    with delayed.mounted(root / "slow", DELAY, source):
        yield root / "slow"


@pytest.mark.long
@pytest.mark.usefixtures("slow_disk")
def test_a_session_on_a_slow_disk_holds_up_no_other(running: Running, control: Control) -> None:
    assert control.codes("CWD slow", "SIZE small", "SIZE small") == [250, 213, 213]  # the loop has learned by now
    with running.login() as other:
        for command in ("MLST small", "SIZE small", "CWD list", "CDUP"):
            control.send(command)
            assert other.ask("NOOP").code == 200
            control.socket.setblocking(False)
            with pytest.raises(BlockingIOError):
                control.read()
            control.socket.settimeout(DEADLINE)
            assert control.read().code in {213, 250}
        assert len(control.fetch("MLSD list").splitlines()) == ENTRIES
        assert control.fetch("RETR small") == b"x" * 1000
        assert control.store("STOR new", b"stored").code == 226
        assert control.fetch("RETR new") == b"stored"
