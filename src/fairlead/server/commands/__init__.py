"""The commands, one module for each family of RFC 959 and its successors.

Importing a module declares its commands; the modules know nothing of each other.
"""

from __future__ import annotations

from importlib import import_module

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


def load() -> None:
    """Declare every command."""
    for family in FAMILIES:
        import_module(f"{__name__}.{family}")
