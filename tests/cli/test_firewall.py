from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from fairlead.cli import main
from fairlead.reach.rules import TOOLS


def rules(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    """The lines that are to be run."""
    assert main(["firewall", "--tool", "ufw", *arguments]) == 0
    return [line for line in capsys.readouterr().out.splitlines() if not line.startswith("#")]


def remarks(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    assert main(["firewall", "--json", *arguments]) == 0
    told: list[str] = json.loads(capsys.readouterr().out)["remarks"]
    return told


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "fairlead.toml"
    file.write_text('[server]\nlisten = ["192.0.2.1:2121"]\npassive_ports = "50000-50009"\n')
    return file


def test_without_options_it_is_the_usual_server(capsys: pytest.CaptureFixture[str]) -> None:
    assert rules(capsys) == [
        "ufw allow in proto tcp from any to any port 21 comment 'control connections'",
        "ufw allow in proto tcp from any to any port 61000:65535 comment 'passive data connections'",
        "ufw allow out proto tcp from any port 20 to any port 1024:65535 comment 'active data connections'",
    ]


@pytest.mark.parametrize(("mode", "count"), [("epsv", 2), ("pasv", 2), ("eprt", 2), ("port", 2), ("all", 3)])
def test_only_what_the_mode_needs_is_opened(mode: str, count: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert len(rules(capsys, "--mode", mode)) == count


def test_a_configuration_says_ports_and_addresses(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert rules(capsys, "--config", str(config)) == [
        "ufw allow in proto tcp from 0.0.0.0/0 to 192.0.2.1 port 2121 comment 'control connections'",
        "ufw allow in proto tcp from 0.0.0.0/0 to 192.0.2.1 port 50000:50009 comment 'passive data connections'",
        "ufw allow out proto tcp from any port 2120 to any port 1024:65535 comment 'active data connections'",
    ]


def test_options_go_over_the_configuration(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = rules(capsys, "--config", str(config), "--passive-ports", "60000-60001", "--active-source-port", "0")
    assert "port 60000:60001" in told[1]
    assert "from any to any port 1024:65535" in told[2]


def test_a_server_that_calls_nobody_is_told(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config.write_text(config.read_text() + "active = false\n")
    assert len(rules(capsys, "--config", str(config))) == 2
    assert any("active = false" in each for each in remarks(capsys, "--config", str(config)))


def test_a_router_forwards_to_a_private_address(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["firewall", "--place", "router", "--inside-address", "10.1.1.21", "--tool", "router"]) == 0
    shown = capsys.readouterr().out
    assert "- external port 21 to 10.1.1.21, internal port the same (control connections)" in shown
    assert "# Behind this router the server must announce its address: fairlead serve --public-address ADDRESS" in shown


def test_a_router_may_map_other_ports(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config.write_text(config.read_text() + 'public_address = [{address = "203.0.113.1", ports = "40000-40009"}]\n')
    arguments = ["--config", str(config), "--place", "router", "--inside-address", "192.0.2.1"]
    assert main(["firewall", "--tool", "router", *arguments, "--public-address", "203.0.113.1"]) == 0
    assert "- external ports 40000-40009 to 192.0.2.1, internal ports 50000-50009" in capsys.readouterr().out


def test_the_clients_side_is_the_other_way_round(capsys: pytest.CaptureFixture[str]) -> None:
    assert rules(capsys, "--side", "client", "--mode", "eprt", "--active-ports", "40000-40009") == [
        "ufw allow out proto tcp from any to any port 21 comment 'control connections'",
        "ufw allow in proto tcp from any port 20 to any port 40000:40009 comment 'active data connections'",
    ]


@pytest.mark.parametrize(
    ("arguments", "remark"),
    [
        (["--implicit-tls", ":990"], "The server offers TLS: helpers and inspecting firewalls"),
        (["--listen", "127.0.0.1:2121"], "The server listens at 127.0.0.1 only, which nobody else can call"),
        (["--side", "client"], "Without --active-ports the client waits at any of these ports"),
        (["--helper"], "The helper reads PORT, PASV and their kin in clear only"),
        (["--place", "router"], "Without --inside-address these let through calls of all machines"),
        (
            ["--side", "client", "--place", "router", "--inside-address", "192.168.1.10"],
            "Behind this router the client must announce its address: --active-address ADDRESS",
        ),
    ],
)
def test_what_the_rules_do_not_say_is_said_beside_them(
    arguments: list[str], remark: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert any(each.startswith(remark) for each in remarks(capsys, *arguments))


def test_json_has_the_terms_and_the_rules_of_every_tool(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["firewall", "--json", "--tool", "all", "--mode", "port"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["side"], told["place"], told["modes"]) == ("server", "host", ["PORT"])
    assert told["openings"][1] == {
        "purpose": "active data connections",
        "direction": "out",
        "ports": [1024, 65535],
        "source_ports": [20, 20],
        "remote": "",
        "host": "",
        "family": 4,
    }
    assert list(told["rules"]) == list(TOOLS)


def test_all_tools_stand_under_their_titles(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["firewall", "--tool", "all"]) == 0
    shown = capsys.readouterr().out
    assert all(f"\n# {tool.title}\n" in shown for tool in TOOLS.values())


REPORT: dict[str, Any] = {
    "target": "ftp.example.com:2121",
    "control": {"tls": {"version": "TLSv1.3"}},
    "probes": [
        {"mode": "EPSV", "evidence": {"peer": "203.0.113.130", "port": 50003}},
        {"mode": "PASV", "evidence": {"peer": "203.0.113.130", "host": "10.1.1.21", "port": 50011}},
        {"mode": "PORT", "evidence": {"peer": "203.0.113.130", "port": 40000}},
    ],
}


def test_a_report_of_the_doctor_says_what_it_saw(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "report.json"
    file.write_text(json.dumps(REPORT))
    told = rules(capsys, "--report", str(file), "--side", "client", "--mode", "epsv")
    assert told == [
        "ufw allow out proto tcp from 0.0.0.0/0 to 203.0.113.130 port 2121 comment 'control connections'",
        "ufw allow out proto tcp from 0.0.0.0/0 to 203.0.113.130 port 50000:50099 comment 'passive data connections'",
    ]
    assert [each.split(":")[0] for each in remarks(capsys, "--report", str(file))] == [
        "ftp.example.com offers TLS",
        "The report does not tell the whole passive range (ports 50003-50011 of the server were seen)",
    ]

    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps(REPORT)))
    assert main(["firewall", "--report", "-", "--place", "router", "--tool", "router"]) == 0
    assert "to 10.1.1.21" in capsys.readouterr().out


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"target": 5}', '{"target": "x:y", "probes": [], "control": null}'])
def test_what_is_no_report_is_refused(text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "report.json"
    file.write_text(text)
    assert main(["firewall", "--report", str(file)]) == 2
    assert capsys.readouterr().err == (
        f"fairlead: {file} is no report of the doctor; make one with: fairlead doctor --json URL > report.json\n"
    )


def test_files_that_are_not_there_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "gone"
    assert main(["firewall", "--report", str(file)]) == 2
    assert capsys.readouterr().err == f"fairlead: cannot read the report {file}: No such file or directory\n"
    assert main(["firewall", "--config", str(file)]) == 2
    assert main(["firewall", "--passive-ports", "9-1"]) == 2
    assert "begins after its end" in capsys.readouterr().err
