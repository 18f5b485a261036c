"""Servers for the tests of the server: the stores, and one that listens."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from fairlead.accounts.memory import MemoryAccounts
from fairlead.storage.local import LocalStorage
from tests.server.session import Control, Running, serving


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The directory that is served."""
    directory = tmp_path / "root"
    directory.mkdir()
    return directory


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
