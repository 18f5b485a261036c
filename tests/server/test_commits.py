"""Uploads that end at the same time: which are committed together, and what each is told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, cast

import pytest

from fairlead.errors import StorageError, StorageFault
from fairlead.server.commits import LARGE, Commits
from fairlead.server.failures import AbortedError
from fairlead.server.stepping import Stepper
from fairlead.storage import base


class Disk:
    """Keeps which uploads it was to commit at a time."""

    def __init__(self) -> None:
        self.groups: list[list[str]] = []
        self.faulty = ""

    def commit_all(self, uploads: Sequence[Upload]) -> list[StorageError | None]:
        self.groups.append([upload.name for upload in uploads])
        return [StorageFault(upload.name) if upload.name == self.faulty else None for upload in uploads]


class Upload:
    """One that is only to be committed."""

    prompt = False

    def __init__(self, name: str, together: base.Together | None, position: int = 1) -> None:
        self.name = name
        self.together = together
        self.position = position
        self.committed = False

    def commit(self) -> Any:
        self.committed = True


class Threads:
    """Work begins when it is let."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._work: list[tuple[asyncio.Future[Any], Callable[[], Any]]] = []
        self.stopped = False

    def __call__(self, function: Callable[..., Any], *arguments: Any) -> asyncio.Future[Any]:
        if self.stopped:
            raise RuntimeError("cannot schedule new futures after shutdown")
        future: asyncio.Future[Any] = self._loop.create_future()
        self._work.append((future, lambda: function(*arguments)))
        return future

    async def turn(self) -> int:
        """Do all work there is; how much that was."""
        work, self._work = self._work, []
        for future, run in work:
            try:
                future.set_result(run())
            except RuntimeError as error:
                future.set_exception(error)
        for _ in range(3):
            await asyncio.sleep(0)
        return len(work)


class Told(dict[str, Exception | None]):
    """What came of each upload."""

    def commit(self, commits: Commits, upload: Upload) -> None:
        def finish(_: object, error: Exception | None) -> None:
            self[upload.name] = error

        Stepper(commits.commit(cast("base.Upload", upload)), finish).step()


def play(scene: Callable[[Threads, Commits, Told], Coroutine[Any, Any, None]]) -> None:
    async def run() -> None:
        threads = Threads(asyncio.get_running_loop())
        await scene(threads, Commits(threads), Told())

    asyncio.run(run())


def test_what_ends_during_a_flush_is_committed_by_the_next_one_together() -> None:
    async def scene(threads: Threads, commits: Commits, told: Told) -> None:
        disk = Disk()
        for name in "abcd":
            told.commit(commits, Upload(name, disk))
        assert await threads.turn() == 1
        assert (disk.groups, told) == ([["a"]], {"a": None}), "nobody is told before it is done"
        assert await threads.turn() == 1
        assert (disk.groups, told) == ([["a"], ["b", "c", "d"]], dict.fromkeys("abcd"))
        told.commit(commits, Upload("e", disk))
        assert await threads.turn() == 1
        assert disk.groups[2:] == [["e"]]

    play(scene)


def test_disks_do_not_wait_for_each_other() -> None:
    async def scene(threads: Threads, commits: Commits, told: Told) -> None:
        for name in "ab":
            told.commit(commits, Upload(name, Disk()))
        assert await threads.turn() == 2
        assert told == dict.fromkeys("ab")

    play(scene)


def test_a_fault_is_told_to_the_upload_that_has_it() -> None:
    async def scene(threads: Threads, commits: Commits, told: Told) -> None:
        disk = Disk()
        disk.faulty = "c"
        for name in "abcd":
            told.commit(commits, Upload(name, disk))
        await threads.turn()
        await threads.turn()
        assert [name for name, error in told.items() if isinstance(error, StorageFault)] == ["c"]

    play(scene)


def test_what_nobody_foresaw_is_told_to_all_of_the_group_and_the_next_one_works() -> None:
    class Crashing(Disk):
        def commit_all(self, uploads: Sequence[Upload]) -> list[StorageError | None]:
            if not self.groups:
                self.groups.append([])
                raise RuntimeError("unforeseen")
            return super().commit_all(uploads)

    async def scene(threads: Threads, commits: Commits, told: Told) -> None:
        disk = Crashing()
        for name in "ab":
            told.commit(commits, Upload(name, disk))
        await threads.turn()
        assert isinstance(told["a"], RuntimeError)
        await threads.turn()
        assert told["b"] is None

    play(scene)


@pytest.mark.parametrize("kind", ["large", "of a store that commits one by one"])
def test_others_are_committed_by_themselves_at_once(kind: str) -> None:
    async def scene(threads: Threads, commits: Commits, told: Told) -> None:
        disk = Disk()
        told.commit(commits, Upload("a", disk))
        alone = Upload("b", disk if kind == "large" else None, LARGE)
        told.commit(commits, alone)
        assert await threads.turn() == 2
        assert alone.committed
        assert disk.groups == [["a"]]

    play(scene)


def test_what_waits_when_the_server_stops_is_not_acknowledged() -> None:
    async def scene(threads: Threads, commits: Commits, told: Told) -> None:
        disk = Disk()
        for name in "ab":
            told.commit(commits, Upload(name, disk))
        threads.stopped = True
        await threads.turn()
        assert told["a"] is None
        assert isinstance(told["b"], AbortedError)

    play(scene)
