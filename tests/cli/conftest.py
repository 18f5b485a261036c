"""A command line whose one server follows a script."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.session import Terminal, terminal
from tests.client.script import Action, Step


@pytest.fixture
def against(
    monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes], tmp_path: Path
) -> Callable[..., Terminal]:
    """Makes a :class:`Terminal` whose server plays the given steps; home and working directory are empty ones."""
    home, here = tmp_path / "home", tmp_path / "here"
    home.mkdir()
    here.mkdir()
    monkeypatch.setenv("HOME", str(home))
    for name in ("ftp_proxy", "ftps_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for name in ("FAIRLEAD_PASSWORD", "FAIRLEAD_NO_MEMORY", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(here)

    def make(*steps: Step, greeting: tuple[Action, ...] = ("220 ready",)) -> Terminal:
        return terminal(monkeypatch, capsysbinary, steps, greeting)

    return make
