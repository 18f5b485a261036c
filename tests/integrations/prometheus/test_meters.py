"""What is counted, by one server and by the workers of one together."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from fairlead.accounts.memory import MemoryAccounts
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
from fairlead.integrations.prometheus import meters as module
from fairlead.integrations.prometheus.meters import (
    CONFIGURED,
    CONNECTIONS,
    EXHAUSTED,
    LENGTHS,
    LOGINS,
    LOST,
    METRICS,
    OCTETS,
    OPENED,
    RUNNING,
    SESSIONS,
    TIMES,
    TRANSFERS,
    TURNED_AWAY,
    WAITING,
    Meters,
    Metric,
)
from fairlead.server import Server
from fairlead.storage.memory import MemoryStorage
from tests.server.session import Running, serving

WHO: dict[str, Any] = {"session": 7, "peer": "192.0.2.1"}
ALICE: dict[str, Any] = {**WHO, "user": "alice"}
TRANSFER: dict[str, Any] = {**ALICE, "path": "/x", "mode": "EPSV"}


def counts(meters: Meters, metric: Metric) -> dict[str, float]:
    """The series that are not 0, by the values of their labels."""
    return {"/".join(values): numbers[0] for values, numbers in meters.read(metric) if numbers[0]}


def attached(meters: Meters, worker: int = 0) -> Server:
    """A server that is counted by ``meters`` and never starts."""
    server = Server(storage=MemoryStorage(), passive_ports=range(50_000, 50_010))
    server.worker = worker

    async def attach() -> None:
        meters.attach(server)

    asyncio.run(attach())
    return server


def finished(verb: str = "RETR", size: int = 1000, seconds: float = 0.5) -> TransferFinished:
    return TransferFinished(**TRANSFER, verb=verb, size=size, seconds=seconds)


def failed(cause: str, size: int = 0) -> TransferFailed:
    return TransferFailed(**TRANSFER, verb="STOR", size=size, seconds=1.0, code=425, cause=cause, reason="")


def refused(cause: str) -> Refused:
    return Refused(**ALICE, verb="EPSV", path="", code=425, cause=cause, reason="")


def test_sessions_are_counted() -> None:
    meters = Meters()
    emit = attached(meters).events.emit
    emit(SessionOpened(**WHO, local=""))
    emit(SessionOpened(**WHO, local=""))
    emit(SessionRefused(**WHO, reason=""))
    emit(ControlLost(**ALICE, seconds=61.0, cause="control-lost", reason=""))
    emit(SessionClosed(**ALICE, seconds=61.0, reason=""))
    assert counts(meters, SESSIONS) == {"": 1}
    assert counts(meters, OPENED) == {"": 2}
    assert counts(meters, TURNED_AWAY) == {"": 1}
    assert counts(meters, LOST) == {"control-lost": 1}
    assert [numbers for _, numbers in meters.read(LENGTHS)] == [[0, 0, 0, 1, 0, 0, 0, 0, 0, 61.0]]


def test_logins_are_counted() -> None:
    meters = Meters()
    emit = attached(meters).events.emit
    emit(LoginSucceeded(**ALICE, anonymous=False, password=None))
    for _ in range(2):
        emit(LoginFailed(**ALICE, reason=""))
    assert counts(meters, LOGINS) == {"accepted": 1, "refused": 2}


def test_transfers_are_counted() -> None:
    meters = Meters()
    emit = attached(meters).events.emit
    emit(finished())
    emit(finished("MLSD", 10, 0.1))
    emit(finished("APPE", 5, 99_999))
    emit(failed("data-cut", 3))
    assert counts(meters, TRANSFERS) == {"RETR/done": 1, "MLSD/done": 1, "APPE/done": 1, "STOR/failed": 1}
    assert counts(meters, OCTETS) == {"sent": 1010, "received": 8}
    assert dict(meters.read(TIMES)) == {
        ("sent",): [0, 1, 1, 0, 0, 0, 0, 0, 0, 0.6],
        ("received",): [0, 0, 0, 0, 0, 0, 0, 0, 1, 99_999],
    }


def test_data_connections_are_counted_by_cause() -> None:
    meters = Meters()
    emit = attached(meters).events.emit
    for event in (
        finished(),
        failed("aborted", size=1),
        failed("aborted"),
        failed("storage"),
        failed("descriptors"),
        failed("passive-dropped"),
        PassiveUncalled(**ALICE, port=1, mode="EPSV", seconds=1, cause="passive-dropped", reason=""),
        refused("passive-exhausted"),
        refused("active-private-address"),
        refused("storage"),
    ):
        emit(event)
    assert counts(meters, CONNECTIONS) == {
        "ok": 2, "passive-dropped": 2, "passive-exhausted": 1, "active-private-address": 1,
    }  # fmt: skip
    assert counts(meters, EXHAUSTED) == {"": 1}


def test_workers_are_counted_together_and_a_dead_ones_counts_stay() -> None:
    meters = Meters(workers=3)
    for worker in (0, 1, 2):
        server = attached(meters, worker)
        server.events.emit(SessionOpened(**WHO, local=""))
        server.events.emit(finished())
    assert (counts(meters, SESSIONS), counts(meters, OCTETS)) == ({"": 3}, {"sent": 3000})
    assert counts(meters, CONFIGURED) == {"": 10}
    attached(meters, 1)
    assert (counts(meters, SESSIONS), counts(meters, OCTETS)) == ({"": 2}, {"sent": 3000})


def test_names_are_of_one_form_and_each_has_a_meaning() -> None:
    assert len({metric.name for metric in METRICS}) == len(METRICS)
    for metric in METRICS:
        assert metric.name.startswith("fairlead_")
        assert metric.help.endswith(".")
        assert all(len(values) == len(metric.labels) for values in metric.values)
        assert list(metric.bounds) == sorted(metric.bounds)


@pytest.fixture
def running() -> Iterator[Running]:
    storage = MemoryStorage()
    accounts = MemoryAccounts.sharing(storage, {"me": "secret"}, write=True)
    with serving(storage, accounts=accounts, login_delay=0) as made:
        yield made


def test_what_no_event_tells_is_looked_at_again_and_again(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PERIOD", 0.001)
    meters = Meters()
    running.call(lambda: meters.attach(running.server))
    with running.login() as control:
        assert counts(meters, SESSIONS) == {"": 1}
        assert control.ask("EPSV").code == 229
        running.await_condition(lambda: counts(meters, WAITING) == {"": 1})
        with control.passive() as data:
            assert control.ask("STOR x").code in {125, 150}
            running.await_condition(lambda: counts(meters, RUNNING) == {"": 1})
            data.sendall(b"12345")
        assert control.read().code == 226
        assert counts(meters, OCTETS) == {"received": 5}
        running.await_condition(lambda: not counts(meters, RUNNING) and not counts(meters, WAITING))
    running.await_condition(lambda: not counts(meters, SESSIONS))


def test_a_passive_port_that_nobody_called_is_counted(running: Running) -> None:
    meters = Meters()
    running.call(lambda: meters.attach(running.server))
    with running.login() as control:
        assert control.codes("EPSV", "EPSV") == [229, 229]
    assert counts(meters, CONNECTIONS)["passive-dropped"] >= 1
