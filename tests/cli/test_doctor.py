"""``fairlead doctor``: the report for people, the document for programs, the ladders of what failed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fairlead.cli import main
from fairlead.client._wires import asyncio as wires
from fairlead.reach.products import TITLES
from tests.client.reactive import SILENT, World
from tests.client.script import HOST

URL = f"ftp://me:secret@{HOST}/"


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., World]:
    """Puts the server of :class:`World` behind what it is given in the way of the command line."""
    for name in ("FAIRLEAD_PASSWORD", "NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "80")

    def placed(**surroundings: Any) -> World:
        world = World(sessions=20, **surroundings)
        monkeypatch.setattr(wires, "AsyncioWire", lambda: world.wire)
        return world

    return placed


def run(*arguments: str) -> int:
    return main(("doctor", "--tls", "off", *arguments))


def test_the_report_begins_with_the_verdict_and_fits_the_terminal(
    at: Callable[..., World], capsys: pytest.CaptureFixture[str]
) -> None:
    at(then=SILENT)

    assert run(URL) == 1

    out = capsys.readouterr().out
    assert out.startswith("EPRT and PORT work; EPSV and PASV do not: your call to the port")
    assert "✗ passive-dropped" in out
    assert "✓ works" in out
    assert "What to change" in out
    assert max(len(line) for line in out.splitlines() if not line.startswith("    ")) <= 80
    assert "secret" not in out


def test_where_all_is_well_nothing_is_to_be_changed(
    at: Callable[..., World], capsys: pytest.CaptureFixture[str]
) -> None:
    at()

    assert run(URL) == 0

    out = capsys.readouterr().out
    assert out.startswith("Every mode that the server offers works from here.")
    assert "What to change" not in out


def test_a_proxy_is_refused_where_it_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--proxy", f"ftp://gate:key@{HOST}", URL) == 2
    error = capsys.readouterr().err
    assert "without a proxy" in error
    assert "fairlead ls -d --proxy" in error
    assert "key" not in error


def test_a_proxy_of_the_environment_is_told_of_and_passed_by(
    at: Callable[..., World], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    at()
    monkeypatch.setenv("ftp_proxy", f"ftp://gate:key@{HOST}")
    assert run(URL) == 0
    assert f"by way of ftp://{HOST}" in capsys.readouterr().err
    assert run("--proxy", "", URL) == 0
    assert capsys.readouterr().err == ""


def test_the_settings_of_a_product_are_shown_in_full(
    at: Callable[..., World], capsys: pytest.CaptureFixture[str]
) -> None:
    at(then=SILENT)

    assert run("--for", "vsftpd", "--for", "nftables", URL) == 1

    out = capsys.readouterr().out
    assert "pasv_min_port=5000\n" in out
    assert "insert rule inet filter forward" in out
    assert "--mode" not in out


def test_a_product_that_nobody_knows_is_a_mistake_of_use(
    at: Callable[..., World], capsys: pytest.CaptureFixture[str]
) -> None:
    at()

    assert run("--for", "wuftpd", URL) == 2
    said = capsys.readouterr().err
    assert [name for name in TITLES if name not in said] == []


def test_the_document_is_json_alone(at: Callable[..., World], capsys: pytest.CaptureFixture[str]) -> None:
    at(then=SILENT, calls=SILENT)

    assert run("--json", URL) == 5

    told = json.loads(capsys.readouterr().out)
    assert told["works"] == []
    assert {probe["cause"] for probe in told["probes"]} == {"passive-dropped", "active-dropped"}


def test_the_ladder_of_each_failed_probe_is_drawn(at: Callable[..., World], capsys: pytest.CaptureFixture[str]) -> None:
    at(then=SILENT)

    assert run("--ladder", "--", URL) == 1

    out = capsys.readouterr().out
    assert "EPSV over IPv4 in clear: passive-dropped" in out
    assert "PORT over IPv4 in clear" not in out
    assert "no answer in" in out
    assert "PASS ****" in out


def test_ladders_go_into_a_file_for_each_failed_probe(at: Callable[..., World], tmp_path: Path) -> None:
    at(then=SILENT)

    assert run(f"--ladder={tmp_path}/it.svg", URL) == 1

    assert sorted(path.name for path in tmp_path.glob("it*")) == ["it-epsv-ipv4-clear.svg", "it-pasv-ipv4-clear.svg"]


@pytest.mark.parametrize(
    ("surroundings", "code"), [({"refusals": {"PASS": "530 no"}}, 4), ({"refusals": {"USER": "421 full"}}, 3)]
)
def test_without_a_session_the_cause_is_said(
    at: Callable[..., World], capsys: pytest.CaptureFixture[str], surroundings: dict[str, Any], code: int
) -> None:
    at(**surroundings)

    assert run(URL) == code
    assert "over IPv4" in capsys.readouterr().out


def test_what_the_server_says_is_shown_as_it_is(at: Callable[..., World], capsys: pytest.CaptureFixture[str]) -> None:
    at(refusals={"PASS": "530 [/bold] [red]no"})

    assert run(URL) == 4
    assert "530 [/bold] [red]no" in " ".join(capsys.readouterr().out.split())


def test_a_server_that_cannot_be_found(at: Callable[..., World], capsys: pytest.CaptureFixture[str]) -> None:
    at()

    assert run("ftp://nowhere.example/") == 3
    assert capsys.readouterr().out.startswith("The server's name has no address.")
