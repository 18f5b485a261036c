"""The clients that are compared, in the order of the tables, and what they are told to do."""

from __future__ import annotations

from benchmarks.clients import fairlead, libraries, programs
from benchmarks.clients.declared import Client

CLIENTS: tuple[Client, ...] = (
    *fairlead.CLIENTS,
    *programs.CLIENTS,
    *libraries.CLIENTS,
)

__all__ = ["CLIENTS", "Client"]
