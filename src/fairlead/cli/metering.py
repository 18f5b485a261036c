"""Metrics of ``fairlead serve``: counted in all workers, fetched from the first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fairlead.config.values import bracketed
from fairlead.integrations.prometheus.exposition import Endpoint
from fairlead.integrations.prometheus.meters import Meters

if TYPE_CHECKING:
    from fairlead.config.values import Listen
    from fairlead.server.server import Server


class Metering:
    """Counts, and where they are fetched; made before the workers are forked. Raises ConfigError."""

    def __init__(self, listen: Listen, workers: int) -> None:
        self._meters = Meters(workers)
        self._endpoint = Endpoint(listen.host, listen.port, self._meters)

    @property
    def url(self) -> str:
        """Where they are fetched."""
        host, port = self._endpoint.address
        return f"http://{bracketed(host)}:{port}/metrics"

    def attend(self, server: Server) -> None:
        """Count in the worker of ``server``; the first answers, and so does its successor when it dies."""
        self._meters.attach(server)
        if server.worker == 0:
            self._endpoint.serve()
