"""The clients' table against our own server: small, but each client that is here takes part."""

from __future__ import annotations

import shutil
from dataclasses import replace

import pytest

from benchmarks.build import build
from benchmarks.clients import CLIENTS
from benchmarks.clients.runner import ClientPlan, run_clients
from benchmarks.clients.tasks import Task, client_rows
from benchmarks.places import REPOSITORY
from benchmarks.servers import SERVERS

pytestmark = [
    pytest.mark.skipif(shutil.which("gcc") is None, reason="needs the Debian packages gcc and libc6-dev"),
    pytest.mark.xdist_group("benchmarks"),
]

AMOUNTS = {Task.GET: 1 << 20, Task.PUT: 1 << 20}
ROWS = [replace(row, amount=AMOUNTS.get(row.task, 20), limit=20) for row in client_rows(quick=True)]
[FAIRLEAD] = [server for server in SERVERS if server.name == "fairlead"]


def test_clients_speak_of_rows_that_exist_and_of_each() -> None:
    known = {row.name for row in ROWS}
    for client in CLIENTS:
        assert client.commands.keys() <= known
        assert client.commands.keys().isdisjoint(client.without)


def test_published_commands_name_no_path_of_the_machine() -> None:
    for client in CLIENTS:
        assert str(REPOSITORY) not in client.published()


@pytest.mark.long
@pytest.mark.parametrize("name", [client.name for client in CLIENTS])
def test_each_row_of_a_client_has_a_value(name: str) -> None:
    [client] = [client for client in CLIENTS if client.name == name]
    if reason := client.missing():
        pytest.skip(reason)
    build("load")
    samples = run_clients(
        ClientPlan(rows=ROWS, clients=[client], server=FAIRLEAD, rounds=1, budget=60, told=lambda _: None)
    )
    assert {sample.row: sample.failure for sample in samples} == dict.fromkeys(client.commands, "")
    assert all(sample.value for sample in samples)


def test_what_did_not_arrive_is_no_success() -> None:
    lazy = replace(CLIENTS[0], needs=(), commands={"client-get-many": ("true",), "client-get": ("false",)})
    build("load")
    rows = [row for row in ROWS if row.name in lazy.commands]
    samples = run_clients(
        ClientPlan(rows=rows, clients=[lazy], server=FAIRLEAD, rounds=1, budget=60, told=lambda _: None)
    )
    assert [sample.value for sample in samples] == [None, None]
    assert "ended with 1" in samples[0].failure
    assert "0 files of 0 octets" in samples[1].failure
