"""The client's verbs on the command line, talking to a server in memory that follows a script."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from fairlead.cli import connection, main
from fairlead.client._wires.memory import MemoryWire
from fairlead.client.sync import Client
from tests.client.script import HOST, LOGIN, NO_FEATURES, Action, Play, Step, door, on

URL = f"ftp://me:secret@{HOST}"
IN = (*LOGIN, *NO_FEATURES)
EPSV = on("EPSV", door(5001), "229 ok (|||5001|)")
TYPE_I = on("TYPE I", "200 ok")


@dataclass
class Terminal:
    """What a person at the command line does and sees."""

    play: Play
    capture: pytest.CaptureFixture[bytes]
    out: bytes = b""
    err: str = ""

    def run(self, *arguments: str) -> int:
        """Run ``fairlead``, which must use up the server's script; ``out`` and ``err`` are what it wrote."""
        code = main(arguments)
        out, err = self.capture.readouterr()
        self.out, self.err = out, err.decode("utf-8", "backslashreplace")
        self.play.done()
        return code


def terminal(
    monkeypatch: pytest.MonkeyPatch,
    capture: pytest.CaptureFixture[bytes],
    steps: tuple[Step, ...],
    greeting: tuple[Action, ...],
) -> Terminal:
    """A command line whose client is connected to a server that plays ``steps``."""
    wire = MemoryWire()

    class Over(Client):
        def _make_wire(self) -> Any:
            return wire

    monkeypatch.setattr(connection, "Client", Over)
    play = Play(wire, steps, greeting=greeting, host=HOST)
    play.declines_tls = True
    return Terminal(play, capture)
