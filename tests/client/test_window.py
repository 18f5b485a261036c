"""Long files, which are sent from memory that is theirs, over sockets of the system."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fairlead.client._wires.sockets import SocketStream
from fairlead.client._wires.window import WORTH_IT, Window

pytestmark = pytest.mark.skipif(not hasattr(os, "sendfile"), reason="files are sent piece by piece here")

MIB = 1 << 20


@pytest.fixture
def ends() -> Iterator[tuple[SocketStream, socket.socket]]:
    """A stream, and the socket at its other end."""
    near, far = socket.socketpair()
    with far:
        stream = SocketStream(near, ("", 0))
        yield stream, far
        stream.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file of no whole number of pages."""
    file = tmp_path / "long"
    file.write_bytes(b"".join(number.to_bytes(8, "big") for number in range(10 * MIB // 8)) + b"end")
    return file


def send(stream: SocketStream, far: socket.socket, file: int, *, start: int = 0, until: int | None = None) -> bytes:
    """What arrives of the ``file`` from ``start`` to its end, or until so many octets were sent."""
    arrived, sent = bytearray(), 0
    while until is None or sent < until:
        more = stream.send_file(file, start + sent, 4 * MIB)
        if more == 0:
            break
        sent += more or 0
        while len(arrived) < sent:
            arrived += far.recv(MIB)
    return bytes(arrived)


@pytest.mark.parametrize("start", [0, 1, WORTH_IT, WORTH_IT + 4097])
def test_long_file_arrives_as_it_is(ends: tuple[SocketStream, socket.socket], path: Path, start: int) -> None:
    with path.open("rb") as file:
        assert send(*ends, file.fileno(), start=start) == path.read_bytes()[start:]


def test_what_is_added_meanwhile_arrives_too(ends: tuple[SocketStream, socket.socket], path: Path) -> None:
    with path.open("rb") as file:
        before = send(*ends, file.fileno(), until=3 * MIB)
        with path.open("ab") as end:
            end.write(b"more")
        assert before + send(*ends, file.fileno(), start=len(before)) == path.read_bytes()


@pytest.mark.skipif(sys.platform == "win32", reason="a file that is mapped keeps its length there")
def test_file_that_becomes_shorter_just_ends(ends: tuple[SocketStream, socket.socket], path: Path) -> None:
    with path.open("rb") as file:
        sent = len(send(*ends, file.fileno(), until=3 * MIB))
        os.truncate(path, 2 * MIB)
        assert ends[0].send_file(file.fileno(), sent, MIB) == 0


def test_file_that_cannot_be_mapped_is_sent_all_the_same(
    ends: tuple[SocketStream, socket.socket], path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_self: Window, _file: int, _offset: int) -> memoryview:
        raise OSError(19, "No such device")

    monkeypatch.setattr(Window, "at", refuse)
    with path.open("rb") as file:
        assert send(*ends, file.fileno()) == path.read_bytes()
