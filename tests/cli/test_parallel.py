from __future__ import annotations

import os
from pathlib import Path

import pytest

from fairlead.cli import main
from tests.peers.embedded import embedded

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
    assert capsys.readouterr().err.count("STATUS  fetching the bytes from ") >= 2
