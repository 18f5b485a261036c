from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path

import pytest

from fairlead import Client
from fairlead.cli import main
from tests.peers.embedded import DEADLINE, embedded
from tests.peers.fairlead import PROGRAM

OCTETS = os.urandom(5 << 20)


def test_get_fetches_a_long_file_in_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FAIRLEAD_NO_MEMORY", "1")
    (tmp_path / "served").mkdir()
    (tmp_path / "served" / "f").write_bytes(OCTETS)
    with embedded(tmp_path / "served") as server:
        assert main(["get", "-d", "--parallel", "3", "--limit-rate", "10M", "--verify", f"{server.url}/f"]) == 0
    assert (tmp_path / "f").read_bytes() == OCTETS
    shown = capsys.readouterr().err
    assert shown.count("STATUS  fetching the bytes from ") >= 2
    assert "[1] ---> RETR f" in shown
    assert "[2] ---> RETR f" in shown


def test_get_draws_every_session_of_a_file_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FAIRLEAD_NO_MEMORY", "1")
    (tmp_path / "served").mkdir()
    (tmp_path / "served" / "f").write_bytes(OCTETS)
    with embedded(tmp_path / "served") as server:
        command = ["get", "--parallel", "2", "--limit-rate", "10M", "--ladder=l.txt", f"{server.url}/f"]
        assert main(command) == 0
    assert Path("l.txt").read_text().count("RETR f") >= 2


def test_get_fetches_a_short_file_in_one_session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FAIRLEAD_NO_MEMORY", "1")
    (tmp_path / "served").mkdir()
    (tmp_path / "served" / "f").write_bytes(b"short")
    with embedded(tmp_path / "served") as server:
        assert main(["get", "--parallel", "2", f"{server.url}/f"]) == 0
    assert Path("f").read_bytes() == b"short"


def test_get_goes_on_after_a_kill(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FAIRLEAD_NO_MEMORY", "1")
    octets = os.urandom(12 << 20)
    (tmp_path / "served").mkdir()
    (tmp_path / "served" / "f").write_bytes(octets)
    with embedded(tmp_path / "served") as server:
        command = [str(PROGRAM), "get", "--parallel", "3", "--limit-rate", "8M", f"{server.url}/f"]
        with subprocess.Popen(command) as killed:
            deadline = time.monotonic() + DEADLINE
            while not _noted(tmp_path / "f.parts", len(octets)):
                assert time.monotonic() < deadline
                assert killed.poll() is None
                time.sleep(0.01)  # between two looks at the file
            killed.kill()
        noted = sum(end - start for start, end in _noted(tmp_path / "f.parts", len(octets)))
        with Client(server.url) as ftp:
            result = ftp.download("f", tmp_path / "f", parallel=3, resume=True, verify=True)
    assert (tmp_path / "f").read_bytes() == octets
    assert result.offset >= noted > 0
    assert result.offset + result.size == len(octets)


def _noted(parts: Path, size: int) -> list[list[int]]:
    """What an unfinished download says is here."""
    if not parts.exists() or parts.stat().st_size <= size:
        return []
    with parts.open("rb") as file:
        file.seek(size)
        line = file.read()
    have: list[list[int]] = json.loads(line.partition(b"\n")[0])["have"] if line.strip(b"\0") else []
    return have
