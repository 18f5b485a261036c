"""Machine listings, where LIST gives them or an MLSD was asked for; :mod:`fairlead.proto.listing.mlsx` reads them."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial

from fairlead.proto.entry import Entry
from fairlead.proto.listing.mlsx import parse_mlsd

bare = partial(parse_mlsd, bare=True)
"""Reads lines of what is known to come from MLSD, where one may have no facts."""

_HEADING = re.compile(r"(?:[^ ;]*;)*type=[cp]dir(?:;| )", re.IGNORECASE)


def is_heading(line: str) -> bool:
    """Whether a line tells of the directory that is listed, or of the one above it."""
    return _HEADING.match(line) is not None


def reader(_: float, /) -> Callable[[str], Entry | None]:
    """A reader of lines, which always tell the year and can be read one by one."""
    return parse_mlsd
