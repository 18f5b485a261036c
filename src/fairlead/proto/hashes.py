"""What servers tell of a file's hash: FEAT and replies of HASH (draft-bryan-ftpext-hash-03), replies of XCRC and kin.

Digests are hexadecimal digits in small letters.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from fairlead.errors import ArgumentError

_HASH = re.compile(r"([!-~]+) ([0-9]{1,20})-([0-9]{1,20}) ([0-9A-Fa-f]+)(?: (.*))?", re.DOTALL)
_CRC_DIGITS = 8


class HashReply(NamedTuple):
    """A 213 reply to HASH."""

    algorithm: str
    """By the name of IANA's registry, such as ``SHA-256``, in upper case."""
    start: int
    end: int
    """The octets from ``start`` to ``end``, as RANG and the server count them."""
    digest: str
    path: str


def parse_hash_reply(text: str) -> HashReply:
    """The text of a 213 reply, ``SHA-256 0-49 6162… path``; the path may hold spaces. Raises ArgumentError."""
    match = _HASH.fullmatch(text.strip("\r\n"))
    if match is None:
        raise ArgumentError(f"no hash in the 213 reply {text[:80]!r}")
    return HashReply(match[1].upper(), int(match[2]), int(match[3]), match[4].lower(), match[5] or "")


def parse_hash_feature(parameters: str) -> tuple[tuple[str, ...], str | None]:
    """The algorithms in FEAT's ``HASH SHA-256*;SHA-1``, and the current one, which has the star."""
    names = [name.strip().upper() for name in parameters.split(";") if name.strip()]
    current = next((name[:-1] for name in names if name.endswith("*")), None)
    return tuple(name.rstrip("*") for name in names), current


def parse_checksum_reply(text: str, digits: int) -> str:
    """The digest of ``digits`` digits in the reply to XCRC, XMD5 or XSHA, whatever stands around it.

    Zeros that were left out in front of a CRC are put back. Raises ArgumentError.
    """
    words = text.split()
    for word in words:
        if re.fullmatch(f"[0-9A-Fa-f]{{{digits}}}", word):
            return word.lower()
    if len(words) == 1 and re.fullmatch(f"[0-9A-Fa-f]{{1,{digits}}}", words[0]) and digits == _CRC_DIGITS:
        return words[0].lower().rjust(digits, "0")
    raise ArgumentError(f"no checksum of {digits} digits in the reply {text[:80]!r}")
