"""Resuming after kills and cut connections (reliability.md, figure 3).

``FAIRLEAD_RESUME_ROUNDS`` sets the number of files; 60 without it.
"""

from __future__ import annotations

import hashlib
import os
import random
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from fairlead.errors import NotFound
from fairlead.storage.base import Intent, Upload
from fairlead.storage.local import LocalStorage

ROUNDS = int(os.environ.get("FAIRLEAD_RESUME_ROUNDS", "60"))
OWNER = "alice"


def in_a_process(act: Callable[[], None]) -> int:
    """Run ``act`` in a process of its own; its exit status, or minus the signal that ended it."""
    child = os.fork()
    if not child:
        status = 1
        try:
            act()
            status = 0
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def feed(upload: Upload, data: bytes, chance: random.Random) -> None:
    """Write in pieces of any size."""
    while data:
        size = chance.randint(1, 20_000)
        upload.write(data[:size])
        data = data[size:]


def attempt(root: Path, intent: Intent, offset: int, data: bytes, end: str, seed: float) -> Callable[[], None]:
    """An upload that ends by ``end``: killed, cut off by the network, or complete."""

    def act() -> None:
        upload = LocalStorage(root).create("/a", intent=intent, owner=OWNER, offset=offset)
        feed(upload, data, random.Random(seed))
        if end == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if end == "cut":
            upload.keep()
        else:
            upload.commit()

    return act


@pytest.mark.req("S-SEC-9")
@pytest.mark.timeout(600)
@pytest.mark.parametrize("old", [None, b"old" * 4_000], ids=["new", "over an old file"])
def test_every_upload_is_resumed_and_whole(tmp_path: Path, old: bytes | None) -> None:
    chance = random.Random(3)
    store = LocalStorage(tmp_path)
    resumed = 0
    for _ in range(ROUNDS // 2):
        data = chance.randbytes(chance.randint(1, 300_000))
        if old is not None:
            (tmp_path / "a").write_bytes(old)
        offset = 0
        while True:
            stop = chance.randint(offset, len(data))
            end = chance.choice(["kill", "cut", "commit"])
            if end == "commit":
                stop = len(data)
            # Without a file in the way APPE goes on behind the partial, as REST and STOR do.
            appending = old is None and offset and chance.random() < 0.3
            how = (Intent.APPEND, 0) if appending else (Intent.REPLACE, offset)
            status = in_a_process(attempt(tmp_path, *how, data[offset:stop], end, chance.random()))
            assert status == (-signal.SIGKILL if end == "kill" else 0)
            if end == "commit":
                break
            assert read(tmp_path) == old
            resumed += 1
            offset = stop
            if old is None:
                try:
                    assert store.stat("/a", owner=OWNER).st_size == stop
                except NotFound:
                    assert not stop
            elif stop:
                offset = chance.randint(1, stop)
        assert hashlib.sha256(read(tmp_path) or b"").digest() == hashlib.sha256(data).digest()
        store.remove("/a")
        assert os.listdir(tmp_path) == []
    assert resumed >= ROUNDS // 2


def read(root: Path) -> bytes | None:
    return (root / "a").read_bytes() if (root / "a").exists() else None
