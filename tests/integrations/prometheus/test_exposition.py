"""The counts in the format of Prometheus, over HTTP."""

from __future__ import annotations

import asyncio
import importlib
import socket
import sys
from collections.abc import Iterator
from http.client import HTTPConnection

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from fairlead.errors import ConfigError
from fairlead.events import TransferFinished
from fairlead.integrations.prometheus import exposition
from fairlead.integrations.prometheus.exposition import Endpoint, MetersCollector
from fairlead.integrations.prometheus.meters import METRICS, Meters
from fairlead.server import Server
from fairlead.storage.memory import MemoryStorage

DEADLINE = 10.0


@pytest.fixture
def meters() -> Meters:
    """The counts of a server that has done one transfer."""
    made = Meters(workers=2)
    server = Server(storage=MemoryStorage())

    async def attach() -> None:
        made.attach(server)

    asyncio.run(attach())
    server.events.emit(
        TransferFinished(session=1, peer="", user="", verb="RETR", path="", size=1000, seconds=0.5, mode="EPSV")
    )
    return made


@pytest.fixture(params=["127.0.0.1", "::1"])
def endpoint(request: pytest.FixtureRequest, meters: Meters) -> Iterator[Endpoint]:
    made = Endpoint(request.param, 0, meters)
    made.serve()
    yield made
    made.close()


def fetched(endpoint: Endpoint, method: str = "GET") -> tuple[int, str]:
    connection = HTTPConnection(*endpoint.address, timeout=DEADLINE)
    connection.request(method, "/metrics")
    response = connection.getresponse()
    text = response.read().decode()
    connection.close()
    return response.status, text


def test_every_metric_is_there_with_its_kind_and_meaning(endpoint: Endpoint) -> None:
    status, text = fetched(endpoint)
    assert status == 200
    families = {family.name: (family.type, family.documentation) for family in text_string_to_metric_families(text)}
    assert families == {metric.name: (metric.kind, metric.help) for metric in METRICS}


def test_series_have_the_names_that_dashboards_use(endpoint: Endpoint) -> None:
    _, text = fetched(endpoint)
    for line in (
        'fairlead_data_connections_total{cause="ok"} 1.0',
        'fairlead_data_connections_total{cause="passive-dropped"} 0.0',
        'fairlead_transfers_total{result="done",verb="RETR"} 1.0',
        'fairlead_data_octets_total{direction="sent"} 1000.0',
        'fairlead_transfer_duration_seconds_bucket{direction="sent",le="0.1"} 0.0',
        'fairlead_transfer_duration_seconds_bucket{direction="sent",le="1.0"} 1.0',
        'fairlead_transfer_duration_seconds_bucket{direction="sent",le="+Inf"} 1.0',
        'fairlead_transfer_duration_seconds_count{direction="sent"} 1.0',
        'fairlead_transfer_duration_seconds_sum{direction="sent"} 0.5',
        "fairlead_sessions 0.0",
    ):
        assert f"\n{line}\n" in text


def test_only_fetching_is_served(endpoint: Endpoint) -> None:
    assert fetched(endpoint, "POST")[0] == 405


def test_who_goes_away_is_no_news(endpoint: Endpoint, capfd: pytest.CaptureFixture[str]) -> None:
    with socket.create_connection(endpoint.address, DEADLINE) as caller:
        caller.sendall(b"GET /metrics HTTP/1.0\r\n")
    assert fetched(endpoint)[0] == 200
    assert capfd.readouterr() == ("", "")


def test_the_counts_fit_in_a_registry_of_ones_own(meters: Meters) -> None:
    registry = CollectorRegistry()
    registry.register(MetersCollector(meters))
    assert registry.get_sample_value("fairlead_data_octets_total", {"direction": "sent"}) == 1000


def test_a_place_that_cannot_be_had_is_a_setting_that_is_wrong(meters: Meters) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=rf"127.0.0.1 port {port}: Address already in use; choose another place"):
            Endpoint("127.0.0.1", port, meters)
    with pytest.raises(ConfigError, match=r"no.such.host.invalid port 1: .*; choose another place"):
        Endpoint("no.such.host.invalid", 1, meters)


def test_without_the_extra_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    with pytest.raises(ConfigError, match=r"pip install 'fairlead\[metrics\]'"):
        importlib.reload(exposition)
    monkeypatch.undo()
    importlib.reload(exposition)
