from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from benchmarks.measure import Sample
from benchmarks.report import Report, against, markdown, number, show, write_json
from benchmarks.rows import rows
from benchmarks.servers import SERVERS
from benchmarks.summary import Rival


@pytest.fixture
def report() -> Report:
    names = ("fairlead", "pyftpdlib", "vsftpd", "limit")
    return Report(
        kind="server",
        date="2030-01-01 00:00 UTC",
        machine={"cores": "2"},
        method={"rounds": "1"},
        rows=[row for row in rows() if row.name in {"retr", "noop", "mlsd-10k", "growth-retr"}],
        subjects=[server for server in SERVERS if server.name in names],
        missing={"ProFTPD": "not found: proftpd"},
        samples=[
            Sample("retr", "fairlead", 0, value=3000.0, cpu=0.2, load_share=0.5),
            Sample("retr", "pyftpdlib", 0, value=2000.0, cpu=0.3),
            Sample("retr", "vsftpd", 0, value=5000.0, cpu=0.15),
            Sample("retr", "limit", 0, value=6000.0, cpu=0.1, load_share=0.99),
            Sample("noop", "fairlead", 0, value=20000.0, cpu=20.0),
            Sample("noop", "vsftpd", 0, failure="NOOP was answered: 500 What?"),
            Sample("growth-retr", "fairlead", 0, value=0.25, detail="peak 1.5"),
        ],
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "–"), (0.1234, "0.123"), (1.234, "1.23"), (12.34, "12.3"), (123.4, "123"), (12345.6, "12,346")],
)
def test_numbers_have_three_digits_or_all_before_the_point(value: float | None, text: str) -> None:
    assert number(value) == text


def test_ratios_are_factors() -> None:
    assert (against(None), against(Rival("x", 1.234))) == ("–", "1.23× x")


def test_markdown_shows_values_ratios_what_is_behind_and_what_failed(report: Report) -> None:
    text = markdown(report)
    assert "| RETR 1 GiB, MB/s (higher) | 3,000 | 2,000 | 5,000 | 6,000 |" in text
    assert "| RETR 1 GiB, s per GiB | 0.200 | 0.300 | 0.150 | 0.100 |" in text
    assert "| RETR 1 GiB, MB/s | fairlead | 1.50× pyftpdlib | 0.60× vsftpd | 0.50× |" in text
    assert "* RETR 1 GiB, MB/s, behind vsftpd: fairlead 0.60×" in text
    assert "0.250 (peak 1.5)" in text
    assert "no time to spare in: retr of limit." in text
    assert "* NOOP, vsftpd, tuned: **failed**: NOOP was answered: 500 What?" in text
    assert "* ProFTPD: not found: proftpd." in text


def test_rows_without_a_sample_are_left_out(report: Report) -> None:
    assert "MLSD of 10,000" not in markdown(report)


def test_the_terminal_shows_the_same(report: Report) -> None:
    out = io.StringIO()
    show(report, Console(file=out, width=200))
    assert "3,000" in out.getvalue()
    assert "behind vsftpd: fairlead 0.60×" in out.getvalue()
    assert "FAILED" in out.getvalue()


def test_json_holds_every_sample(report: Report, tmp_path: Path) -> None:
    path = tmp_path / "results" / "x.json"
    write_json(report, path)
    document = json.loads(path.read_text())
    assert len(document["samples"]) == len(report.samples)
    assert document["samples"][0]["cpu"] == 0.2
    assert document["rows"]["retr"]["unit"] == "MB/s"
    assert document["servers"]["vsftpd"]["configuration"]
