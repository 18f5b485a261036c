"""The laboratory for tests: one sentence where the machine allows none."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from lab import namespaces
from lab.expected import Cell, cells, expected
from lab.laboratory import Lab
from lab.probe import SYMPTOMS, Attempt, attempt, patience_for
from lab.servers import Protection, Unavailable, served
from lab.topologies import Topology


@pytest.fixture(scope="session")
def laboratory() -> None:
    """Skip the test where no namespaces can be made."""
    if reason := namespaces.unavailable():
        pytest.skip(reason)


@pytest.fixture
def surprises(request: pytest.FixtureRequest) -> Callable[[Topology, str, Protection], list[str]]:
    """What a client that takes modes at their word met otherwise than a topology's obstacles say."""

    request.getfixturevalue("laboratory")

    def find(topology: Topology, server: str, protection: Protection) -> list[str]:
        with Lab(topology) as lab:
            try:
                with served(lab, server, protection), ThreadPoolExecutor(8) as threads:
                    tried = cells(topology, private=protection.tls)
                    met = threads.map(lambda cell: _attempted(lab, cell), tried)
                    return [
                        f"{topology.name}, {server}, {cell}: {outcome}, not {expected(topology, cell)}"
                        for cell, outcome in zip(tried, met, strict=True)
                        if outcome.met not in SYMPTOMS[expected(topology, cell)]
                    ]
            except Unavailable as reason:
                pytest.skip(str(reason))

    return find


def _attempted(lab: Lab, cell: Cell) -> Attempt:
    return attempt(lab, cell, patience=patience_for(expected(lab.topology, cell)))
