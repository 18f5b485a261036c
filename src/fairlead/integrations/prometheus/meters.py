"""What is counted of a server and its sessions, by all its workers together.

Counts stand in shared memory made before the workers are forked (:mod:`fairlead.limits.shared`): who reads them reads
those of all workers. The events of each worker's sessions feed them.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal, NamedTuple

from fairlead.events import (
    ControlLost,
    LoginFailed,
    LoginSucceeded,
    PassiveUncalled,
    Refused,
    SessionClosed,
    SessionOpened,
    SessionRefused,
    TransferFailed,
    TransferFinished,
)
from fairlead.limits.shared import Table
from fairlead.reach.cause import Cause
from fairlead.server import commands
from fairlead.server.registry import COMMANDS

if TYPE_CHECKING:
    from fairlead.server.server import Server

commands.load()

PERIOD = 1.0
"""Seconds between two looks at what no event tells: listeners and transfers under way."""
RECEIVED = frozenset({"STOR", "STOU", "APPE"})
VERBS = tuple(sorted(verb for verb, spec in COMMANDS.items() if spec.data))
CAUSES = tuple(cause.value for cause in Cause)
DIRECTIONS = ("sent", "received")


class Metric(NamedTuple):
    """One metric of the exposition; a counter's name there ends with ``_total``."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    help: str
    labels: tuple[str, ...] = ()
    values: tuple[tuple[str, ...], ...] = ((),)
    """The values of the labels, for each series."""
    bounds: tuple[float, ...] = ()
    """The upper ends of a histogram's buckets, but for the infinite one."""

    @property
    def rows(self) -> int:
        """How many numbers a series has: a histogram one for each bucket, the infinite one too, and the sum."""
        return len(self.bounds) + 2 if self.kind == "histogram" else 1


SESSIONS = Metric("fairlead_sessions", "gauge", "Sessions that are open.")
OPENED = Metric("fairlead_sessions_opened", "counter", "Sessions that began.")
TURNED_AWAY = Metric("fairlead_sessions_refused", "counter", "Connections that did not become sessions.")
LOST = Metric(
    "fairlead_control_connections_lost",
    "counter",
    "Control connections that broke, by cause.",
    ("cause",),
    ((Cause.CONTROL_LOST.value,), (Cause.CONTROL_FORGOTTEN.value,)),
)
LENGTHS = Metric(
    "fairlead_session_duration_seconds",
    "histogram",
    "How long sessions were.",
    bounds=(1, 10, 60, 300, 1800, 7200, 43200, 86400),
)
LOGINS = Metric("fairlead_logins", "counter", "Logins, by result.", ("result",), (("accepted",), ("refused",)))
TRANSFERS = Metric(
    "fairlead_transfers",
    "counter",
    "Transfers that were begun, by command and result.",
    ("verb", "result"),
    tuple((verb, result) for verb in VERBS for result in ("done", "failed")),
)
RUNNING = Metric("fairlead_transfers_running", "gauge", "Transfers under way.")
OCTETS = Metric(
    "fairlead_data_octets",
    "counter",
    "Octets of data connections.",
    ("direction",),
    tuple((direction,) for direction in DIRECTIONS),
)
TIMES = Metric(
    "fairlead_transfer_duration_seconds",
    "histogram",
    "How long transfers took that were done.",
    ("direction",),
    tuple((direction,) for direction in DIRECTIONS),
    (0.01, 0.1, 1, 10, 60, 600, 3600, 21600),
)
CONNECTIONS = Metric(
    "fairlead_data_connections",
    "counter",
    "Data connections that were asked for, by the cause of their failure; ok for those that served.",
    ("cause",),
    tuple((cause,) for cause in CAUSES),
)
WAITING = Metric("fairlead_passive_ports_waiting", "gauge", "Passive ports that wait for a client's call.")
CONFIGURED = Metric("fairlead_passive_ports_configured", "gauge", "Passive ports that there are.")
EXHAUSTED = Metric(
    "fairlead_passive_ports_exhausted", "counter", "How often a client asked for a passive port and none was free."
)

METRICS = (
    SESSIONS, OPENED, TURNED_AWAY, LOST, LENGTHS, LOGINS, TRANSFERS, RUNNING, OCTETS, TIMES, CONNECTIONS, WAITING,
    CONFIGURED, EXHAUSTED,
)  # fmt: skip


class Meters:
    """The counts of a server with so many ``workers``; each worker calls :meth:`attach`, any process may read.

    Counts stay when a worker dies, so that they never go down; what it had open is gone.
    """

    def __init__(self, workers: int = 1) -> None:
        self._first: dict[str, int] = {}
        self._series: dict[tuple[str, tuple[str, ...]], int] = {}
        rows = 0
        for metric in METRICS:
            self._first[metric.name] = rows
            for values in metric.values:
                self._series[metric.name, values] = rows
                rows += metric.rows
        self._table = Table(rows, workers)

    def attach(self, server: Server) -> None:
        """Count what happens in ``server``, whose event loop runs, as the worker that it is."""
        self._table.attach(server.worker, keep=True)
        for metric in METRICS:
            if metric.kind == "gauge":
                self._put(metric, 0)
        subscribe = server.events.subscribe
        subscribe(SessionOpened, self._opened)
        subscribe(SessionClosed, self._closed)
        subscribe(SessionRefused, lambda _: self._add(TURNED_AWAY))
        subscribe(ControlLost, lambda event: self._add(LOST, event.cause))
        subscribe(LoginSucceeded, lambda _: self._add(LOGINS, "accepted"))
        subscribe(LoginFailed, lambda _: self._add(LOGINS, "refused"))
        subscribe(TransferFinished, self._finished)
        subscribe(TransferFailed, self._failed)
        subscribe(PassiveUncalled, lambda event: self._add(CONNECTIONS, event.cause))
        subscribe(Refused, self._refused)
        self._look(server, asyncio.get_running_loop())

    def read(self, metric: Metric) -> Iterator[tuple[tuple[str, ...], list[float]]]:
        """The values of the labels and the numbers of each series of ``metric``, of all workers together."""
        for values in metric.values:
            row = self._series[metric.name, values]
            yield values, [sum(self._table.every(row + number)) for number in range(metric.rows)]

    def look(self, server: Server) -> None:
        """See to what no event tells."""
        self._put(WAITING, server.pool.in_use)
        self._put(RUNNING, sum(session.transfer is not None for session in server.sessions()))
        if server.worker == 0:  # all have the same
            self._put(CONFIGURED, len(server.pool.ports))

    def _look(self, server: Server, loop: asyncio.AbstractEventLoop) -> None:
        self.look(server)
        loop.call_later(PERIOD, self._look, server, loop)

    def _add(self, metric: Metric, *values: str, by: float = 1) -> None:
        self._table.add(self._series[metric.name, values], by)

    def _put(self, metric: Metric, value: float) -> None:
        self._table.put(self._first[metric.name], value)

    def _observe(self, metric: Metric, value: float, *values: str) -> None:
        row = self._series[metric.name, values]
        self._table.add(row + bisect_left(metric.bounds, value), 1)
        self._table.add(row + len(metric.bounds) + 1, value)

    def _opened(self, _: SessionOpened) -> None:
        self._add(SESSIONS)
        self._add(OPENED)

    def _closed(self, event: SessionClosed) -> None:
        self._add(SESSIONS, by=-1)
        self._observe(LENGTHS, event.seconds)

    def _finished(self, event: TransferFinished) -> None:
        direction = _direction(event.verb)
        self._add(TRANSFERS, event.verb, "done")
        self._add(OCTETS, direction, by=event.size)
        self._add(CONNECTIONS, Cause.OK.value)
        self._observe(TIMES, event.seconds, direction)

    def _failed(self, event: TransferFailed) -> None:
        self._add(TRANSFERS, event.verb, "failed")
        self._add(OCTETS, _direction(event.verb), by=event.size)
        if event.cause in CAUSES:
            self._add(CONNECTIONS, event.cause)
        elif event.size:  # stopped, or the disk failed: the connection served
            self._add(CONNECTIONS, Cause.OK.value)

    def _refused(self, event: Refused) -> None:
        if event.cause in CAUSES:
            self._add(CONNECTIONS, event.cause)
        if event.cause == Cause.PASSIVE_EXHAUSTED:
            self._add(EXHAUSTED)


def _direction(verb: str) -> str:
    return "received" if verb in RECEIVED else "sent"
