"""Servers of others, started when the first test asks and kept until the last is done."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from tests.interop.matrix import HOSTS
from tests.peers.servers import SERVERS, clear

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.peers.servers import Server


@pytest.fixture(scope="session")
def _server_of() -> Iterator[Callable[[str, str], Server]]:
    running: dict[tuple[str, str], Server] = {}
    with ExitStack() as stack:

        def server_of(name: str, family: str) -> Server:
            if (name, family) not in running:
                running[name, family] = stack.enter_context(SERVERS[name](HOSTS[family]))
            return running[name, family]

        yield server_of


@pytest.fixture
def server_of(_server_of: Callable[[str, str], Server]) -> Callable[[str, str], Server]:
    """Gives the server of a name in a family (``v4`` or ``v6``), its directory empty."""

    def emptied(name: str, family: str = "v4") -> Server:
        server = _server_of(name, family)
        clear(server.root)
        return server

    return emptied
