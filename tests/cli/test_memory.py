"""The command line remembers which mode served, unless told not to."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.session import EPSV, IN, URL, Terminal
from tests.client.script import data, door, on

Against = Callable[..., Terminal]
LIST = on("LIST", "150 go", data(b""), "226 done")
REMEMBERED = Path("home/.local/state/fairlead/modes.json")
PASV = (on("EPSV", "425 none free"), on("PASV", door(5001), "227 ok (192,0,2,90,19,137)"))


def test_mode_that_served_is_written_down_at_home(against: Against, tmp_path: Path) -> None:
    assert against(*IN, *PASV, LIST).run("ls", URL) == 0
    assert [entry["mode"] for entry in json.loads((tmp_path / REMEMBERED).read_text())["modes"]] == ["PASV"]
    assert against(*IN, PASV[1], LIST).run("ls", URL) == 0


def test_state_directory_may_be_elsewhere(against: Against, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    assert against(*IN, EPSV, LIST).run("ls", URL) == 0
    assert (tmp_path / "state/fairlead/modes.json").exists()
    assert not (tmp_path / REMEMBERED).exists()


@pytest.mark.parametrize("by", ["option", "environment"])
def test_nothing_is_written_down_or_read_when_told_so(
    against: Against, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    assert against(*IN, *PASV, LIST).run("ls", URL) == 0
    before = (tmp_path / REMEMBERED).read_text()
    options = ["--no-memory"] if by == "option" else []
    if by == "environment":
        monkeypatch.setenv("FAIRLEAD_NO_MEMORY", "1")
    assert against(*IN, EPSV, LIST).run("ls", *options, URL) == 0
    assert (tmp_path / REMEMBERED).read_text() == before


def test_without_a_home_nothing_is_remembered(
    against: Against, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "nowhere")
    assert against(*IN, EPSV, LIST).run("ls", URL) == 0
    assert not list(tmp_path.rglob("modes.json"))
