"""``fairlead copy``: two sessions at once."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fairlead.cli import connection
from fairlead.client._wires.memory import MemoryWire
from fairlead.client.sync import Client
from fairlead.ladder import jsonl
from fairlead.ladder.model import Kind
from tests.cli.session import EPSV, IN, TYPE_I, URL, Terminal
from tests.client.script import GREETING, Play, Step, data, on, take

pytestmark = pytest.mark.req("C-FXP-1")
OTHER = "192.0.2.91"
OTHER_URL = f"ftp://me:secret@{OTHER}"
SIZE = on("SIZE f", "213 6")
PASV = on("PASV", "227 ok (192,0,2,90,19,137)")
PORT = "PORT 192,0,2,90,19,137"
DIRECT = (TYPE_I, SIZE, PASV, on("RETR f", "150 go", "226 ok"))


@pytest.fixture
def beside(against: Callable[..., Terminal], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Terminal]:
    """Makes a terminal with two servers in its world, each of which plays its steps."""

    def make(source: tuple[Step, ...], target: tuple[Step, ...]) -> Terminal:
        terminal = against(*IN, *source)
        wire: MemoryWire = terminal.play.wire
        other = Play(wire, [*IN, *target], greeting=GREETING, host=OTHER)
        other.declines_tls = True

        class Over(Client):
            def _make_wire(self) -> Any:
                return wire

        monkeypatch.setattr(connection, "Client", Over)
        first_done = terminal.play.done

        def both_done() -> None:
            first_done()
            other.done()

        monkeypatch.setattr(terminal.play, "done", both_done)
        return terminal

    return make


@pytest.mark.parametrize(("path", "steps"), [("g", ()), ("in/g", (on("CWD in", "250 ok"),))])
def test_copy(beside: Callable[..., Terminal], path: str, steps: tuple[Step, ...]) -> None:
    target = (*steps, TYPE_I, on(PORT, "200 ok"), on("STOR g", "150 go", "226 ok"), on("SIZE g", "213 6"))
    server = beside(DIRECT, target)
    assert server.run("copy", "--json", f"{URL}/f", f"{OTHER_URL}/{path}") == 0
    told = json.loads(server.out)
    assert (told["size"], told["mode"], told["detour"]) == (6, "PASV, PORT", "")
    assert b"secret" not in server.out
    assert server.err == ""


def test_copy_into_a_directory_keeps_the_name(beside: Callable[..., Terminal]) -> None:
    stored = (on("STOR f", "150 go", "226 ok"), on("SIZE f", "213 6"))
    server = beside(DIRECT, (on("CWD in", "250 ok"), TYPE_I, on(PORT, "200 ok"), *stored))
    assert server.run("copy", f"{URL}/f", f"{OTHER_URL}/in/") == 0


def test_detour_is_told(beside: Callable[..., Terminal]) -> None:
    back = on("PORT 192,0,2,91,19,138", "500 no")
    source = (TYPE_I, SIZE, PASV, back, EPSV, on("RETR f", "150 go", data(b"octets"), "226 ok"))
    stored = (EPSV, on("STOR g", "150 go", take("226 ok")))
    server = beside(source, (TYPE_I, on(PORT, "500 no"), on("PASV", "227 ok (192,0,2,91,19,138)"), *stored))
    assert server.run("copy", f"{URL}/f", f"{OTHER_URL}/g") == 0
    assert server.err.startswith("fairlead: the data went through this machine: ftp://192.0.2.91 answered ")
    assert server.err.count("\n") == 1


def test_ladder_keeps_the_two_servers_apart(beside: Callable[..., Terminal]) -> None:
    target = (TYPE_I, on(PORT, "200 ok"), on("STOR g", "150 go", "226 ok"), on("SIZE g", "213 6"))
    server = beside(DIRECT, target)
    assert server.run("copy", "-d", "--ladder=l.jsonl", f"{URL}/f", f"{OTHER_URL}/g") == 0
    steps = jsonl.load(Path("l.jsonl").read_text()).steps
    told = {step.text.split()[0]: step.target for step in steps if step.kind is Kind.COMMAND}
    assert told["PASV"] != told["PORT"]
    assert "---> PASV" in server.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [((f"{URL}/d/", f"{OTHER_URL}/"), "names a directory"), ((f"{URL}/f",), "required")],
)
def test_copy_in_vain(against: Callable[..., Terminal], arguments: tuple[str, ...], said: str) -> None:
    server = against()
    assert server.run("copy", *arguments) == 2
    assert said in server.err


def test_file_that_is_not_there(beside: Callable[..., Terminal]) -> None:
    source = (TYPE_I, on("SIZE f", "550 no"), PASV, on("RETR f", "550 no such file"))
    server = beside(source, (TYPE_I, on(PORT, "200 ok")))
    assert server.run("copy", f"{URL}/f", f"{OTHER_URL}/g") == 1
    assert "550 no such file; check the path" in server.err
