"""The tags of languages that LANG carries (RFC 2640 section 4.2, RFC 1766)."""

from __future__ import annotations

import re

from fairlead.errors import ArgumentError

_TAG = r"[A-Za-z]{1,8}(-[A-Za-z]{1,8})*"


def parse_tag(argument: str) -> list[str]:
    """The parts of a tag such as ``fr-CA``, in upper case. Raises ArgumentError."""
    if not re.fullmatch(_TAG, argument):
        raise ArgumentError("LANG takes a tag such as fr or fr-CA, each part of 1 to 8 letters")
    return argument.upper().split("-")
