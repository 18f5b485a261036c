"""``fairlead doctor --server`` on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fairlead.cli import main

LOCAL = """\
[server]
listen = "127.0.0.1:0"
passive_ports = "61000-61099"
[storage]
root = "."
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "fairlead.toml"
    made.write_text(LOCAL)
    return made


def test_a_person_gets_findings_and_rules(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--server", "--config", str(file)]) == 0
    output = capsys.readouterr().out
    assert "right listen        127.0.0.1:0 can be had" in output
    assert "all others: the address that they call, ports 61000-61099" in output
    assert "This machine's firewall (nftables)" in output
    assert "tcp dport 61000-61099 ct state new accept comment" in output
    assert "A router" not in output


def test_rules_are_for_the_firewalls_that_are_asked_for(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text(LOCAL.replace("127.0.0.1:0", "0.0.0.0:2121"))
    main(["doctor", "--server", "--config", str(file), "--for", "ufw", "--for", "vsftpd"])
    output = capsys.readouterr().out
    assert "This machine's firewall (ufw)" in output
    assert "A router before it (ufw)" in output
    assert "nftables" not in output


def test_a_program_gets_json(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--server", "--json", "--config", str(file)]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["told"] == [{"clients": "", "address": "", "ports": "61000-61099"}]


def test_something_wrong_is_status_1(file: Path) -> None:
    file.write_text(LOCAL.replace("127.0.0.1:0", "192.0.2.199:2121"))
    assert main(["doctor", "--server", "--config", str(file)]) == 1


def test_a_wrong_configuration_is_status_2(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text("[server]\nworker = 1\n")
    assert main(["doctor", "--server", "--config", str(file)]) == 2
    assert "did you mean workers?" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments", [[], ["--server", "ftp://localhost/"], ["--config", "x.toml", "ftp://localhost/"], ["--config", "x"]]
)
def test_either_a_server_elsewhere_or_ones_own(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", *arguments]) == 2
    assert "give the URL of a server, or --server" in capsys.readouterr().err
