"""Servers of others, started when the first test asks and kept until the last is done."""

from __future__ import annotations

import shutil
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.certificates import make
from tests.interop.matrix import GIANT, HOSTS, Served
from tests.peers.faces import connect
from tests.peers.fairlead import Fairlead, fairlead
from tests.peers.servers import SERVERS, Tls, clear

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.peers.servers import Server

__all__ = ["connect"]


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


@pytest.fixture(scope="session")
def _own() -> Iterator[Fairlead]:
    with fairlead() as server:
        yield server


@pytest.fixture
def own(_own: Fairlead) -> Fairlead:
    """``fairlead serve`` in both families, its directory empty."""
    clear(_own.root)
    return _own


@pytest.fixture
def own_in_memory() -> Iterator[Fairlead]:
    """``fairlead serve`` of a directory that is on no disk, where there is room for two giant files."""
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and shutil.disk_usage(memory).free > 3 * GIANT
    with fairlead(within=memory if roomy else None) as server:
        yield server


KINDS = [(name, tls) for name in (*SERVERS, "fairlead") for tls in (False, True)]


@pytest.fixture(scope="module", params=KINDS, ids=lambda kind: f"{kind[0]}-{'tls' if kind[1] else 'clear'}")
def _served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    name, tls = request.param
    host = HOSTS["v4"]
    pair = make(tmp_path_factory.mktemp("certificates"), "server", host) if tls else None
    certificate = None if pair is None else pair.certificate
    if name != "fairlead":
        with SERVERS[name](host, None if pair is None else Tls(pair, "1.2")) as running:
            yield Served(running, certificate)
        return
    options = ("--require-tls", "--tls-cert", str(pair.certificate), "--tls-key", str(pair.key)) if pair else ()
    with fairlead(*options, hosts=(host,)) as own:
        yield Served(own.at(host), certificate)


@pytest.fixture
def served(_served: Served) -> Served:
    """Each server in turn, in clear and under TLS, its directory empty."""
    clear(_served.server.root)
    return _served
