"""Servers for the tests of the server: the stores, and one that listens."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from fairlead.accounts.memory import MemoryAccounts
from fairlead.server import commands
from fairlead.storage.local import LocalStorage
from tests.certificates import Pair, make
from tests.server.secure import trusting
from tests.server.session import Control, Running, serving

commands.load()  # before tests are collected: there is one for each


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The directory that is served."""
    directory = tmp_path / "root"
    directory.mkdir()
    return directory


@pytest.fixture
def storage(root: Path) -> Iterator[LocalStorage]:
    """The store of what is served."""
    with closing(LocalStorage(root, durability="relaxed")) as made:
        yield made


@pytest.fixture(scope="session")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    """A certificate for this machine that signed itself."""
    return make(tmp_path_factory.mktemp("certificates"), "server", "localhost", "127.0.0.1")


@pytest.fixture(params=["1.2", "1.3"])
def context(request: pytest.FixtureRequest, pair: Pair) -> ssl.SSLContext:
    """The client's side of each version of TLS."""
    return trusting(pair.certificate, request.param)


@pytest.fixture
def running(root: Path) -> Iterator[Running]:
    """A server of ``root``, where the user ``me`` with the password ``secret`` may write and anonymous users read."""
    with closing(LocalStorage(root, durability="relaxed")) as storage:
        accounts = MemoryAccounts.sharing(storage, {"me": "secret"}, write=True, anonymous=True)
        with serving(storage, accounts=accounts, login_delay=0) as server:
            yield server


@pytest.fixture
def control(running: Running) -> Iterator[Control]:
    """A control connection of ``me`` over IPv4, logged in, under TYPE I."""
    with running.login() as connection:
        yield connection
