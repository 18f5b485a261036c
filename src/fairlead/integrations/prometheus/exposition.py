"""What Prometheus fetches: the counts in its format, over HTTP."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from itertools import accumulate
from socketserver import TCPServer, ThreadingMixIn
from threading import Thread
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from fairlead.errors import ConfigError
from fairlead.integrations.prometheus.meters import METRICS, Meters

try:
    from prometheus_client import CollectorRegistry, make_wsgi_app
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
    from prometheus_client.metrics_core import Metric as Family
    from prometheus_client.registry import Collector
except ImportError as error:
    raise ConfigError(
        "metrics need the package prometheus-client, which is not installed; install it with: pip install"
        " 'fairlead[metrics]'"
    ) from error

PATIENCE = 10.0
"""Seconds that who fetches has for the request."""


class MetersCollector(Collector):
    """The counts of ``meters``, for a registry of prometheus_client's."""

    def __init__(self, meters: Meters) -> None:
        self._meters = meters

    def collect(self) -> Iterator[Family]:
        """Every metric with all its series."""
        for metric in METRICS:
            if metric.kind == "histogram":
                histogram = HistogramMetricFamily(metric.name, metric.help, labels=metric.labels)
                bounds = [*map(str, map(float, metric.bounds)), "+Inf"]
                for values, (*counts, total) in self._meters.read(metric):
                    histogram.add_metric(values, list(zip(bounds, accumulate(counts), strict=True)), total)
                yield histogram
                continue
            family = (GaugeMetricFamily if metric.kind == "gauge" else CounterMetricFamily)(
                metric.name, metric.help, labels=metric.labels
            )
            for values, (number,) in self._meters.read(metric):
                family.add_metric(values, number)
            yield family


class Endpoint:
    """Where the counts of ``meters`` are fetched; bound at once, so that the workers forked later share it.

    Raises ConfigError where ``host`` and ``port`` cannot be had.
    """

    def __init__(self, host: str, port: int, meters: Meters) -> None:
        registry = CollectorRegistry()
        registry.register(MetersCollector(meters))
        kind = _Server6 if ":" in host else _Server
        try:
            self._server = kind((host, port), _Handler)
        except OSError as error:
            why = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror
            raise ConfigError(
                f"metrics cannot be served on {host} port {port}: {why}; choose another place in metrics.listen"
            ) from error
        self._server.set_app(make_wsgi_app(registry))
        self.address = (str(self._server.server_address[0]), self._server.server_address[1])
        """Host and port."""

    def serve(self) -> None:
        """Answer, in a thread of the calling process, until it ends or :meth:`close` is called."""
        Thread(target=self._server.serve_forever, name="metrics", daemon=True).start()

    def close(self) -> None:
        """Answer no more; only after :meth:`serve`."""
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True

    def server_bind(self) -> None:
        """Bind, without asking for the name of the address as the base does, which may take its time."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = map(str, self.server_address[:2])  # type: ignore[assignment]
        self.setup_environ()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Who fetches went away: nobody needs to know."""


class _Server6(_Server):
    address_family = socket.AF_INET6


class _Handler(WSGIRequestHandler):
    timeout = PATIENCE

    def log_message(self, *_: object) -> None:
        """Say nothing of each request."""
