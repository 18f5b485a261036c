from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from fairlead.cli import main
from fairlead.ladder import jsonl
from tests.capture.building import CLIENT, SERVER, Wire, logged_in, pcap, pcapng, syn


@pytest.fixture
def failing(tmp_path: Path) -> Path:
    """A capture of a passive mode that a firewall drops."""
    wire = Wire()
    logged_in(wire).dialogue("EPSV", "229 (|||50000|)")
    syn(wire, (CLIENT[0], 40001), (SERVER[0], 50000), times=3)
    syn(wire, ("198.51.100.11", 1), ("203.0.113.99", 1), times=2)
    return saved(tmp_path / "ftp.pcap", wire)


@pytest.fixture
def working(tmp_path: Path) -> Path:
    wire = Wire()
    logged_in(wire).close()
    return saved(tmp_path / "well.pcap", wire)


def saved(file: Path, wire: Wire) -> Path:
    file.write_bytes(pcap(wire.frames()))
    return file


def test_a_failure_is_a_sentence_then_advice_then_a_ladder(failing: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", str(failing)]) == 1
    shown = capsys.readouterr().out
    heading, sentence, cause, *rest = shown.splitlines()
    assert heading == "198.51.100.10:40000 to 203.0.113.21:21, 1970-01-01 00:16:40 UTC, captured at: client"
    assert sentence == "✕ EPSV: the client called 203.0.113.21:50000 3 times and got no answer."
    assert cause.startswith("  passive-dropped: ")
    assert any(line.startswith("→ server's network: ") for line in rest)
    assert "SYN ×3" in shown
    assert "PASS ****" in shown
    assert "s3cret" not in shown


def test_what_works_is_told_and_exits_with_0(working: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", str(working)]) == 0
    assert "Nothing failed; 0 data connections were made." in capsys.readouterr().out
    assert main(["explain", "--failures", str(working)]) == 0
    assert capsys.readouterr().out == "In none of the sessions anything failed.\n"


def test_a_capture_without_ftp_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "empty.pcapng"
    file.write_bytes(pcapng([]))
    assert main(["explain", str(file)]) == 0
    assert capsys.readouterr().out == "There is no session of FTP in it.\n"


def test_json_has_all_of_it(failing: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "--json", str(failing)]) == 1
    shown = capsys.readouterr().out
    (session,) = json.loads(shown)["sessions"]
    assert session["client"] == "198.51.100.10:40000"
    assert session["captured_at"] == "client"
    assert session["data_connections"] == 0
    (finding,) = session["findings"]
    assert (finding["cause"], finding["mode"], finding["owner"]) == ("passive-dropped", "EPSV", "server's network")
    assert {"owner", "text", "settings"} == set(session["advice"][0])
    assert jsonl.load("\n".join(map(json.dumps, session["ladder"]))).steps[-1].cause == "passive-dropped"
    assert "s3cret" not in shown


def test_settings_are_shown_for_the_product_that_is_asked_for(
    failing: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["explain", "--for", "nftables", str(failing)]) == 1
    assert "insert rule inet filter" in capsys.readouterr().out


def test_ladders_go_into_files(failing: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", f"--ladder={tmp_path / 'ladder.svg'}", str(failing)]) == 1
    assert (tmp_path / "ladder.svg").read_text().rstrip().endswith("</svg>")
    assert "SYN ×3" not in capsys.readouterr().out.replace("SYN ×3 to", "")


def test_a_saved_ladder_is_explained_too(failing: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ladder = tmp_path / "saved.jsonl"
    assert main(["explain", f"--ladder={ladder}", str(failing)]) == 1
    capsys.readouterr()

    assert main(["explain", str(ladder)]) == 1
    shown = capsys.readouterr().out
    assert shown.startswith("✕ SYN ×3 at ")
    assert "  passive-dropped: Your call to the port" in shown

    assert main(["explain", "--json", str(ladder)]) == 1
    (session,) = json.loads(capsys.readouterr().out)["sessions"]
    assert session["findings"][0]["cause"] == "passive-dropped"


def test_a_file_that_was_cut_is_explained_as_far_as_it_goes(failing: Path, capsys: pytest.CaptureFixture[str]) -> None:
    failing.write_bytes(failing.read_bytes()[:-1])
    assert main(["explain", str(failing)]) == 1
    shown = capsys.readouterr()
    assert "passive-dropped" in shown.out
    assert shown.err == f"fairlead: {failing} ends in the middle of a packet; what stands before it is explained\n"


@pytest.mark.parametrize(
    ("name", "content", "error"),
    [
        ("gone.pcap", None, "cannot read {}: No such file or directory"),
        ("text.pcap", b"hello", "{} is no capture of tcpdump or Wireshark (pcap, pcapng); record one with: "),
        ("empty.pcap", b"", "{} is empty; record one with: "),
        ("bad.jsonl", b"{}", "{} is neither a capture nor a saved ladder: line 1 does not say"),
        ("bad2.jsonl", b"\xff", "{} is neither a capture nor a saved ladder: "),
    ],
)
def test_what_cannot_be_explained_is_told_in_one_sentence(
    name: str, content: bytes | None, error: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / name
    if content is not None:
        file.write_bytes(content)
    assert main(["explain", str(file)]) == 2
    told = capsys.readouterr().err
    assert told.startswith(f"fairlead: {error.format(file)}")
    assert told.count("\n") == 1


@pytest.mark.parametrize("port", ["0", "65536", "ftp"])
def test_a_control_port_is_a_port(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "--control-port", port, "x.pcap"]) == 2
    assert f"'{port}' is no port from 1 to 65535" in capsys.readouterr().err


def test_an_interface_that_is_not_there_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    if os.geteuid():
        assert main(["explain", "-i", "nothing0"]) == 2
        assert "capturing needs root" in capsys.readouterr().err
        return
    assert main(["explain", "-i", "nothing0"]) == 2
    assert "there is no interface 'nothing0'; there are any, lo" in capsys.readouterr().err


def test_captures_of_both_ends_are_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = []
    for standing, port in (("client", 30000), ("server", 50000)):
        wire = Wire("client" if standing == "client" else "server")
        logged_in(wire).dialogue("EPSV", f"229 (|||{port}|)")
        syn(wire, (CLIENT[0], 40001), (SERVER[0], 30000), times=3, near=standing == "client")
        files.append(str(saved(tmp_path / f"{standing}.pcap", wire)))
    assert main(["explain", "--json", *files]) == 1
    sessions = json.loads(capsys.readouterr().out)["sessions"]
    assert [[finding["cause"] for finding in each["findings"]] for each in sessions] == [["passive-rewritten"]] * 2
    assert [each["captured_at"] for each in sessions] == ["client", "server"]


@pytest.mark.parametrize("arguments", [[], ["-i", "lo", "x.pcap"]])
def test_either_files_or_an_interface_are_explained(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", *arguments]) == 2
    assert "name the files to explain, or an interface by -i" in capsys.readouterr().err
