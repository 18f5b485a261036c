"""Directory listings: those that are sent (``unix``, ``mlsx``), and those of any server read to entries (``detect``).

What reads is loaded when it is asked for; a server does without.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fairlead.proto.entry import Entry, Kind
    from fairlead.proto.listing.detect import DIALECTS, Listing, parse, read_listing

__all__ = ["DIALECTS", "Entry", "Kind", "Listing", "parse", "read_listing"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from fairlead.proto import entry  # noqa: PLC0415 - dataclasses and datetime, which a server does without
    from fairlead.proto.listing import detect  # noqa: PLC0415 - patterns of twenty dialects

    return getattr(detect, name, None) or getattr(entry, name)
