"""The harness against the limit server: small, but everything takes part."""

from __future__ import annotations

import os
import shutil
from ctypes.util import find_library
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.build import build
from benchmarks.measure import Sample
from benchmarks.places import memory_directory
from benchmarks.rows import MIB, Row, rows
from benchmarks.runner import Plan, run
from benchmarks.servers import SERVERS
from benchmarks.tree import PREFIX

pytestmark = [
    pytest.mark.skipif(shutil.which("gcc") is None, reason="needs the Debian packages gcc and libc6-dev"),
    pytest.mark.xdist_group("benchmarks"),
]

BY_ROW = {row.name: row for row in rows(quick=True)}
[LIMIT] = [server for server in SERVERS if server.name == "limit"]


def small(name: str, **changes: object) -> Row:
    row = BY_ROW[name]
    arguments = {**row.arguments, **changes}
    if "seconds" in arguments:
        arguments["seconds"] = 0.02
    file, entries = row.file and MIB, row.entries and 500
    if row.load == "bulk":
        arguments["size"] = MIB
    if row.load == "listing":
        arguments["size"] = entries
    if row.load == "idle":
        arguments["sessions"] = 20
    return replace(row, arguments=arguments, file=file, entries=entries, limit=20)


def taken(*chosen: Row) -> list[Sample]:
    build("load")
    build("limit")
    told: list[Sample] = []
    plan = Plan(rows=chosen, servers=[LIMIT], rounds=1, budget=60, warm=MIB, told=told.append)
    samples = run(plan)
    assert told == samples
    return samples


@pytest.mark.skipif(find_library("ssl") != "libssl.so.3", reason="needs the Debian package libssl3")
def test_rows_under_tls_have_a_value() -> None:
    [fairlead] = [server for server in SERVERS if server.name == "fairlead"]
    build("load")
    names = "tls-retr tls-stor-x8 tls-retr-1k tls-stor-1k-x8 tls-login".split()
    rows = [small(name) for name in names]
    samples = run(Plan(rows=rows, servers=[fairlead, LIMIT], rounds=1, budget=60, warm=MIB, told=lambda _: None))
    assert [(sample.row, sample.server, sample.failure) for sample in samples] == [
        (name, "fairlead", "") for name in names
    ]
    assert [sample.detail for sample in samples] == [""] * len(names)


def leftovers() -> list[Path]:
    return list(memory_directory().glob(f"{PREFIX}{os.getpid()}-*"))


def test_every_kind_of_row_has_a_value_and_nothing_is_left() -> None:
    names = "retr stor retr-x4 stor-x4 retr-1k retr-1k-x8 stor-1k-x8 login-x16 noop noop-pipelined list-10k mlsd-10k"
    alone = "list-first idle-500 growth-stor growth-list"
    samples = taken(*[small(name) for name in f"{names} {alone}".split()])
    assert [sample.row for sample in samples] == f"{names} {alone}".split()
    assert [(sample.row, sample.failure) for sample in samples if sample.failure] == []
    assert all(sample.value is not None for sample in samples)
    assert leftovers() == []


def test_an_error_reply_fails_the_cell_and_the_next_one_goes_on() -> None:
    refused = replace(BY_ROW["list-10k"], arguments={"verb": "NLST", "size": 0}, entries=0)
    failed, good = taken(refused, small("noop"))
    assert failed.failure.startswith("NLST was answered: 502 No")
    assert good.value is not None


def test_a_wrong_number_of_octets_fails_the_cell() -> None:
    [sample] = taken(small("retr-1k", size=1000))
    assert sample.failure == "RETR moved 1024 octets instead of 1000"


def test_a_wrong_number_of_entries_fails_the_cell() -> None:
    row = small("list-10k")
    [sample] = taken(replace(row, arguments={**row.arguments, "size": 501}))
    assert sample.failure == "LIST brought 500 lines of 501 entries"


def test_a_server_that_does_not_start_fails_its_cells() -> None:
    build("load")
    broken = replace(LIMIT, command=("sh", "-c", "echo no config >&2; exit 1"), needs=())
    plan = Plan(rows=[small("noop")], servers=[broken], rounds=1, budget=60, warm=0, told=lambda _: None)
    [sample] = run(replace(plan))
    assert "does not start" in sample.failure
    assert "no config" in sample.failure
