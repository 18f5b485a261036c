"""slow_store_server.py PORT DIRECTORY: Fairlead over a store each of whose calls takes 50 ms, as of a cold disk."""

from __future__ import annotations

import asyncio
import sys
import time
from typing import Any

from fairlead.accounts.memory import MemoryAccounts
from fairlead.server import Server
from fairlead.storage.local import LocalStorage

DELAY = 0.05


class Slow:
    """Anything whose methods take their time; a source has no descriptor that the kernel could read from by itself."""

    inline = False
    umask = 0o022

    def __init__(self, quick: Any) -> None:
        self._quick = quick

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._quick, name)
        if not callable(value):
            return value

        def slowly(*arguments: Any, **named: Any) -> Any:
            time.sleep(DELAY)
            return value(*arguments, **named)

        return slowly

    def open(self, path: str, *, owner: str | None = None) -> Slow:
        """The source is slow, too."""
        time.sleep(DELAY)
        return Slow(self._quick.open(path, owner=owner))

    def whole(self, path: str, limit: int) -> None:
        """Nothing can be had without waiting."""

    def fileno(self) -> None:
        """Of a source: none."""

    def read_cached(self, size: int, offset: int) -> None:
        """As :meth:`whole`."""


async def serve(port: str, directory: str) -> None:
    storage: Any = Slow(LocalStorage(directory))
    accounts = MemoryAccounts.sharing(storage, {"bench": "bench"})
    async with Server(storage=storage, accounts=accounts, listen=[("127.0.0.1", int(port))]) as server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(*sys.argv[1:]))
