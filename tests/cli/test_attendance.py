from __future__ import annotations

import os
import resource
import socket
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue

import pytest

from fairlead.cli.attendance import DAY, HOUR, allow_many_descriptors, log_descriptor, sweep_daily
from fairlead.storage.local import LocalStorage


def test_a_pipe_is_written_without_blocking_and_stays_blocking_for_others() -> None:
    reading, writing = os.pipe()
    own = log_descriptor(writing)
    try:
        assert own != writing
        assert not os.get_blocking(own)
        assert os.get_blocking(writing)
        os.write(own, b"line\n")
        assert os.read(reading, 100) == b"line\n"
    finally:
        for descriptor in {reading, writing, own}:
            os.close(descriptor)


def test_a_file_is_written_where_others_write_too(tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as file:
        assert log_descriptor(file.fileno()) == file.fileno()


def test_a_socket_is_written_as_it_is() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert log_descriptor(ours.fileno()) == ours.fileno()


def test_stores_are_swept_once_a_day_beginning_within_an_hour(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scheduled: list[tuple[float, Callable[[], None]]] = []
    swept: SimpleQueue[float] = SimpleQueue()
    store = LocalStorage(tmp_path)
    monkeypatch.setattr(store, "sweep", swept.put)

    sweep_daily([store], 5.0, lambda *call: scheduled.append(call))
    for days in range(2):
        wait, due = scheduled.pop()
        assert wait == DAY if days else 0 <= wait <= HOUR
        due()
        assert swept.get(timeout=10) == 5.0

    assert scheduled[0][0] == DAY


def test_as_many_descriptors_are_allowed_as_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    limits = [(1024, 4096)]
    monkeypatch.setattr(resource, "getrlimit", lambda _: limits[-1])
    monkeypatch.setattr(resource, "setrlimit", lambda _, both: limits.append(both))

    allow_many_descriptors()

    assert limits[-1] == (4096, 4096)
