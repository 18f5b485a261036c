"""Connections that end at a random octet, by a reset or in order, in both directions: no success that is none.

``FAIRLEAD_FAULT_ROUNDS`` sets how many uploads and downloads are cut (200 each), ``FAIRLEAD_FAULT_SEED`` where.
"""

from __future__ import annotations

import os
import random
import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from fairlead.accounts.memory import MemoryAccounts
from fairlead.events import Event, TransferFailed, TransferFinished
from fairlead.storage.local import LocalStorage
from tests.server.session import Running, reset, serving

ROUNDS = int(os.environ.get("FAIRLEAD_FAULT_ROUNDS", "200"))
SEED = int(os.environ.get("FAIRLEAD_FAULT_SEED", "959"))
SIZES = (0, 1, 1000, 65_535, 65_536, 65_537, 300_000, 3_000_000)
UNSEEN = 128 << 10
"""Octets that the receiver's system may have taken, and acknowledged, without the receiver having read them."""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path


@pytest.fixture
def running(root: Path) -> Iterator[Running]:
    with (
        closing(LocalStorage(root, durability="relaxed")) as storage,
        serving(storage, accounts=MemoryAccounts.sharing(storage, {"me": "secret"}, write=True)) as server,
    ):
        yield server
        server.await_idle()
        assert not any(isinstance(event, TransferFailed) and event.cause == "storage" for event in server.recorded)


def descriptors() -> Counter[str]:
    """The kinds of descriptors that this process has open."""
    kinds: Counter[str] = Counter()
    for name in os.listdir("/proc/self/fd"):
        try:
            kinds[os.readlink(f"/proc/self/fd/{name}").partition(":")[0]] += 1
        except FileNotFoundError:
            continue
    return kinds


def end(connection: socket.socket, how: str) -> None:
    """End the connection by a reset, or in order as when its process is killed."""
    if how == "reset":
        reset(connection)
    else:
        connection.close()


@pytest.mark.req("S-959-DC-4", "S-959-DC-7", "S-959-QUIT-3", "S-ERR-6")
@pytest.mark.timeout(60 + ROUNDS)
def test_a_cut_upload_is_never_taken_for_a_whole_one(running: Running, root: Path) -> None:
    draw = random.Random(SEED)
    outcomes: Counter[str] = Counter()
    ends: list[Event] = []
    for kind in (TransferFailed, TransferFinished):
        running.server.events.subscribe(kind, ends.append)
    for number in range(ROUNDS):
        size, old = draw.choice(SIZES), draw.choice([None, b"old", b"old content" * 20_000])
        content = draw.randbytes(size).replace(b"\r", b"\n")
        cut = draw.randint(0, size)
        what, how = draw.choice(["data", "control"]), draw.choice(["reset", "end"])
        target = root / "file"
        target.unlink(missing_ok=True)
        if old is not None:
            target.write_bytes(old)
        code = 0
        with running.login() as control, control.passive() as data:
            assert control.ask(f"TYPE {draw.choice('AI')}").code == 200
            assert control.ask("STOR file").code == 150
            data.sendall(content[:cut])
            if what == "data":
                end(data, how)
                code = control.read().code
            else:
                end(control.socket, how)
                end(data, draw.choice(["reset", "end"]))
        running.await_condition(lambda: len(ends) > number)  # noqa: B023 - it is used within the round
        running.settle()
        if what == "data" and how == "end":
            assert code == 226
            assert target.read_bytes() == content[:cut]
        else:
            assert code == (426 if what == "data" else 0)
            assert (target.read_bytes() if target.exists() else None) == old
        outcomes[f"{what} {how}"] += 1
    assert sum(outcomes.values()) == ROUNDS
    assert len(outcomes) == 4 or ROUNDS < 50


@pytest.mark.req("S-959-DC-4", "S-DF-DC-8", "S-ERR-6")
@pytest.mark.timeout(60 + ROUNDS)
def test_a_cut_download_is_never_called_complete(running: Running, root: Path) -> None:
    draw = random.Random(SEED + 1)
    contents = {size: draw.randbytes(size) for size in SIZES}
    for size, content in contents.items():
        (root / f"file{size}").write_bytes(content)
    judged = 0
    for _ in range(ROUNDS):
        size = draw.choice(SIZES[3:])
        cut = draw.randint(0, size)
        what, how = draw.choice(["data", "data", "control"]), draw.choice(["reset", "end"])
        with running.login() as control, control.narrow() as data:
            assert control.ask(f"RETR file{size}").code == 150
            received = bytearray()
            while len(received) < cut:
                received += data.recv(min(65_536, cut - len(received)))
            assert received == contents[size][:cut]
            if what == "control":
                end(control.socket, how)
                continue
            end(data, how)
            code = control.read().code
            if size - cut > UNSEEN:
                assert code == 426, (size, cut, how)
                judged += 1
            assert code in {226, 426}
            assert control.ask("NOOP").code == 200
    assert judged > ROUNDS // 20


def test_nothing_is_left_open_after_cuts(running: Running, root: Path) -> None:
    def cut(number: int) -> None:
        with running.login() as control, control.passive() as data:
            assert control.ask("STOR file" if number % 2 else "RETR other").code == 150
            if number % 2:
                data.sendall(bytes(100_000))
            reset(data if number % 3 else control.socket)
        running.await_idle()

    (root / "other").write_bytes(bytes(8_000_000))
    for number in range(6):
        cut(number)
    running.call(running.server.pipes.close)  # of those that are kept for the next upload there may be one more
    before = descriptors()
    for number in range(18):
        cut(number)
    running.call(running.server.pipes.close)
    assert descriptors() == before


def test_a_download_that_ended_well_was_received_whole(running: Running, root: Path) -> None:
    content = random.Random(SEED).randbytes(3_000_000)
    (root / "file").write_bytes(content)
    with running.login() as control:
        for _ in range(5):
            with control.narrow() as data:
                assert control.ask("RETR file").code == 150
                received = bytearray()
                while piece := data.recv(65_536):
                    received += piece
                assert received == content
                assert control.read().code == 226
