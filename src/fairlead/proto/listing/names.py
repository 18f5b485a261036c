"""Bare names, which our NLST sends (RFC 959 section 4.1.3)."""

from __future__ import annotations

import os
from collections.abc import Iterable

from fairlead.proto.listing.layout import Layout, Pieces, Slot
from fairlead.proto.listing.unix import HIDE_CONTROLS


class NameFormatter:
    """Writes the lines of NLST: the name of each entry after ``prefix``, control characters as ``?``."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix

    def lines(self, items: Iterable[tuple[str, os.stat_result, str | None]]) -> bytes:
        """A line for each name; each ends with CR LF. Names that are not UTF-8 go out as the octets they are."""
        prefix = self._prefix
        text = "".join(f"{prefix}{name.translate(HIDE_CONTROLS)}\r\n" for name, _, _ in items)
        return text.encode("utf-8", "surrogateescape")

    def layout(self) -> Layout:
        """The same lines as data."""
        return Layout(self._pieces, follows=False, masks=True, bare=True)

    def _pieces(self, _: os.stat_result) -> Pieces:
        return self._prefix, Slot.NAME, "\r\n"
