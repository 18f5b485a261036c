"""Our own server within the test's process, on a loop in a thread of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fairlead import Server
from fairlead.accounts.memory import MemoryAccounts
from fairlead.storage.local import LocalStorage

USER, PASSWORD = "alice", "open sesame"
DEADLINE = 20.0


@dataclass(frozen=True)
class Embedded:
    """A server that shows the directory ``root`` to one user, who may write."""

    root: Path
    host: str
    port: int

    @property
    def url(self) -> str:
        """For that user, the password included."""
        return f"ftp://{USER}:{PASSWORD.replace(' ', '%20')}@{self.host}:{self.port}"


@contextmanager
def embedded(root: Path, **settings: Any) -> Iterator[Embedded]:
    """Serve ``root`` within the block; ``settings`` are those of the server."""
    accounts = MemoryAccounts.sharing(users={USER: PASSWORD}, write=True)
    ready, addresses = threading.Event(), list[tuple[str, int]]()

    async def serve() -> None:
        async with Server(
            storage=LocalStorage(root), accounts=accounts, listen=[("127.0.0.1", 0)], **settings
        ) as server:
            addresses.extend(server.addresses)
            stop.append((asyncio.get_running_loop(), leave := asyncio.Event()))
            ready.set()
            await leave.wait()

    stop: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []
    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    try:
        assert ready.wait(DEADLINE)
        yield Embedded(root, *addresses[0])
    finally:
        for loop, leave in stop:
            loop.call_soon_threadsafe(leave.set)
        thread.join(DEADLINE)
    assert not thread.is_alive()
