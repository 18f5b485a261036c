"""Fairlead: a complete FTP system for Python.

The public names are imported on first use, so that ``import fairlead`` stays quick and pulls in no third party.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fairlead.client.aio import AsyncClient
    from fairlead.client.once import get, ls, put
    from fairlead.client.pool import Pool
    from fairlead.client.sync import Client
    from fairlead.server import Server

__version__ = "0.1.0"
__all__ = ["AsyncClient", "Client", "Pool", "Server", "__version__", "get", "ls", "put"]

_HOMES = {
    "AsyncClient": "fairlead.client.aio",
    "Client": "fairlead.client.sync",
    "Pool": "fairlead.client.pool",
    "Server": "fairlead.server",
    "get": "fairlead.client.once",
    "ls": "fairlead.client.once",
    "put": "fairlead.client.once",
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'fairlead' has no attribute {name!r}")
    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    return __all__
