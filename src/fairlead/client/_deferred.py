"""Modules that are loaded when something of them is asked for: most programs use few of a client's methods."""

from __future__ import annotations

from importlib import import_module
from typing import Any


class Deferred:
    """Stands for the module ``name`` of this package until it is needed."""

    def __init__(self, name: str) -> None:
        self._name = f"{__package__}.{name}"

    def __getattr__(self, name: str) -> Any:
        found = getattr(import_module(self._name), name)
        self.__dict__[name] = found
        return found
