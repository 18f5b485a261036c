"""The commands, one module for each family of RFC 959 and its successors.

Importing a module declares its commands; the modules know nothing of each other. They are not imported with the server:
it greets before, and a program loads them once it listens. A command that comes earlier loads them.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

from fairlead.server.registry import COMMANDS

if TYPE_CHECKING:
    from fairlead.server.registry import Spec

FAMILIES = (
    "access",
    "channel",
    "checksums",
    "combine",
    "facts",
    "host",
    "info",
    "language",
    "listing",
    "modify",
    "namespace",
    "range",
    "retrieve",
    "security",
    "site",
    "site_files",
    "site_session",
    "space",
    "store",
    "thumbnail",
)


@cache
def load() -> None:
    """Declare every command."""
    for family in FAMILIES:
        import_module(f"{__name__}.{family}")


def look_up(verb: str) -> Spec | None:
    """The command ``verb``, also before any was loaded; None where there is none."""
    load()
    return COMMANDS.get(verb)
