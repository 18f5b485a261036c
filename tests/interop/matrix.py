"""What is tried with what: families, modes, file contents and file names."""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from tests.peers.servers import Server

HOSTS = {"v4": "127.0.0.1", "v6": "::1"}
MODES = {"v4": ("epsv", "pasv", "eprt", "port"), "v6": ("epsv", "eprt")}
"""The modes of each family; PASV and PORT have no words for an IPv6 address."""


@dataclass(frozen=True, slots=True)
class Served:
    """A server, one of others or ours, which speaks TLS only where it has a certificate."""

    server: Server
    certificate: Path | None


CONTENTS = {
    "empty": b"",
    "one octet": b"\xff",
    "lines": b"a\nb\r\nc\rd\r\r\n\xff\xff" * 5000,
    "3 MB": random.Random(959).randbytes(3_000_001),
}
"""Files whose octets no part of the way may touch."""

NAMES = (
    b"plain.txt",
    b"two words.txt",
    b" leading",
    b"trailing ",
    b'quo"ted.txt',
    b"it's.txt",
    b"-dash.txt",
    b"--",
    "naïve 日本 🚢.txt".encode(),
    b"caf\xe9.txt",
    b"y\xff.bin",
    b"semi;colon=1; name",
    b"100% #1?.txt",
    b"back\\slash",
    b"[brackets]{1}",
    b"~tilde",
    b"$HOME",
    b"1 2 3.txt",
)
"""File names as octets."""

GIANT = 5 * 2**30
GIANT_DIGEST = "f2be5bcbe83d6fa118d5b0ea0c04d7889864e9401ac138f55c50371bac01585d"
"""What :func:`digest` makes of the file of :func:`make_giant`."""
_MARKS = {0: b"begin", 2**31 - 2: b"2 GiB", 2**32 - 2: b"4 GiB", GIANT - 3: b"end"}


def make_giant(path: Path) -> None:
    """Write a sparse file of 5 GiB with something at its ends and where 31 and 32 bits are full."""
    with path.open("wb") as file:
        for offset, mark in _MARKS.items():
            file.seek(offset)
            file.write(mark)
        assert file.tell() == GIANT


def digest(path: Path) -> str:
    """The SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
