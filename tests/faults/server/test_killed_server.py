"""A server that is killed in the middle of uploads, started again, and asked to go on.

It is killed 20 times, a tenth of ``FAIRLEAD_FAULT_ROUNDS``; ``FAIRLEAD_FAULT_SEED`` sets where.
"""

from __future__ import annotations

import contextlib
import os
import random
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from fairlead.storage import names
from tests.server.session import DEADLINE, Control

ROUNDS = int(os.environ.get("FAIRLEAD_FAULT_ROUNDS", "200")) // 10
SEED = int(os.environ.get("FAIRLEAD_FAULT_SEED", "959"))
PROGRAM = Path(sys.executable).with_name("fairlead")
SIZE = 4_000_000


class Victim:
    """``fairlead serve`` in a process that is killed and started again, always at a new port."""

    def __init__(self, root: Path) -> None:
        self._command = [
            str(PROGRAM), "serve", str(root), "--listen", "127.0.0.1:0", "--user", "me:secret", "--write",
        ]  # fmt: skip
        self._process: subprocess.Popen[str] | None = None
        self._port = 0

    def start(self) -> None:
        self._process = subprocess.Popen(
            self._command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        assert self._process.stdout is not None
        said = self._process.stdout.readline()
        match = re.fullmatch(r"listening on ftp://127\.0\.0\.1:([0-9]+)\n", said)
        assert match is not None, said
        self._port = int(match[1])

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def login(self) -> Control:
        control = Control(socket.create_connection(("127.0.0.1", self._port), 10))
        assert control.read().code == 220
        assert control.codes("USER me", "PASS secret", "TYPE I") == [331, 230, 200]
        return control


@pytest.fixture
def victim(tmp_path: Path) -> Iterator[Victim]:
    victim = Victim(tmp_path)
    victim.start()
    yield victim
    victim.kill()


def store_and_kill(victim: Victim, root: Path, content: bytes, given: int, taken: int) -> bool:
    """Store under the name ``file``; kill the server once ``given`` octets were sent and ``taken`` are in the partial.

    Where all is sent, the server is killed while it makes the upload whole, or after. Whether it said 226.
    """
    partial = root / os.fsdecode(names.partial(b"file", "me"))
    with victim.login() as control, control.passive() as data:
        assert control.ask("STOR file").code == 150
        data.sendall(content[:given])
        deadline = time.monotonic() + DEADLINE
        while given < len(content) and partial.stat().st_size < taken:
            assert time.monotonic() < deadline
        if given == len(content):
            data.close()
        victim.kill()
        with contextlib.suppress(ConnectionError, AssertionError):
            return control.read().code == 226
    return False


@pytest.mark.req("S-SEC-9", "S-3659-REST-5")
@pytest.mark.timeout(60 + 5 * ROUNDS)
def test_every_upload_is_resumed_after_a_kill(victim: Victim, tmp_path: Path) -> None:
    draw = random.Random(SEED)
    resumed = 0
    for _ in range(ROUNDS * 7 // 10):
        content = draw.randbytes(SIZE)
        given = draw.choice([draw.randint(1, SIZE), draw.randint(1, 100_000), SIZE])
        taken = draw.randint(1, given)
        target = tmp_path / "file"
        target.unlink(missing_ok=True)
        acknowledged = store_and_kill(victim, tmp_path, content, given, taken)
        assert target.exists() or not acknowledged
        assert not target.exists() or (given == SIZE and target.read_bytes() == content)
        victim.start()
        with victim.login() as control:
            came = control.ask("SIZE file")
            offset = int(came.text) if came.code == 213 else 0
            assert offset <= given
            assert offset >= taken or given == SIZE
            assert control.ask(f"REST {offset}").code == 350
            assert control.store("STOR file", content[offset:]).code == 226
            assert control.fetch("RETR file") == content
        assert os.listdir(tmp_path) == ["file"]
        resumed += offset > 0
    assert resumed > ROUNDS // 4


@pytest.mark.req("S-SEC-9", "S-959-STOR-1")
@pytest.mark.timeout(60 + 5 * ROUNDS)
def test_the_old_file_stays_whole_until_the_new_one_is(victim: Victim, tmp_path: Path) -> None:
    draw = random.Random(SEED + 1)
    old = draw.randbytes(SIZE)
    (tmp_path / "file").write_bytes(old)
    for _ in range(ROUNDS * 3 // 10):
        content = draw.randbytes(SIZE)
        given = draw.choice([draw.randint(1, SIZE), SIZE, SIZE])
        acknowledged = store_and_kill(victim, tmp_path, content, given, given)
        stands = (tmp_path / "file").read_bytes()
        assert stands in ((content,) if acknowledged else (old,) if given < SIZE else (old, content))
        victim.start()
        with victim.login() as control:
            assert control.fetch("RETR file") == stands
            assert control.fetch("NLST") == b"file\r\n"
            assert control.store("STOR file", content).code == 226
        old = content
    assert os.listdir(tmp_path) == ["file"]
